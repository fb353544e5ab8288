#include "sim/punch_pair.hpp"

#include <algorithm>
#include <cmath>

#include "sim/chance.hpp"

namespace wormhole::sim {
namespace {

constexpr TimePoint kStart{1h};
const IpAddress kInside = IpAddress::v4(10, 0, 0, 2);
const IpAddress kNeighbour = IpAddress::v4(10, 0, 0, 3);
const Endpoint kServer{IpAddress::v4(198, 51, 100, 10), 7700};

PortAllocation allocation_of(const NatProfile& nat) {
  switch (nat.allocation) {
    case Allocation::kPreserving:
      return PortAllocation::kPreserving;
    case Allocation::kSequential:
      return PortAllocation::kSequential;
    case Allocation::kRandom:
      return PortAllocation::kRandom;
    case Allocation::kBlock:
      return PortAllocation::kRange;
  }
  return PortAllocation::kUnknown;
}

}  // namespace

PunchPair::PunchPair(const PunchTrial& trial, std::uint64_t seed)
    : trial_(trial),
      rng_(seed),
      ends_{End{Nat(trial.here, IpAddress::v4(203, 0, 113, 1), rng_), {}, {}, 0},
            End{Nat(trial.there, IpAddress::v4(203, 0, 113, 2), rng_), {}, {}, 0}} {
  for (auto& end : ends_) {
    end.ports = static_cast<std::uint16_t>(32768 + rng_.below(28232 - 300));
    end.report = check(end, &end == &ends_[0] && trial.here_is_public);
    take_foreign(end, trial.stale);
  }
}

/// What a check with eight sockets and two destinations sees, and what it takes afterwards.
NatReport PunchPair::check(End& end, bool is_public) {
  const auto map = [&](int socket, int server) {
    const auto port = static_cast<std::uint16_t>(end.ports + socket);
    const auto to = static_cast<std::uint16_t>(kServer.port + server);
    return *end.nat.outbound({kInside, port}, {kServer.address, to}, now_);
  };
  const auto& nat = end.nat.profile();
  NatReport report{.mapping = is_public ? NatMapping::kNone : as_mapping(nat.mapping),
                   .filtering = as_filtering(nat.filtering),
                   .allocation = allocation_of(nat),
                   .mapped = map(0, 0)};
  if (!trial_.filtering_known) report.filtering = NatFiltering::kUnknown;
  std::vector<std::uint16_t> ports;
  for (int i = 0; i < 16; ++i) ports.push_back(map(-1 - i / 2, i % 2).port);
  if (nat.allocation == Allocation::kSequential) {
    report.step = static_cast<std::int16_t>(nat.step);
    report.newest = ports.back();
    report.foreign = static_cast<std::uint16_t>(std::ceil(trial_.foreign));
  }
  if (nat.allocation != Allocation::kRandom && nat.allocation != Allocation::kPreserving) {
    report.low = *std::min_element(ports.begin(), ports.end());
    report.high = *std::max_element(ports.begin(), ports.end());
  }
  const auto later = static_cast<int>(rng_.below(9));
  for (int i = 0; i < later; ++i) map(-1, 2 + i);
  return report;
}

void PunchPair::take_foreign(End& end, Duration for_how_long) {
  const auto expected = trial_.foreign * std::chrono::duration<double>(for_how_long).count();
  const int steps = 1000;  // a Poisson process in a thousand small steps
  for (int i = 0; i < steps; ++i) {
    if (!chance(rng_, expected / steps)) continue;
    end.nat.outbound({kNeighbour, ++strangers_}, kServer, now_);
  }
}

void PunchPair::start(std::size_t end, TimePoint at) {
  auto& mine = ends_[end];
  mine.campaign.emplace(
      plan_punch(mine.report, ends_[1 - end].report, trial_.campaign, trial_.settings, rng_),
      trial_.settings, at);
  queue_.at(at, [this, end] { tick(end); });
}

void PunchPair::tick(std::size_t end) {
  auto& campaign = *ends_[end].campaign;
  std::vector<PunchSend> sends;
  campaign.on_timeout(now_, sends);
  for (const auto& send : sends) {
    const auto port = static_cast<std::uint16_t>(ends_[end].ports + send.socket);
    if (send.ttl == 0) {
      transmit(end, port, send.to, Kind::kOpener);
    } else {  // makes its mapping and dies on the way
      ends_[end].nat.outbound({kInside, port}, send.to, now_);
    }
  }
  if (!campaign.is_over(now_)) queue_.at(campaign.next_deadline(), [this, end] { tick(end); });
}

void PunchPair::transmit(std::size_t from, std::uint16_t port, const Endpoint& to, Kind kind) {
  const auto source = ends_[from].nat.outbound({kInside, port}, to, now_);
  if (!source || chance(rng_, trial_.loss)) return;
  queue_.at(now_ + trial_.one_way,
            [this, to, kind, at = 1 - from, seen = *source] { arrive(at, to, seen, kind); });
}

void PunchPair::arrive(std::size_t at, const Endpoint& to, const Endpoint& from, Kind kind) {
  const auto internal = ends_[at].nat.inbound(to, from, now_);
  if (!internal) return;
  if (kind == Kind::kOpener) challenge(at, internal->port, from);
  if (kind == Kind::kChallenge) transmit(at, internal->port, from, Kind::kResponse);
  if (kind == Kind::kResponse && !met_) met_ = now_;
}

void PunchPair::challenge(std::size_t end, std::uint16_t port, const Endpoint& to) {
  for (int i = 0; i < 5; ++i) {
    queue_.at(now_ + i * 50ms,
              [this, end, port, to] { transmit(end, port, to, Kind::kChallenge); });
  }
}

PunchResult PunchPair::run() {
  const auto second = rng_.below(2);
  start(1 - second, kStart);
  start(second, kStart + trial_.skew);
  std::array<std::size_t, 2> before{ends_[0].nat.live_mappings(now_),
                                    ends_[1].nat.live_mappings(now_)};
  auto foreign_until = kStart;
  while (!met_ && queue_.next() != kNever) {
    for (; foreign_until < queue_.next(); foreign_until += 1ms) {
      for (auto& end : ends_) {
        if (!chance(rng_, trial_.foreign / 1000)) continue;
        end.nat.outbound({kNeighbour, ++strangers_}, kServer, now_);
        ++before[&end == &ends_[0] ? 0 : 1];
      }
    }
    now_ = queue_.next();
    queue_.run_next();
  }
  PunchResult result{ends_[0].campaign->plan(), ends_[1].campaign->plan(), {}, {}};
  if (met_) result.met = *met_ - kStart;
  for (std::size_t i = 0; i < 2; ++i) {
    result.mapped[i] = static_cast<std::uint32_t>(ends_[i].nat.live_mappings(now_) - before[i]);
  }
  return result;
}

}  // namespace wormhole::sim
