#include "sim/link.hpp"

#include <algorithm>

#include "sim/chance.hpp"

namespace wormhole::sim {

bool Link::lose(Rng& rng) {
  in_burst_ = in_burst_ ? !chance(rng, profile.burst_end) : chance(rng, profile.burst_begin);
  return in_burst_ || chance(rng, profile.loss);
}

Transit Link::transit(TimePoint sent, Rng& rng) {
  Transit copy{sent + profile.delay + up_to(rng, profile.jitter), chance(rng, profile.corrupt)};
  if (chance(rng, profile.reorder)) {
    copy.arrives += profile.reorder_by;
  } else {
    last_arrival_ = copy.arrives = std::max(copy.arrives, last_arrival_);
  }
  return copy;
}

Carried Link::carry(std::size_t size, TimePoint now, Rng& rng) {
  if (!profile.up) return {What::kLinkDown, {}};
  if (size > profile.mtu) return {What::kTooBig, {}};
  if (lose(rng)) return {What::kLost, {}};
  auto sent = now;
  if (profile.bits_per_second > 0) {
    const auto start = std::max(now, free_at_);
    if (start - now > profile.queue) return {What::kQueueFull, {}};
    free_at_ = sent =
        start + std::chrono::nanoseconds(size * 8 * 1'000'000'000 / profile.bits_per_second);
  }
  Carried carried{What::kSent, {transit(sent, rng)}};
  if (chance(rng, profile.duplicate)) carried.copies.push_back(transit(sent, rng));
  return carried;
}

}  // namespace wormhole::sim
