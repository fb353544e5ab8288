#include "shell/deadline_timer.hpp"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "shell/clock.hpp"
#include "wormhole/base/result.hpp"

namespace wormhole {

DeadlineTimer::DeadlineTimer(boost::asio::io_context& io, OnDeadline on_deadline)
    : on_deadline_(std::move(on_deadline)) {
  FileDescriptor fd(::timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC));
  WH_ASSERT(fd.is_open());
  readable_ = Readable(io, std::move(fd), [this] { on_expiry(); });
}

void DeadlineTimer::set(TimePoint deadline) {
  wanted_ = deadline;
  if (readable_.is_open() && deadline < armed_) arm(deadline);
}

void DeadlineTimer::arm(TimePoint at) {
  armed_ = at;
  // An all-zero value would disarm; the past, which 1 ns after boot is, fires at once.
  const auto ns = std::max(at.time_since_epoch(), Duration{1});
  const auto seconds = std::chrono::floor<std::chrono::seconds>(ns);
  itimerspec when{};
  when.it_value.tv_sec = seconds.count();
  when.it_value.tv_nsec = (ns - seconds).count();
  WH_ASSERT(::timerfd_settime(readable_.fd(), TFD_TIMER_ABSTIME, &when, nullptr) == 0);
}

void DeadlineTimer::on_expiry() {
  std::uint64_t expirations = 0;
  if (::read(readable_.fd(), &expirations, sizeof expirations) != sizeof expirations) return;
  armed_ = kNever;
  if (wanted_ == kNever) return;
  if (core_now() < wanted_) return arm(wanted_);
  wanted_ = kNever;
  on_deadline_();
}

}  // namespace wormhole
