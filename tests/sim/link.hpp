// One direction of a host's access link.
#pragma once

#include <vector>

#include "sim/trace.hpp"
#include "wormhole/base/rng.hpp"
#include "wormhole/base/time.hpp"

namespace wormhole::sim {

/// What a link does to datagrams. Shares are per datagram, 0–1.
struct LinkProfile {
  Duration delay{};
  Duration jitter{};  ///< added evenly from 0; keeps the order, as a queue in a modem does
  double loss = 0;
  double burst_begin = 0;   ///< Gilbert model: a burst, in which everything is lost, begins
  double burst_end = 0.25;  ///< … and ends: four datagrams long on average
  double duplicate = 0;
  double reorder = 0;  ///< held back by `reorder_by`, so that later ones overtake
  Duration reorder_by{};
  double corrupt = 0;                 ///< one random bit is flipped
  std::uint64_t bits_per_second = 0;  ///< 0: no limit
  Duration queue = 100ms;             ///< the longest wait for the rate; beyond it, dropped
  std::size_t mtu = 1500;             ///< of the IP packet
  bool up = true;
};

/// One copy on its way.
struct Transit {
  TimePoint arrives;
  bool corrupt = false;
};

struct Carried {
  What fate = What::kSent;  ///< or why there is no copy
  std::vector<Transit> copies;
};

class Link {
 public:
  LinkProfile profile;

  /// Takes an IP packet of `size` bytes at `now`.
  Carried carry(std::size_t size, TimePoint now, Rng& rng);

 private:
  bool lose(Rng& rng);
  Transit transit(TimePoint sent, Rng& rng);
  bool in_burst_ = false;
  TimePoint free_at_{};       ///< when the rate has served everything before
  TimePoint last_arrival_{};  ///< of what was not reordered
};

}  // namespace wormhole::sim
