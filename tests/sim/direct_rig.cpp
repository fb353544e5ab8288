#include "sim/direct_rig.hpp"

#include <algorithm>
#include <set>

#include "sim/attacker.hpp"

namespace wormhole::sim {
namespace {

NatProfile profile(Dependence mapping, Dependence filtering, Allocation allocation) {
  NatProfile made;
  made.mapping = mapping;
  made.filtering = filtering;
  made.allocation = allocation;
  return made;
}

constexpr auto kIndependent = Dependence::kEndpointIndependent;
constexpr auto kAddress = Dependence::kAddressDependent;
constexpr auto kBoth = Dependence::kAddressAndPortDependent;

/// A frame of a data flow that goes from client to client.
bool is_direct_data(const Packet& packet) {
  return packet.bytes.size() > 3 && packet.bytes[0] == 0x10 &&
         (packet.bytes[2] != 0 || packet.bytes[3] != 0) && !at_server(packet.to) &&
         !at_server(packet.from);
}

/// When the first datagram of `id` that arrived was sent.
TimePoint first_delivered(const Ledger& ledger, const std::string& id) {
  for (const auto& record : ledger.records()) {
    if (record.from == id && !record.deliveries.empty()) return record.at;
  }
  return TimePoint{};
}

}  // namespace

Site public_site() { return {"public", std::nullopt}; }
Site full_cone() {
  return {"full cone", profile(kIndependent, kIndependent, Allocation::kPreserving)};
}
Site restricted_cone() {
  return {"restricted cone", profile(kIndependent, kAddress, Allocation::kPreserving)};
}
Site port_restricted() {
  return {"port-restricted", profile(kIndependent, kBoth, Allocation::kPreserving)};
}
Site symmetric_random() { return {"symmetric random", profile(kBoth, kBoth, Allocation::kRandom)}; }
Site symmetric_sequential(std::uint16_t step) {
  auto nat = profile(kBoth, kBoth, Allocation::kSequential);
  nat.step = step;
  return {"sequential +" + std::to_string(step), nat};
}
Site block_symmetric(std::uint16_t ports) {
  auto nat = profile(kBoth, kBoth, Allocation::kBlock);
  nat.block_size = ports;
  return {"block " + std::to_string(ports), nat};
}
std::vector<Site> cones() { return {full_cone(), restricted_cone(), port_restricted()}; }

Try try_pair(World& world, const Site& first, const Site& second, Duration limit,
             const TryOptions& with) {
  StageOptions options;
  options.link = with.link;
  options.p2p_settings = with.p2p;
  options.nats = {{"gcs4", first.nat}, {"drone3", second.nat}};
  Stage stage(world, options);
  bool counting = false;
  TimePoint start{};
  Try result;
  bool by_drone = false;
  bool by_gcs = false;
  std::array<std::set<std::uint16_t>, 2> ports;
  world.internet().set_tap([&](Packet& packet) {
    if (!counting || at_server(packet.to) || at_server(packet.from)) return true;
    auto* nat = stage.nat_of("drone3");
    const auto drone = nat != nullptr ? nat->external() : stage.drone().host().addresses.front();
    const bool is_drones = packet.from.address == drone;
    ports[is_drones ? 1 : 0].insert(packet.from.port);
    if (is_direct_data(packet)) {
      (is_drones ? by_drone : by_gcs) = true;
      if (!result.first_direct) result.first_direct = world.now() - start;
    }
    return true;
  });
  stage.server().start();
  stage.gcs().start();
  world.run_for(with.lead);
  counting = true;
  start = world.now();
  stage.drone().start();
  stage.both_ways(with.pace);
  const auto arrived = [&] {
    return stage.world.ledger().delivered("drone3", "mavlink", start) > 0;
  };
  if (world.run_until(arrived, limit)) result.first_relayed = world.now() - start;
  world.run_until([&] { return by_drone && by_gcs; }, limit);
  world.run_for(300ms);
  stage.stop_traffic();
  const auto until = world.now();
  world.run_for(1s);
  const auto& ledger = world.ledger();
  for (const char* id : {"drone3", "gcs4"}) {
    auto from = id == std::string("gcs4") ? start + 500ms : start;  // it knows no peer before
    if (with.long_way) from = first_delivered(ledger, id);
    result.lost +=
        ledger.sent(id, "mavlink", from, until) - ledger.delivered(id, "mavlink", from, until);
  }
  for (const auto& peer : stage.drone().status().peers) {
    result.campaigns = peer.campaigns;
    result.ended_direct = peer.path == PathKind::kDirect;
    if (!result.ended_direct) result.reason = peer.reason;
  }
  result.mapped = {ports[0].size(), ports[1].size()};
  world.internet().set_tap(nullptr);
  return result;
}

namespace {

StageOptions pair_options(const Site& gcs, const Site& drone, LinkProfile link) {
  StageOptions options;
  options.link = link;
  options.nats = {{"gcs4", gcs.nat}, {"drone3", drone.nat}};
  return options;
}

}  // namespace

DirectPair::DirectPair(World& in, const Site& gcs, const Site& drone, LinkProfile link)
    : world(in), stage(in, pair_options(gcs, drone, link)) {
  world.internet().set_tap([this](Packet& packet) {
    if (at_server(packet.to) || at_server(packet.from)) return true;
    auto* nat = stage.nat_of("drone3");
    const auto drone_at = nat != nullptr ? nat->external() : stage.drone().host().addresses.front();
    return packet.from.address == drone_at ? !cut_drone_ : !cut_gcs_;
  });
}

DirectPair::~DirectPair() { world.internet().set_tap(nullptr); }

bool DirectPair::start(Duration limit) {
  if (!stage.start()) return false;
  stage.both_ways(5ms);
  return world.run_until([this] { return both_direct(); }, limit);
}

bool DirectPair::both_direct() {
  for (const char* id : {"drone3", "gcs4"}) {
    const auto status = stage.client(id).status();
    if (status.peers.empty() || status.peers.front().path != PathKind::kDirect) return false;
  }
  return true;
}

void DirectPair::cut(bool from_drone, bool from_gcs) {
  cut_drone_ = from_drone;
  cut_gcs_ = from_gcs;
}

Duration DirectPair::longest_gap(const std::string& from, TimePoint since) {
  std::vector<TimePoint> times{since};
  for (const auto& record : world.ledger().records()) {
    if (record.from != from || record.deliveries.empty()) continue;
    if (record.deliveries.front().at >= since) times.push_back(record.deliveries.front().at);
  }
  std::sort(times.begin(), times.end());
  times.push_back(world.now());
  Duration longest{};
  for (std::size_t i = 1; i < times.size(); ++i)
    longest = std::max(longest, times[i] - times[i - 1]);
  return longest;
}

Duration DirectPair::longest_gap(TimePoint since) {
  return std::max(longest_gap("drone3", since), longest_gap("gcs4", since));
}

std::size_t DirectPair::lost(TimePoint since, TimePoint until) {
  std::size_t sum = 0;
  for (const char* id : {"drone3", "gcs4"}) {
    const auto& ledger = world.ledger();
    sum += ledger.sent(id, "mavlink", since, until) - ledger.delivered(id, "mavlink", since, until);
  }
  return sum;
}

}  // namespace wormhole::sim
