// Two punch campaigns against two NATs, without clients and server: what the plans alone achieve.
#pragma once

#include <array>
#include <optional>

#include "sim/event_queue.hpp"
#include "sim/nat.hpp"
#include "wormhole/punch/campaign.hpp"

namespace wormhole::sim {

struct PunchTrial {
  NatProfile here{};
  NatProfile there{};
  bool here_is_public = false;  ///< the report says "no translation"
  PunchSettings settings{};
  std::uint32_t campaign = 1;
  Duration one_way = 20ms;
  Duration skew = 20ms;    ///< so much later the second end begins; which one it is, varies
  Duration stale = 150ms;  ///< from the check's newest mapping to the campaign
  double foreign = 0;      ///< mappings a second that others take, at each NAT
  double loss = 0;
  bool filtering_known = true;
};

struct PunchResult {
  PunchPlan here;
  PunchPlan there;
  /// From the first end's start until a challenge was answered; nothing: they never met.
  std::optional<Duration> met;
  std::array<std::uint32_t, 2> mapped{};  ///< mappings that the campaign made at each NAT
};

/// Punching with one seed.
class PunchPair {
 public:
  PunchPair(const PunchTrial& trial, std::uint64_t seed);
  PunchResult run();

 private:
  enum class Kind : std::uint8_t { kOpener, kChallenge, kResponse };
  struct End {
    Nat nat;
    NatReport report;
    std::optional<Campaign> campaign;
    std::uint16_t ports = 0;  ///< socket n is bound to so much + n
  };

  NatReport check(End& end, bool is_public);
  void take_foreign(End& end, Duration for_how_long);
  void start(std::size_t end, TimePoint at);
  void tick(std::size_t end);
  void transmit(std::size_t from, std::uint16_t port, const Endpoint& to, Kind kind);
  void arrive(std::size_t at, const Endpoint& to, const Endpoint& from, Kind kind);
  void challenge(std::size_t end, std::uint16_t port, const Endpoint& to);

  const PunchTrial& trial_;
  SeededRng rng_;
  EventQueue queue_;
  TimePoint now_{1h};
  std::array<End, 2> ends_;
  std::uint16_t strangers_ = 0;
  std::optional<TimePoint> met_;
};

}  // namespace wormhole::sim
