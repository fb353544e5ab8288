#include "wormhole/punch/plan.hpp"

#include <algorithm>

#include "punch/fit.hpp"
#include "punch/ports.hpp"

namespace wormhole {
namespace {

/// Low enough to die on the way between two sites, whose NATs are rarely fewer than six routers
/// apart; high enough for the chain in front of a carrier's NAT (a router of one's own, the access
/// network, three to five hops in all).
constexpr std::uint8_t kOpeningTtl = 6;

/// Mappings in a row towards one predicted port. The row's middle is what the other end aims at, so
/// the prediction may be wrong by half a row either way: 32 mappings are what 20 foreign ones a
/// second take in 1.6 s.
constexpr std::uint32_t kRow = 64;
/// Rows of the first campaign: a second aim, should a foreign mapping sit on the first.
constexpr std::uint32_t kRows = 2;

struct Planner {
  const NatReport& local;
  const NatReport& remote;
  std::uint32_t campaign;
  const PunchSettings& settings;
  Rng& rng;
  std::uint32_t held;

  PunchPlan plan(Strategy strategy) const;
  PunchPlan open_many(Strategy strategy) const;
  PunchPlan probe_many(Strategy strategy) const;
  PunchPlan sequential_pair() const;
  PunchPlan range_pair() const;
  bool allows(Strategy strategy) const;
  std::uint32_t row() const;
  std::uint16_t sockets(Strategy strategy) const;
  std::vector<Endpoint> at_remote(const std::vector<std::uint16_t>& ports) const;
};

PunchPlan relay(std::string reason) {
  PunchPlan plan;
  plan.reason = std::move(reason);
  return plan;
}

bool Planner::allows(Strategy strategy) const {
  const auto number = static_cast<std::uint8_t>(strategy);
  if ((settings.forbidden >> number & 1) != 0) return false;
  return settings.forced == 0 || settings.forced == number;
}

/// Later campaigns put everything into one long row: what the first one missed was a counter that
/// had moved farther than expected.
std::uint32_t Planner::row() const {
  const auto most = std::uint32_t{settings.most_sockets};
  return std::min(campaign <= 1 ? kRow : most, most);
}

/// Never more than half of the client's own port block: the other half belongs to what else the
/// client does, and a block that is used up cuts all of it off.
std::uint16_t Planner::sockets(Strategy strategy) const {
  if (strategy == Strategy::kSequential) return static_cast<std::uint16_t>(row());
  auto most = std::uint32_t{settings.most_sockets};
  const auto seen = seen_range(local);
  if (local.allocation == PortAllocation::kRange && seen) {
    const auto half = seen->size() / 2;
    most = std::min(most, half - std::min(half, held));
  }
  return static_cast<std::uint16_t>(most);
}

std::vector<Endpoint> Planner::at_remote(const std::vector<std::uint16_t>& ports) const {
  std::vector<Endpoint> endpoints;
  endpoints.reserve(ports.size());
  for (const auto port : ports) endpoints.push_back({remote.mapped.address, port});
  return endpoints;
}

/// The symmetric end: many mappings to the one port at which the cone end can be found.
PunchPlan Planner::open_many(Strategy strategy) const {
  PunchPlan plan{.strategy = strategy, .opener_to = remote.mapped};
  plan.sockets = sockets(strategy);
  if (plan.sockets != 0) plan.targets = {remote.mapped};
  if (remote.filtering != NatFiltering::kEndpointIndependent) plan.opening_ttl = kOpeningTtl;
  return plan;
}

/// The cone end: probes from its one mapping to where the other's may be. The port that the server
/// sees comes first, in case that the symmetric end is none.
PunchPlan Planner::probe_many(Strategy strategy) const {
  const auto most = std::uint32_t{settings.most_probes};
  auto ports = strategy == Strategy::kSequential ? sequential_order(remote, row(), most)
                                                 : random_order(remote, campaign, most, rng);
  ports.insert(ports.begin(), remote.mapped.port);
  if (ports.size() > most) ports.pop_back();
  return {.strategy = strategy, .probes = at_remote(ports)};
}

/// Both ends lay rows, each row to the middle of one of the other's: the mapping that is in the
/// middle here goes to the one that is in the middle there, and that one comes here.
PunchPlan Planner::sequential_pair() const {
  const auto length = row();
  const auto rows = std::clamp<std::uint32_t>(settings.most_sockets / std::max(length, 1U), 1,
                                              campaign <= 1 ? kRows : 1);
  PunchPlan plan{.strategy = Strategy::kSequential};
  plan.sockets = static_cast<std::uint16_t>(rows * length);
  std::vector<std::uint16_t> aims;
  for (std::uint32_t i = 0; i < rows; ++i) {
    aims.push_back(predicted(remote, expected_skip(remote) + i * length + length / 2));
  }
  plan.targets = at_remote(aims);
  return plan;
}

/// Both ends send from one socket to many ports. Where the mapping depends on the port as well,
/// each probe takes a mapping; where it depends on the address alone, they all share one.
PunchPlan Planner::range_pair() const {
  auto most = std::uint32_t{settings.most_probes};
  if (local.mapping == NatMapping::kAddressAndPortDependent && has_small_range(local)) {
    const auto half = likely_block(*seen_range(local)).size() / 2;
    if (held >= half) {
      return relay(
          "half of the ports that this client's NAT gives it are in use; the rest is left to other "
          "traffic until some of them expire");
    }
    most = std::min(most, half - held);
  }
  if (is_predictable(remote)) {
    return {.strategy = Strategy::kRangePair,
            .probes = at_remote(sequential_order(remote, most, most))};
  }
  if (local.mapping == NatMapping::kAddressDependent) {  // may go on beyond what the block seems
    return {.strategy = Strategy::kRangePair,
            .probes = at_remote(random_order(remote, campaign, most, rng))};
  }
  const auto block = likely_block(*seen_range(remote));
  // The other end aims at as many of our next ports as half its block: more would be in vain.
  if (is_predictable(local)) most = std::min(most, block.size() / 2);
  return {.strategy = Strategy::kRangePair, .probes = at_remote(random_ports(block, most, rng))};
}

PunchPlan Planner::plan(Strategy strategy) const {
  switch (strategy) {
    case Strategy::kRelay:
      break;
    case Strategy::kDirect:
    case Strategy::kCone:
      return {.strategy = strategy, .opener_to = remote.mapped};
    case Strategy::kSequential:
      if (is_symmetric(local) && is_symmetric(remote)) return sequential_pair();
      [[fallthrough]];
    case Strategy::kBirthday:
    case Strategy::kRange:
      return is_symmetric(local) ? open_many(strategy) : probe_many(strategy);
    case Strategy::kRangePair:
      return range_pair();
  }
  return relay("");
}

}  // namespace

PunchPlan plan_punch(const NatReport& local, const NatReport& remote, std::uint32_t campaign,
                     const PunchSettings& settings, Rng& rng, std::uint32_t held) {
  if (!remote.mapped.is_set()) return relay("the peer's public address is not known yet");
  if (local.mapped.is_set() && local.mapped.address.is_v4() != remote.mapped.address.is_v4()) {
    return relay("one end has IPv4 only and the other one IPv6 only");
  }
  const Planner planner{local, remote, campaign, settings, rng, held};
  const auto fit = fitting(local, remote, campaign);
  const auto chosen = std::find_if(fit.begin(), fit.end(),
                                   [&](Strategy strategy) { return planner.allows(strategy); });
  if (chosen == fit.end()) return relay(why_relay(local, remote, settings, fit));
  return planner.plan(*chosen);
}

std::string_view words(Strategy strategy) {
  switch (strategy) {
    case Strategy::kRelay:
      return "relay";
    case Strategy::kDirect:
      return "direct";
    case Strategy::kCone:
      return "cone";
    case Strategy::kBirthday:
      return "birthday";
    case Strategy::kRange:
      return "range";
    case Strategy::kSequential:
      return "sequential";
    case Strategy::kRangePair:
      return "range-pair";
  }
  return "relay";
}

}  // namespace wormhole
