// The one timer of a runner.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>

#include "shell/readable.hpp"
#include "wormhole/base/time.hpp"

namespace wormhole {

/// Fires at deadlines of the core's time line. A timerfd on CLOCK_BOOTTIME rather than a
/// steady_timer: CLOCK_MONOTONIC stands still during suspend, and after ten minutes of it every
/// deadline would be ten minutes late; this one fires on wake-up.
class DeadlineTimer {
 public:
  using OnDeadline = std::function<void()>;

  /// Ends the process when the system has no descriptor left for it: nothing runs without a timer.
  DeadlineTimer(boost::asio::io_context& io, OnDeadline on_deadline);

  /// Calls back at `deadline` (at once when it has passed), in place of the deadline set before;
  /// never for kNever. Costs a system call only when the new deadline is the earliest: a later one
  /// is armed when the earlier one has run out.
  void set(TimePoint deadline);
  void close() { readable_.close(); }

 private:
  void arm(TimePoint at);
  void on_expiry();

  OnDeadline on_deadline_;
  TimePoint wanted_ = kNever;
  TimePoint armed_ = kNever;
  Readable readable_;
};

}  // namespace wormhole
