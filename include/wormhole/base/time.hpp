// The core's time: it is handed in with every input and never asked for.
#pragma once

#include <chrono>
#include <cstdint>

namespace wormhole {

/// Names the time line that `now` arguments live on. In the product that is CLOCK_BOOTTIME, which
/// goes on during suspend (key ages must) and ignores wall-clock jumps (drones have no battery
/// clock); in the simulator it is virtual. It has no now() on purpose.
struct CoreClock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<CoreClock>;
  // The standard's name for it (std::chrono's Clock requirements).
  static constexpr bool is_steady = true;  // NOLINT(readability-identifier-naming)
};

using TimePoint = CoreClock::time_point;
using Duration = CoreClock::duration;

/// "No deadline": later than every real time.
inline constexpr TimePoint kNever = TimePoint::max();

using namespace std::chrono_literals;

/// Whole milliseconds of a duration, for status and logs.
inline std::int64_t to_ms(Duration d) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(d).count();
}

}  // namespace wormhole
