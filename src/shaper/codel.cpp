#include "shaper/codel.hpp"

#include <chrono>
#include <cmath>

namespace wormhole {
namespace {

/// Less than one packet of Ethernet's size does not stand (RFC 8289, 5.3).
constexpr std::size_t kPacket = 1500;
/// Dropping that begins anew so soon goes on at the rate that it had (RFC 8289, 5.6 and Linux).
constexpr int kMemory = 16;

}  // namespace

TimePoint CoDel::after(TimePoint drop) const {
  const std::chrono::duration<double> interval = kInterval;
  return drop + std::chrono::duration_cast<Duration>(interval / std::sqrt(double{1} * count_));
}

bool CoDel::stands(Duration waited, std::size_t bytes, TimePoint now) {
  if (waited < kTarget || bytes <= kPacket) {
    stands_since_ = kNever;
    return false;
  }
  if (stands_since_ == kNever) stands_since_ = now;
  return now - stands_since_ >= kInterval;
}

bool CoDel::should_drop(Duration waited, std::size_t bytes, TimePoint now) {
  const bool stands_now = stands(waited, bytes, now);
  if (dropping_) {
    dropping_ = stands_now;
    if (!stands_now || now < next_drop_) return false;
    ++count_;
    next_drop_ = after(next_drop_);
    return true;
  }
  if (!stands_now) return false;
  dropping_ = true;
  const auto since = count_ - last_count_;
  count_ = since > 1 && now - next_drop_ < kMemory * kInterval ? since : 1;
  last_count_ = count_;
  next_drop_ = after(now);
  return true;
}

}  // namespace wormhole
