// How many mappings this end's NAT still keeps for past campaigns (docs/nat-traversal.md).
#pragma once

#include <cstdint>
#include <deque>

#include "wormhole/base/time.hpp"
#include "wormhole/punch/plan.hpp"

namespace wormhole {

/// The mappings that a whole campaign with this plan takes, seldom more than it really does.
std::uint32_t mappings_taken(const PunchPlan& plan, const NatReport& local);

class HeldMappings {
 public:
  /// What a client has without any campaign: a NAT check's eleven and its two sockets that wait,
  /// and three towards the server's ports. Each peer's openers take one more.
  static constexpr std::uint32_t kStanding = 16;
  /// What RFC 4787 (REQ-5) asks of a NAT. A carrier that counts ports has no reason to keep an idle
  /// mapping longer, and half a block leaves room for one that does.
  static constexpr Duration kLife = 120s;

  /// Not more than one entry a campaign: a few hundred within kLife.
  void add(std::uint32_t mappings, TimePoint now);
  std::uint32_t at(TimePoint now) const;

 private:
  struct Taken {
    std::uint32_t mappings;
    TimePoint until;
  };
  std::deque<Taken> taken_;
};

}  // namespace wormhole
