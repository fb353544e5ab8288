// The core's time line on this system.
#pragma once

#include <ctime>

#include "wormhole/base/time.hpp"

namespace wormhole {

/// CLOCK_BOOTTIME (clock_gettime(2)): monotonic, goes on during suspend, untouched by wall-clock
/// jumps. Read through the vDSO: some 25 ns.
inline TimePoint core_now() {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return TimePoint{std::chrono::seconds{now.tv_sec} + std::chrono::nanoseconds{now.tv_nsec}};
}

}  // namespace wormhole
