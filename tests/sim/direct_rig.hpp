// Two clients behind chosen NATs, and how long they take to a direct path.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <vector>

#include "sim/seeds.hpp"
#include "sim/stage.hpp"

namespace wormhole::sim {

/// A NAT, or a public address, by the name that people use.
struct Site {
  std::string name;
  std::optional<NatProfile> nat;
};

Site public_site();
Site full_cone();
Site restricted_cone();
Site port_restricted();
Site symmetric_random();
Site symmetric_sequential(std::uint16_t step = 1);
/// A carrier's NAT that gives each subscriber a block of ports.
Site block_symmetric(std::uint16_t ports);
std::vector<Site> cones();

/// What the network saw of one try.
struct Try {
  /// From the second client's start.
  std::optional<Duration> first_relayed;  ///< application packet delivered, whichever way
  std::optional<Duration>
      first_direct;      ///< application packet that crossed the core client to client
  std::size_t lost = 0;  ///< application packets that never arrived
  std::uint32_t campaigns = 0;
  /// Ports of the first and the second NAT that sent to the other, as the core saw them.
  std::array<std::size_t, 2> mapped{};
  bool ended_direct = false;  ///< by the second client's status
  std::string reason;         ///< of the same, when not direct
};

struct TryOptions {
  LinkProfile link = {.delay = 10ms};
  P2pSettings p2p = {};
  Duration lead = 2s;   ///< gcs4 runs so long before drone3
  Duration pace = 5ms;  ///< an application packet each, both ways
  /// Before the first delivery more may be sent than may wait: that is no loss then.
  bool long_way = false;
};

/// gcs4 behind `first` runs for a while; then drone3 behind `second` starts and both send, for at
/// most `limit` or until 300 ms after both ends send directly.
Try try_pair(World& world, const Site& first, const Site& second, Duration limit,
             const TryOptions& with = {});

/// Two clients with a direct path both ways, and packets on it every 5 ms.
class DirectPair {
 public:
  DirectPair(World& world, const Site& gcs, const Site& drone, LinkProfile link = {.delay = 10ms});
  ~DirectPair();

  /// True when both ends send directly.
  bool start(Duration limit = 20s);
  bool both_direct();
  /// Swallows what travels directly, in both directions or one.
  void cut(bool from_drone, bool from_gcs);
  void mend() { cut(false, false); }
  /// The longest time, from `since` on, in which nothing of `from` was delivered.
  Duration longest_gap(const std::string& from, TimePoint since);
  Duration longest_gap(TimePoint since);
  /// Datagrams of both that were sent from `since` to `until` and never arrived.
  std::size_t lost(TimePoint since, TimePoint until);

  World& world;
  Stage stage;

 private:
  bool cut_drone_ = false;
  bool cut_gcs_ = false;
};

}  // namespace wormhole::sim
