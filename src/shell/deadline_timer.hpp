// The one timer of a core.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>

#include "shell/readable.hpp"
#include "wormhole/base/time.hpp"

namespace wormhole {

/// Fires at a time on the core's line. A timerfd on CLOCK_BOOTTIME (timerfd_create(2)): after a
/// suspend it fires at once for what fell due meanwhile, where steady_timer would wait out the
/// rest.
class DeadlineTimer {
 public:
  DeadlineTimer(boost::asio::io_context& io, std::function<void()> on_due);
  /// Fires once at `when`, instead of what was set before; kNever: not at all.
  void set(TimePoint when);

 private:
  Readable readable_;
  TimePoint set_for_ = kNever;
};

}  // namespace wormhole
