// Which strategy opens a direct path between two NATs, and what each end sends: pure functions
// (docs/nat-traversal.md).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "wormhole/base/rng.hpp"
#include "wormhole/wire/messages.hpp"
#include "wormhole/wire/nat_report.hpp"

namespace wormhole {

/// What this end does in a campaign. Both ends compute their own from the same two reports.
struct PunchPlan {
  Strategy strategy = Strategy::kRelay;
  /// Why not direct, in words that a user understands; empty when there is a strategy.
  std::string reason;
  /// Openings: so many extra sockets send one opener each to `targets` (in turn), at
  /// settings.opens_per_s. 0: the main socket alone, several times.
  std::uint16_t sockets = 0;
  std::vector<Endpoint> targets;
  /// Probes: the main socket sends an opener to each of these, in this order, at the ramped rate.
  std::vector<Endpoint> probes;
  /// Openings that need not arrive have this TTL; 0: all travel the whole way.
  std::uint8_t opening_ttl = 0;
};

/// `campaign`: 1 for the first between these two, growing: later ones vary what a repetition would
/// not change. `rng` chooses the order of random probes, nothing else.
PunchPlan plan_punch(const NatReport& local, const NatReport& remote, std::uint32_t campaign,
                     const PunchSettings& settings, Rng& rng);

}  // namespace wormhole
