// Draws for the network model, all from the world's one seeded generator.
#pragma once

#include "wormhole/base/rng.hpp"
#include "wormhole/base/time.hpp"

namespace wormhole::sim {

/// True with probability `p` (0–1). Draws nothing when p is 0, so a clean link costs no randomness.
inline bool chance(Rng& rng, double p) {
  constexpr double kRange = 4294967296.0;  // 2^32, one more than the largest draw
  return p > 0 && static_cast<double>(rng.number<std::uint32_t>()) < p * kRange;
}

/// A duration in [0, most], in whole microseconds.
inline Duration up_to(Rng& rng, Duration most) {
  const auto us = std::chrono::duration_cast<std::chrono::microseconds>(most).count();
  return std::chrono::microseconds(us > 0 ? rng.below(static_cast<std::uint32_t>(us) + 1) : 0);
}

/// A duration in [least, most], in whole microseconds.
inline Duration between(Rng& rng, Duration least, Duration most) {
  return least + up_to(rng, most - least);
}

/// A share in [0, most).
inline double share_up_to(Rng& rng, double most) {
  return most * static_cast<double>(rng.below(1'000'000)) / 1'000'000;
}

}  // namespace wormhole::sim
