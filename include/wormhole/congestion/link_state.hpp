// What a sender knows of one link: how much it carries, and whether that is all it can.
#pragma once

#include <cstdint>
#include <optional>

#include "wormhole/base/time.hpp"

namespace wormhole {

/// The numbers are the wire's.
enum class LinkVerdict : std::uint8_t {
  kAppLimited = 0,  ///< nothing has tested the limit: no traffic, or too little to fill the link
  kClear = 1,       ///< what is offered arrives, without a standing queue
  kLimit = 2,       ///< the maximum throughput is reached: more would only queue or be lost
  kLossy = 3        ///< packets are lost without a queue: a lower rate would not help
};

/// One link: the way (direct or by the relay) to one peer, or one flow's part of it. Rates are bits
/// a second of IP packets (UDP and IP headers counted), for that is what links limit.
struct LinkState {
  LinkVerdict verdict = LinkVerdict::kAppLimited;
  Duration age{};               ///< since the verdict was reached
  double confidence = 0;        ///< 0 … 1: how much the verdict and the capacity rest on
  double capacity_bps = 0;      ///< what the link can carry; 0: never tested
  double offered_bps = 0;       ///< what applications wanted to send, last second
  double sent_bps = 0;          ///< what was sent, last second
  double delivered_bps = 0;     ///< what arrived, last second
  Duration queue_delay{};       ///< in the network, above the least one-way delay that was seen
  double loss = 0;              ///< share that was lost, last second
  std::optional<Duration> rtt;  ///< smoothed (RFC 9002, 5.3)
};

}  // namespace wormhole
