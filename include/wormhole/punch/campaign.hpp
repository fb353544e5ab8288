// Carries out a punch plan under its packet budget: counts packets and time, decides nothing.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "wormhole/base/time.hpp"
#include "wormhole/punch/plan.hpp"

namespace wormhole {

/// An opener to be made and sent. Socket 0 is the main one, 1 … plan.sockets the campaign's own.
struct PunchSend {
  std::uint16_t socket = 0;
  Endpoint to;
  std::uint8_t ttl = 0;  ///< hops that it may live; 0: as many as usual
};

/// One campaign, from its start to its end; destroying it stops it. It never sends faster than the
/// settings say, in any second: a timer that comes late shifts the rest.
class Campaign {
 public:
  /// Openers of the main socket. Doubling: the first ones meet a peer that began at the same moment
  /// and survive single losses, the last ones an outage of half a second.
  static constexpr std::array<Duration, 7> kOpenerTimes{0ms,   20ms,  50ms, 100ms,
                                                        200ms, 400ms, 800ms};
  /// The openings go out again so much later: for what was lost, and for those whose TTL ended.
  static constexpr Duration kSecondVolley = 300ms;
  /// After the last packet: a round trip around the world and the peer's timer.
  static constexpr Duration kLinger = 500ms;

  Campaign(PunchPlan plan, const PunchSettings& settings, TimePoint start);

  /// Appends what is due by `now`.
  void on_timeout(TimePoint now, std::vector<PunchSend>& sends);
  /// When the next packet is due; after the last one, when the campaign is over. kNever when the
  /// plan sends nothing.
  TimePoint next_deadline() const;
  /// Everything was sent, by the other end too, and the answers had their time.
  bool is_over(TimePoint now) const;
  const PunchPlan& plan() const { return plan_; }
  std::uint32_t sent() const { return sent_; }

 private:
  /// Packets at times of their own, in order.
  struct Stream {
    std::uint32_t count = 0;
    std::uint32_t next = 0;
    Duration late{};  ///< by how much the timers have shifted it
  };
  enum Kind : std::uint8_t { kOpener, kOpening, kProbe, kKinds };

  Duration due_after(Kind kind, std::uint32_t index) const;
  TimePoint end() const;
  TimePoint due(Kind kind) const;
  PunchSend packet(Kind kind, std::uint32_t index) const;

  PunchPlan plan_;
  PunchSettings settings_;
  TimePoint start_;
  TimePoint last_sent_;
  std::array<Stream, kKinds> streams_;
  std::uint32_t sent_ = 0;
};

}  // namespace wormhole
