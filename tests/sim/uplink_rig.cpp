#include "sim/uplink_rig.hpp"

#include <utility>

namespace wormhole::sim {
namespace {

StageOptions options_of(std::size_t receivers, bool direct, Duration delay) {
  StageOptions options;
  options.clients = {"drone3"};
  for (std::size_t i = 1; i <= receivers; ++i) options.clients.push_back("gcs" + std::to_string(i));
  options.p2p = direct;
  options.link.delay = delay;
  options.link.jitter = 3ms;
  return options;
}

}  // namespace

UplinkRig::UplinkRig(World& of, std::size_t receivers, bool direct, Duration delay)
    : world(of), stage(of, options_of(receivers, direct, delay)) {
  for (auto& flow : stage.network.flows) {
    if (flow.name == "mavlink") flow.priority = Priority::kHigh;
  }
  stage.server().set_network(stage.network);
}

void UplinkRig::route(const Members& video, const Members& control) {
  for (auto& flow : stage.network.flows) {
    flow.routes.front().second = flow.name == "video" ? video : control;
  }
  stage.server().set_network(stage.network);
  world.ledger().set_network(stage.network, world.now());
}

bool UplinkRig::begin(PathKind way) {
  if (!stage.start()) return false;
  offer(0.2e6);
  const auto there = [&] {
    for (const auto& peer : stage.drone().status().peers) {
      if (peer.id == "gcs1") return peer.path == way;
    }
    return false;
  };
  if (!world.run_until(there, 20s)) return false;
  world.run_for(3s);  // groups have formed, and path MTUs are known
  return world.ok();
}

void UplinkRig::offer(double bps) {
  const std::chrono::duration<double> apart(8.0 * (kVideo + kAround) / bps);
  world.every(std::chrono::duration_cast<Duration>(apart), [this, mine = ++offer_] {
    if (mine == offer_) stage.drone().send("video", kVideo);
    return mine == offer_;
  });
}

void UplinkRig::limit(double bps, Duration queue) {
  auto& up = stage.drone().host().up.profile;
  up.bits_per_second = static_cast<std::uint64_t>(bps);
  up.queue = queue;
}

std::optional<LinkState> UplinkRig::link(PathKind way, const std::string& peer) {
  for (const auto& link : stage.drone().status().links) {
    if (link.way == way && link.peer == peer) return link.state;
  }
  return std::nullopt;
}

std::optional<LinkState> UplinkRig::video() {
  for (const auto& flow : stage.drone().status().flows) {
    if (flow.name == "video") return flow.link;
  }
  return std::nullopt;
}

bool UplinkRig::is(LinkVerdict verdict, PathKind way, const std::string& peer) {
  const auto state = link(way, peer);
  return state && state->verdict == verdict;
}

}  // namespace wormhole::sim
