#include <algorithm>
#include <array>
#include <limits>
#include <optional>
#include <utility>

#include "config/flow_options.hpp"
#include "config/impair_limit.hpp"
#include "config/key_path.hpp"
#include "config/peer_limit.hpp"
#include "config/sections.hpp"

namespace wormhole {
namespace {

constexpr std::array<std::string_view, 19> kFlowKeys{
    "protocol", "port",     "from",       "to",     "between",     "mesh",           "routes",
    "deliver",  "target",   "addressing", "fanout", "copy_buffer", "proxy_protocol", "self_join",
    "p2p",      "priority", "max_age",    "rate",   "impair"};
constexpr std::array<std::string_view, 5> kRouteKeys{"from", "to", "between", "mesh", "impair"};
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
  constexpr auto kExpected = "udp or tcp";
  const auto text = read_text(value, kExpected, errors);
  if (!text || *text == "udp") return Protocol::kUdp;
  if (*text == "tcp") return Protocol::kTcp;
  add_error(errors, value, quoted(*text) + " is not a protocol; expected " + kExpected);
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

/// Who may be dialled, in the order in which the routes name them.
void append_preference(const MapReader& map, const Population& population, Members& preference) {
  const auto append = [&](const Value& selector) {
    for (auto& id : population.in_order(selector)) {
      if (std::find(preference.begin(), preference.end(), id) == preference.end()) {
        preference.push_back(std::move(id));
      }
    }
  };
  for (const auto* side : {"to", "from", "mesh"}) {
    if (const auto value = map.find(side)) append(*value);
  }
  const auto between = map.find("between");
  if (!between || !between->is(YamlNode::Kind::kList)) return;
  for (const auto& side : between->node->children) append({&side, between->path});
}

Members read_preference(const MapReader& flow, const Population& population) {
  Members preference;
  append_preference(flow, population, preference);
  const auto list = flow.find("routes");
  if (!list || !list->is(YamlNode::Kind::kList)) return preference;
  for (const auto& node : list->node->children) {
    const Value item{&node, list->path};
    if (!item.is(YamlNode::Kind::kMap)) continue;
    ErrorList known("");  // these have been told
    append_preference(MapReader(item, kRouteKeys, known), population, preference);
  }
  return preference;
}

bool has_back(const Route& route) { return route.kind == Route::Kind::kBetween; }

/// `impair` of the flow, and of the entries of its `routes`.
void read_impairments(const MapReader& map, const ImpairProfiles& profiles, Flow& flow,
                      ErrorList& errors) {
  const auto read = [&](const Value& value, bool back) {
    if (flow.protocol == Protocol::kUdp) return profiles.read(value, back, errors);
    add_error(errors, value, "impairs datagrams, and this is a TCP flow; expected protocol: udp");
    return Impairment{};
  };
  const auto& routes = flow.routes;
  if (const auto value = map.find("impair")) {
    // Where no route could be read, what it says of the way back is not what is wrong.
    const bool back = routes.empty() || std::any_of(routes.begin(), routes.end(), has_back);
    flow.impair = read(*value, back);
  }
  const auto list = map.find("routes");
  if (!list || !list->is(YamlNode::Kind::kList)) return;
  const auto& items = list->node->children;
  for (std::size_t i = 0; i < items.size(); ++i) {
    ErrorList known("");  // these have been told
    const MapReader item({&items[i], path_of(list->path, i)}, kRouteKeys, known);
    const auto value = item.find("impair");
    if (!value) continue;
    // Each item that was read is a route; where one was not, there is no network anyway.
    const bool whole = routes.size() == items.size();
    const auto impair = read(*value, !whole || has_back(routes[i]));
    if (whole) flow.routes[i].impair = impair;
  }
}

PlacedFlow read_flow(const NamedValue& entry, const Population& population,
                     const ImpairProfiles& profiles, ErrorList& errors) {
  PlacedFlow placed{{}, entry.key_place, std::nullopt};
  auto& flow = placed.flow;
  flow.name = entry.name;
  MapReader map(entry.value, kFlowKeys, errors);
  if (const auto value = map.require("protocol", "udp or tcp")) {
    flow.protocol = read_protocol(*value, errors);
  }
  placed.port = map.require("port", "a number from 1 to 65535");
  if (placed.port) flow.port = read_port(*placed.port, errors).value_or(0);
  flow.routes = read_routes(map, population, errors);
  read_protocol_options(map, population, flow, errors);
  if (flow.protocol == Protocol::kTcp) {
    flow.preference = read_preference(map, population);
  }
  read_shaping(map, flow, errors);
  if (const auto value = map.find("addressing")) flow.addressing = read_addressing(*value, errors);
  if (const auto value = map.find("p2p")) flow.p2p = read_switch(*value, errors);
  read_impairments(map, profiles, flow, errors);
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
  using Port = std::pair<Protocol, std::uint16_t>;
  std::map<std::pair<Port, std::string>, const PlacedFlow*> owners;
  std::map<Port, int> uses;
  for (const auto& placed : flows) ++uses[{placed.flow.protocol, placed.flow.port}];
  for (const auto& placed : flows) {
    const Port port{placed.flow.protocol, placed.flow.port};
    if (port.second == 0 || uses[port] < 2) continue;
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
              std::to_string(port.second) + " is also the port of flow " + other->flow.name +
                  " on line " + std::to_string(other->port->node->place.line) + ", and " + member +
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
                             const ImpairProfiles& profiles, ErrorList& errors) {
  std::vector<PlacedFlow> placed;
  for (const auto& entry : named_values(section, "flow", errors)) {
    placed.push_back(read_flow(entry, population, profiles, errors));
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
  if (auto excess = excess_of_impairments(flows); !excess.empty()) {
    add_error(errors, section, std::move(excess));
  }
  return flows;
}

}  // namespace wormhole
