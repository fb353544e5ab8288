// Who is in a flow, and what in the file puts it there.
#include <algorithm>
#include <boost/json.hpp>
#include <functional>
#include <set>
#include <vector>

#include "rest_resource.hpp"
#include "wormhole/config/glob.hpp"

namespace wormhole {

namespace json = boost::json;

namespace {

std::string_view text_of(const json::value& value) {
  const json::string* text = value.if_string();
  return text == nullptr ? std::string_view() : std::string_view(text->data(), text->size());
}

/// A selector is an item or a list of them.
std::vector<std::string_view> items_of(const json::value& selector) {
  const json::array* list = selector.if_array();
  if (list == nullptr) return {text_of(selector)};
  std::vector<std::string_view> items;
  for (const json::value& item : *list) items.push_back(text_of(item));
  return items;
}

/// Says of the members of one side by which item of its selector they are there.
class Selection {
 public:
  Selection(const json::value& selector, const Network& network) : network_(network) {
    for (const std::string_view item : items_of(selector)) {
      if (network.groups.contains(std::string(item)) || item.find_first_of("*?") != item.npos) {
        wide_.push_back(item);
      } else {
        literal_.insert(item);
      }
    }
  }
  /// Empty when the ID stands there itself.
  std::string_view via(const std::string& id) const {
    if (literal_.contains(id)) return {};
    for (const std::string_view item : wide_) {
      const auto group = network_.groups.find(std::string(item));
      const bool fits = group == network_.groups.end()
                            ? glob_matches(item, id)
                            : std::binary_search(group->second.begin(), group->second.end(), id);
      if (fits) return item;
    }
    return {};
  }

 private:
  const Network& network_;
  std::set<std::string_view> literal_;
  std::vector<std::string_view> wide_;
};

struct RouteSide {
  Side side;
  const Members& members;
  const json::value& selector;
};

const json::value& at(const json::object& route, std::string_view key) {
  static const json::value kNone;
  const json::value* value = route.if_contains(key);
  return value == nullptr ? kNone : *value;
}

/// One of the two lists of `between`.
const json::value& side_of_between(const json::object& route, std::size_t position) {
  static const json::value kNone;
  const json::array* sides = at(route, "between").if_array();
  return sides == nullptr || sides->size() <= position ? kNone : (*sides)[position];
}

std::vector<RouteSide> sides_of(const Route& route, const json::object& value) {
  switch (route.kind) {
    case Route::Kind::kFromTo:
      return {{Side::kFrom, route.first, at(value, "from")},
              {Side::kTo, route.second, at(value, "to")}};
    case Route::Kind::kBetween:
      return {{Side::kFirst, route.first, side_of_between(value, 0)},
              {Side::kSecond, route.second, side_of_between(value, 1)}};
    case Route::Kind::kMesh:
      return {{Side::kMesh, route.first, at(value, "mesh")}};
  }
  return {};
}

/// The entries of one side; only `id` when it is given.
void append_side(json::array& out, const RouteSide& side, const Network& network,
                 const std::optional<std::string>& id, std::optional<std::size_t> route) {
  const Selection selection(side.selector, network);
  const auto append = [&](const std::string& member) {
    json::object entry{{"id", member}, {"side", std::string(side_name(side.side))}};
    if (const auto via = selection.via(member); !via.empty()) entry["via"] = std::string(via);
    if (route) entry["route"] = *route;
    out.push_back(std::move(entry));
  };
  if (!id) {
    std::for_each(side.members.begin(), side.members.end(), append);
  } else if (std::binary_search(side.members.begin(), side.members.end(), *id)) {
    append(*id);
  }
}

const Flow* find_flow(const Network& network, std::string_view name) {
  const auto found = std::find_if(network.flows.begin(), network.flows.end(),
                                  [name](const Flow& flow) { return flow.name == name; });
  return found == network.flows.end() ? nullptr : &*found;
}

json::array members_json(const Flow& flow, const json::array& values, const Network& network,
                         const std::optional<std::string>& id) {
  json::array out;
  const std::size_t count = std::min(flow.routes.size(), values.size());
  for (std::size_t i = 0; i < count; ++i) {
    const json::object* value = values[i].if_object();
    if (value == nullptr) continue;
    const auto position = count > 1 ? std::optional(i) : std::nullopt;
    for (const RouteSide& side : sides_of(flow.routes[i], *value)) {
      append_side(out, side, network, id, position);
    }
  }
  return out;
}

}  // namespace

Resource members_of(std::string flow, std::optional<std::string> id) {
  return [flow = std::move(flow),
          id = std::move(id)](const RoutesDocument& document) -> std::optional<std::string> {
    const Flow* found = find_flow(document.network, flow);
    const json::object* value = flow_value(document, flow);
    if (found == nullptr || value == nullptr) return std::nullopt;
    const json::array members = members_json(*found, route_values(*value), document.network, id);
    if (id && members.empty()) return std::nullopt;
    return json::serialize(members);
  };
}

}  // namespace wormhole
