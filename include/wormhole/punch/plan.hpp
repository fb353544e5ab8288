// Which strategy opens a direct path between two NATs, and what each end sends: pure functions
// (docs/nat-traversal.md).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "wormhole/base/rng.hpp"
#include "wormhole/wire/messages.hpp"
#include "wormhole/wire/nat_report.hpp"

namespace wormhole {

/// What this end does in a campaign. Both ends compute their own from the same two reports; the two
/// plans fit each other as long as the settings are the same, which come from the one server.
struct PunchPlan {
  Strategy strategy = Strategy::kRelay;
  /// Why not direct, in words that a user understands; empty when there is a strategy.
  std::string reason{};
  /// The main socket sends openers here, several times (Campaign::kOpenerTimes). Unset: none.
  Endpoint opener_to{};
  /// Openings: so many extra sockets, one opener each, at settings.opens_per_s. The sockets are
  /// split evenly, in order, over `targets`: with two targets the first half goes to the first.
  std::uint16_t sockets = 0;
  std::vector<Endpoint> targets{};
  /// Probes: the main socket sends an opener to each of these, in this order, at the ramped rate.
  std::vector<Endpoint> probes{};
  /// The first volley of openings lives so many hops, the second one travels the whole way; 0: both
  /// do.
  std::uint8_t opening_ttl = 0;
};

/// `campaign`: 0 is what is sent with the roster: openers from the main socket, nothing by luck.
/// A reason to show is that of campaign 1 or later. From 1 on, later ones vary what a repetition
/// would not change. `held`: mappings that this end's NAT still keeps for earlier campaigns and
/// checks; they count against half of a port block. `rng` chooses the order of random probes,
/// nothing else.
PunchPlan plan_punch(const NatReport& local, const NatReport& remote, std::uint32_t campaign,
                     const PunchSettings& settings, Rng& rng, std::uint32_t held = 0);

/// A strategy's name: "relay", "direct", "cone", "birthday", "range", "sequential", "range-pair".
std::string_view words(Strategy strategy);

}  // namespace wormhole
