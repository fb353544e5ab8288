#include "shell/deadline_timer.hpp"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "wormhole/base/result.hpp"

namespace wormhole {

DeadlineTimer::DeadlineTimer(boost::asio::io_context& io, std::function<void()> on_due) {
  FileDescriptor fd(::timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC));
  WH_ASSERT(fd.is_open());  // at start, before sockets can have used up the descriptors
  const int number = fd.get();
  readable_ = Readable(io, std::move(fd), [this, number, due = std::move(on_due)] {
    std::uint64_t expirations = 0;
    if (::read(number, &expirations, sizeof expirations) < 0) return;
    set_for_ = kNever;
    due();
  });
}

void DeadlineTimer::set(TimePoint when) {
  if (when == set_for_) return;
  set_for_ = when;
  itimerspec spec{};
  if (when != kNever) {
    // A zero would disarm: what was due long ago fires now.
    const auto at = std::max<std::int64_t>(when.time_since_epoch().count(), 1);
    spec.it_value.tv_sec = static_cast<time_t>(at / 1'000'000'000);
    spec.it_value.tv_nsec = static_cast<long>(at % 1'000'000'000);
  }
  ::timerfd_settime(readable_.fd(), TFD_TIMER_ABSTIME, &spec, nullptr);
}

}  // namespace wormhole
