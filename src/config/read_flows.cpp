#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <utility>

#include "config/flow_options.hpp"
#include "config/key_path.hpp"
#include "config/peer_limit.hpp"
#include "config/sections.hpp"

namespace wormhole {
namespace {

constexpr std::array<std::string_view, 12> kFlowKeys{
    "protocol", "port",    "from",   "to",         "between",   "mesh",
    "routes",   "deliver", "target", "addressing", "self_join", "p2p"};
constexpr std::array<std::string_view, 4> kRouteKeys{"from", "to", "between", "mesh"};
constexpr auto kRouteForms = "one of from and to, between or mesh";

/// Flow numbers are 16 bits, and 0 is control (docs/protocol.md 1).
constexpr std::size_t kMaxFlows = std::numeric_limits<std::uint16_t>::max();
/// Pairs of sender and receiver over all flows. Resolved routes keep some 120 bytes for each
/// (measured), so this is 2 GB; a mesh of 65,535 would take 500 GB.
constexpr std::size_t kMaxPairs = std::size_t{1} << 24;

/// A flow beside the places that later checks name.
struct PlacedFlow {
  Flow flow;
  Place place;
  std::optional<Value> port;
};

Protocol read_protocol(const Value& value, ErrorList& errors) {
  const auto text = read_text(value, "udp", errors);
  if (!text || *text == "udp") return Protocol::kUdp;
  if (*text == "tcp") {
    add_error(errors, value, "TCP flows are not in this version; expected udp");
    return Protocol::kTcp;
  }
  add_error(errors, value, quoted(*text) + " is not a protocol; expected udp");
  return Protocol::kUdp;
}

/// Refuses sides between which nobody could talk. Empty sides have their error already.
void check_route(const Route& route, Place place, const std::string& path, ErrorList& errors) {
  const auto& other = route.kind == Route::Kind::kMesh ? route.first : route.second;
  if (route.first.size() != 1 || other != route.first) return;
  const auto& id = route.first.front();
  errors.add(place, path,
             route.kind == Route::Kind::kMesh
                 ? id + " is alone in this mesh; expected two clients or more"
                 : id + " is alone on both sides; expected somebody else on one of them");
}

Route read_from_to(MapReader& map, const Population& population, ErrorList& errors) {
  Route route{Route::Kind::kFromTo, {}, {}};
  const auto from = map.require("from", "who sends, as there is a to");
  const auto to = map.require("to", "who receives, as there is a from");
  if (from) route.first = population.select(*from, errors);
  if (to) route.second = population.select(*to, errors);
  const auto& at = to ? *to : map.value();
  check_route(route, at.node->place, at.path, errors);
  return route;
}

Route read_between(const Value& value, const Population& population, ErrorList& errors) {
  Route route{Route::Kind::kBetween, {}, {}};
  constexpr auto kExpected = "a list of two sides like [\"drone*\", ground]";
  const auto sides = list_items(value, kExpected, errors);
  if (sides.empty()) return route;
  if (sides.size() != 2) {
    const auto count = std::to_string(sides.size()) + (sides.size() == 1 ? " side" : " sides");
    add_error(errors, value, "has " + count + "; expected " + kExpected);
    return route;
  }
  route.first = population.select(sides[0], errors);
  route.second = population.select(sides[1], errors);
  check_route(route, value.node->place, value.path, errors);
  return route;
}

Route read_mesh(const Value& value, const Population& population, ErrorList& errors) {
  Route route{Route::Kind::kMesh, population.select(value, errors), {}};
  check_route(route, value.node->place, value.path, errors);
  return route;
}

/// How many ways of naming a route stand in `map`.
int count_forms(const MapReader& map) {
  return int{map.has("from") || map.has("to")} + int{map.has("between")} + int{map.has("mesh")};
}

std::optional<Route> read_route(MapReader& map, const Population& population, ErrorList& errors) {
  if (!map.value().is(YamlNode::Kind::kMap)) return std::nullopt;  // has its error already
  if (const auto forms = count_forms(map); forms != 1) {
    add_error(errors, map.value(),
              std::string(forms == 0 ? "has no route" : "has more than one kind of route") +
                  "; expected " + kRouteForms);
    return std::nullopt;
  }
  if (const auto value = map.find("between")) return read_between(*value, population, errors);
  if (const auto value = map.find("mesh")) return read_mesh(*value, population, errors);
  return read_from_to(map, population, errors);
}

std::vector<Route> read_routes(MapReader& flow, const Population& population, ErrorList& errors) {
  std::vector<Route> routes;
  const auto list = flow.find("routes");
  if (!list) {
    if (auto route = read_route(flow, population, errors)) routes.push_back(std::move(*route));
    return routes;
  }
  if (count_forms(flow) != 0) {
    add_error(errors, *list,
              "stands beside a route of the flow itself; expected all of them in this list");
  }
  for (const auto& item : list_items(*list, "a list of routes", errors)) {
    MapReader map(item, kRouteKeys, errors);
    if (auto route = read_route(map, population, errors)) routes.push_back(std::move(*route));
  }
  return routes;
}

/// `deliver` and `target` are one thing in two words: which one stands here says the protocol.
void read_place_keys(const MapReader& map, const Population& population, Flow& flow,
                     ErrorList& errors) {
  const bool udp = flow.protocol == Protocol::kUdp;
  if (const auto value = map.find(udp ? "deliver" : "target")) {
    read_handover(*value, population, flow, errors);
  }
  if (const auto value = map.find(udp ? "target" : "deliver")) {
    add_error(errors, *value,
              udp ? "is where the streams of a TCP flow go; expected deliver in a UDP flow"
                  : "is where the datagrams of a UDP flow go; expected target in a TCP flow");
  }
}

PlacedFlow read_flow(const NamedValue& entry, const Population& population, ErrorList& errors) {
  PlacedFlow placed{{}, entry.key_place, std::nullopt};
  auto& flow = placed.flow;
  flow.name = entry.name;
  MapReader map(entry.value, kFlowKeys, errors);
  if (const auto value = map.require("protocol", "udp")) {
    flow.protocol = read_protocol(*value, errors);
  }
  placed.port = map.require("port", "a number from 1 to 65535");
  if (placed.port) flow.port = read_port(*placed.port, errors).value_or(0);
  flow.routes = read_routes(map, population, errors);
  read_place_keys(map, population, flow, errors);
  if (const auto value = map.find("addressing")) flow.addressing = read_addressing(*value, errors);
  if (const auto value = map.find("p2p")) flow.p2p = read_p2p_switch(*value, errors);
  if (const auto value = map.find("self_join")) {
    flow.self_join = read_self_join(*value, flow, population, errors);
  }
  return placed;
}

Members all_members(const Flow& flow) {
  Members all;
  for (const auto& route : flow.routes) {
    for (const auto* side : {&route.first, &route.second}) {
      Members united;
      std::set_union(all.begin(), all.end(), side->begin(), side->end(),
                     std::back_inserter(united));
      all.swap(united);
    }
  }
  return all;
}

/// Each client has one socket per flow on its own 127.1.0.1:port.
void check_ports(const std::vector<PlacedFlow>& flows, ErrorList& errors) {
  struct Owner {
    const PlacedFlow* placed;
    std::map<std::string, const PlacedFlow*> taken;
  };
  std::map<std::pair<std::uint16_t, std::string>, const PlacedFlow*> owners;
  std::map<std::uint16_t, int> uses;
  for (const auto& placed : flows) ++uses[placed.flow.port];
  for (const auto& placed : flows) {
    const auto port = placed.flow.port;
    if (port == 0 || uses[port] < 2) continue;
    const PlacedFlow* other = nullptr;
    std::string member;
    for (const auto& id : all_members(placed.flow)) {
      const auto [owner, is_new] = owners.try_emplace({port, id}, &placed);
      if (is_new || other != nullptr) continue;
      other = owner->second;
      member = id;
    }
    if (other == nullptr) continue;
    add_error(errors, *placed.port,
              std::to_string(port) + " is also the port of flow " + other->flow.name + " on line " +
                  std::to_string(other->port->node->place.line) + ", and " + member +
                  " is in both; expected another port");
  }
}

std::size_t pairs_of(const Route& route) {
  const auto first = route.first.size();
  switch (route.kind) {
    case Route::Kind::kFromTo:
      return first * route.second.size();
    case Route::Kind::kBetween:
      return 2 * first * route.second.size();
    case Route::Kind::kMesh:
      return first * (first - std::min<std::size_t>(first, 1));
  }
  return 0;
}

void check_pairs(const std::vector<PlacedFlow>& flows, ErrorList& errors) {
  std::size_t pairs = 0;
  for (const auto& placed : flows) {
    for (const auto& route : placed.flow.routes) pairs += pairs_of(route);
    if (pairs <= kMaxPairs) continue;
    errors.add(placed.place, path_of("flows", placed.flow.name),
               "the flows up to here have " + std::to_string(pairs) +
                   " pairs of sender and receiver; expected at most " + std::to_string(kMaxPairs) +
                   " in all");
    return;
  }
}

void check_peers(const std::vector<PlacedFlow>& placed, const std::vector<Flow>& flows,
                 ErrorList& errors) {
  if (!errors.empty()) return;  // routes may be half read
  const auto crowded = find_crowded_client(flows);
  if (!crowded) return;
  const auto at = std::find_if(placed.begin(), placed.end(),
                               [&](const auto& one) { return one.flow.name == crowded->flow; });
  errors.add(at->place, path_of("flows", crowded->flow),
             "client " + crowded->id + " has " + std::to_string(crowded->peers) +
                 " peers in all its flows; expected at most " + std::to_string(kMaxPeersOfClient));
}

}  // namespace

std::vector<Flow> read_flows(const Value& section, const Population& population,
                             ErrorList& errors) {
  std::vector<PlacedFlow> placed;
  for (const auto& entry : named_values(section, "flow", errors)) {
    placed.push_back(read_flow(entry, population, errors));
  }
  if (placed.size() > kMaxFlows) {
    add_error(errors, section,
              "has " + std::to_string(placed.size()) + " flows; expected at most 65535");
  }
  check_ports(placed, errors);
  check_pairs(placed, errors);
  std::vector<Flow> flows;
  flows.reserve(placed.size());
  for (auto& one : placed) flows.push_back(one.flow);
  check_peers(placed, flows, errors);
  return flows;
}

}  // namespace wormhole
