// How good a path is: one comparable value.
#pragma once

#include <algorithm>
#include <bit>
#include <compare>
#include <cstdint>
#include <optional>

#include "wormhole/base/time.hpp"
#include "wormhole/wire/messages.hpp"

namespace wormhole {

/// Less is better: first the kind, then the round trip. A path to an end that is reachable anyway
/// outlives a restart of its NAT; a punched one does not.
struct PathScore {
  std::uint8_t kind = 0;        ///< 0: one end is reachable; 1: punched
  std::uint8_t rtt_bucket = 0;  ///< below 10 ms, 20, 40, 80, …: what applications can tell apart
  auto operator<=>(const PathScore&) const = default;
};

inline PathScore path_score(Strategy strategy, std::optional<Duration> rtt) {
  const auto tens =
      static_cast<std::uint64_t>(std::max<std::int64_t>(0, to_ms(rtt.value_or(1s)))) / 10;
  const bool reachable = strategy == Strategy::kDirect;
  return {static_cast<std::uint8_t>(reachable ? 0 : 1),
          static_cast<std::uint8_t>(std::bit_width(tens))};
}

/// Whether a path that lives is worth leaving for `other`: two buckets are at least a factor of
/// two, which jitter does not make. The kind alone moves nothing.
inline bool much_better(const PathScore& other, const PathScore& used) {
  return other.kind <= used.kind && other.rtt_bucket + 2 <= used.rtt_bucket;
}

}  // namespace wormhole
