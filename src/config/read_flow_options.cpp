// What a flow has beside its routes: where data is handed over, addressing, who may join by itself.
#include <algorithm>

#include "config/flow_options.hpp"
#include "config/key_path.hpp"

namespace wormhole {
namespace {

std::optional<Deliver> read_place(const Value& value, bool may_be_none, ErrorList& errors) {
  const std::string expected = may_be_none ? "an address and port like 127.0.0.1:5600, or none"
                                           : "an address and port like 127.0.0.1:22";
  const auto text = read_text(value, expected, errors);
  if (!text) return std::nullopt;
  if (may_be_none && *text == "none") return Deliver{Deliver::Kind::kNone, {}};
  const auto endpoint = Endpoint::parse(*text);
  if (endpoint && endpoint->is_set() && !endpoint->address.is_unspecified()) {
    return Deliver{Deliver::Kind::kEndpoint, *endpoint};
  }
  add_error(errors, value,
            quoted(*text) + " is not where an application can be reached; expected " + expected);
  return std::nullopt;
}

bool has(const Members& members, const std::string& id) {
  return std::binary_search(members.begin(), members.end(), id);
}

bool receives(const Flow& flow, const std::string& id) {
  return std::any_of(flow.routes.begin(), flow.routes.end(), [&id](const Route& route) {
    return has(route.second, id) || (route.kind != Route::Kind::kFromTo && has(route.first, id));
  });
}

void read_places_by_id(const Value& value, bool may_be_none, const Population& population,
                       Flow& flow, ErrorList& errors) {
  for (const auto& entry : named_values(value, "client", errors)) {
    const auto place = read_place(entry.value, may_be_none, errors);
    if (place) flow.deliver_for[entry.name] = *place;
    if (!population.has_id(entry.name)) {
      const auto near_miss = errors.full() ? "" : population.suggest(entry.name, false);
      errors.add(entry.key_place, entry.value.path,
                 "no client has this ID" + near_miss + "; expected one that receives here");
    } else if (!flow.routes.empty() && !receives(flow, entry.name)) {
      errors.add(entry.key_place, entry.value.path,
                 "receives nothing in this flow; expected a client that does");
    }
  }
}

/// The words of the sides that the flow's routes have, for an error: "from or to".
std::string sides_of(const Flow& flow) {
  std::vector<std::string> names;
  for (const auto side : {Side::kFrom, Side::kTo, Side::kFirst, Side::kSecond, Side::kMesh}) {
    const bool any = std::any_of(flow.routes.begin(), flow.routes.end(),
                                 [side](const Route& r) { return has_side(r.kind, side); });
    if (any) names.emplace_back(side_name(side));
  }
  std::string text;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) text += i + 1 == names.size() ? " or " : ", ";
    text += names[i];
  }
  return text;
}

}  // namespace

void read_handover(const Value& value, const Population& population, Flow& flow,
                   ErrorList& errors) {
  const bool may_be_none = flow.protocol == Protocol::kUdp;
  if (value.is(YamlNode::Kind::kMap)) {
    read_places_by_id(value, may_be_none, population, flow, errors);
  } else if (const auto place = read_place(value, may_be_none, errors)) {
    flow.deliver = *place;
  }
}

Addressing read_addressing(const Value& value, ErrorList& errors) {
  constexpr auto kExpected = "shared or per-peer";
  const auto text = read_text(value, kExpected, errors);
  if (!text || *text == "shared") return Addressing::kShared;
  if (*text == "per-peer") return Addressing::kPerPeer;
  add_error(errors, value, quoted(*text) + " is not an addressing; expected " + kExpected);
  return Addressing::kShared;
}

std::map<Side, Members> read_self_join(const Value& value, const Flow& flow,
                                       const Population& population, ErrorList& errors) {
  std::map<Side, Members> result;
  for (const auto& entry : named_values(value, "side", errors)) {
    const auto side = side_named(entry.name);
    const auto count =
        std::count_if(flow.routes.begin(), flow.routes.end(),
                      [&](const Route& route) { return side && has_side(route.kind, *side); });
    if (!flow.routes.empty() && count == 0) {
      errors.add(entry.key_place, entry.value.path,
                 "not a side of this flow; expected " + sides_of(flow));
    } else if (count > 1) {
      errors.add(entry.key_place, entry.value.path,
                 "several routes of this flow have it, so that joining it would be ambiguous; "
                 "expected a side that one route has");
    }
    auto members = population.select(entry.value, errors);
    if (side) result.emplace(*side, std::move(members));
  }
  return result;
}

}  // namespace wormhole
