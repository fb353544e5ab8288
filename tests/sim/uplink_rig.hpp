// drone3 behind an uplink of its own sends to ground stations: what it knows of the links, and who
// goes first.
#pragma once

#include <optional>
#include <string>

#include "sim/stage.hpp"

namespace wormhole::sim {

class UplinkRig {
 public:
  /// Bytes of an IP packet by the relay around a datagram.
  static constexpr std::size_t kAround = 60;
  /// Payload of a video datagram.
  static constexpr std::size_t kVideo = 1200;

  /// `direct`: clients may have direct paths. mavlink goes before video.
  UplinkRig(World& world, std::size_t receivers, bool direct, Duration delay = 20ms);

  /// From now on only these hear the drone's video, and talk mavlink with it.
  void route(const Members& video, const Members& control);
  /// Everything is ready, a little video has flowed, and gcs1 is reached in that way.
  bool begin(PathKind way);
  /// Video of so many bits a second of IP packets, from now on, by a clock that shares no period
  /// with anything else.
  void offer(double bps);
  /// Of the drone's uplink; 0: no limit.
  void limit(double bps, Duration queue = 300ms);
  /// What the drone knows of the way to a peer; of the flow video.
  std::optional<LinkState> link(PathKind way, const std::string& peer = "gcs1");
  std::optional<LinkState> video();
  bool is(LinkVerdict verdict, PathKind way, const std::string& peer = "gcs1");

  World& world;
  Stage stage;

 private:
  int offer_ = 0;  // the number of the one that is in force
};

}  // namespace wormhole::sim
