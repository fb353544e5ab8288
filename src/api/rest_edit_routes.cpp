// Edits of one route of a flow. A flow has its one route in itself, or a list of `routes`.
#include <boost/json.hpp>

#include "problem.hpp"
#include "rest_edit.hpp"

namespace wormhole {

namespace json = boost::json;
using Action = EditValue::Action;

namespace {

/// The place in a flow that a request is about.
struct RoutePlace {
  std::string flow;
  std::size_t position = 0;
  const json::object* value = nullptr;  ///< of the flow

  bool in_list() const { return value->contains("routes"); }
  std::string location() const {
    return "/v1/flows/" + flow + "/routes/" + std::to_string(position);
  }
  /// Of this route. Positions mean the list as it was read.
  RestEdit edit(EditValue what) const {
    const Resource route = route_of(flow, position);
    return {std::move(what), route, route, location(), routes_of(flow)};
  }
  RestEdit append(EditValue what) const {
    const Resource list = routes_of(flow);
    return {std::move(what), list, route_of(flow, position), location(), list};
  }
};

using PlaceOrRefusal = boost::system::result<RoutePlace, HttpResponse>;

PlaceOrRefusal flow_place(const EditRequest& request) {
  const std::string& flow = request.names.front();
  const json::object* value = flow_value(request.document, flow);
  if (value == nullptr) return problem(404, "There is no flow " + flow + ".");
  return RoutePlace{flow, route_values(*value).size(), value};
}

/// The place of a route that is there.
PlaceOrRefusal route_place(const EditRequest& request) {
  auto place = flow_place(request);
  if (!place) return place;
  const std::size_t count = place->position;
  const auto position = parse_count(request.names[1]);
  if (!position || *position >= count) {
    return problem(404, "Flow " + place->flow + " has no route " + request.names[1] + "; it has " +
                            std::to_string(count) + ", counted from 0.");
  }
  place->position = *position;
  return place;
}

/// A map of from and to, between, or mesh; the rest is for the file's own check.
boost::system::result<json::object, HttpResponse> read_route(const EditRequest& request,
                                                             const RoutePlace& place) {
  auto value = read_json(request.http, false);
  if (!value) return value.error();
  constexpr auto kExpected = "expected from and to, between, or mesh";
  const std::string field =
      "flows." + place.flow + ".routes[" + std::to_string(place.position) + "]";
  json::object* route = value->if_object();
  if (route == nullptr) return field_problem(field, std::string("is not a map; ") + kExpected);
  for (const auto& member : *route) {
    const std::string key(member.key());
    if (!is_route_key(key)) {
      return field_problem(field + "." + key, std::string("unknown key; ") + kExpected);
    }
  }
  return std::move(*route);
}

/// A merge patch that takes the flow's own route away.
json::object without_own_route(const json::object& flow) {
  json::object patch;
  for (const auto& member : flow) {
    if (is_route_key(member.key())) patch[member.key()] = nullptr;
  }
  return patch;
}

}  // namespace

EditOrRefusal post_route(const EditRequest& request) {
  const auto place = flow_place(request);
  if (!place) return place.error();
  auto route = read_route(request, *place);
  if (!route) return route.error();
  if (place->in_list()) {
    return place->append({Action::kPut, {"flows", place->flow, "routes", "-"}, std::move(*route)});
  }
  json::object patch = without_own_route(*place->value);
  json::array routes = route_values(*place->value);
  routes.push_back(std::move(*route));
  patch["routes"] = std::move(routes);
  return place->append({Action::kMerge, {"flows", place->flow}, std::move(patch)});
}

EditOrRefusal put_route(const EditRequest& request) {
  const auto place = route_place(request);
  if (!place) return place.error();
  auto route = read_route(request, *place);
  if (!route) return route.error();
  if (place->in_list()) {
    const std::string position = std::to_string(place->position);
    return place->edit(
        {Action::kPut, {"flows", place->flow, "routes", position}, std::move(*route)});
  }
  json::object patch = without_own_route(*place->value);
  for (const auto& member : *route) patch[member.key()] = member.value();
  return place->edit({Action::kMerge, {"flows", place->flow}, std::move(patch)});
}

EditOrRefusal remove_route(const EditRequest& request) {
  const auto place = route_place(request);
  if (!place) return place.error();
  if (route_values(*place->value).size() == 1) {
    return problem(409, "This is the only route of flow " + place->flow +
                            ", and a flow needs one: remove the flow, or PUT another route here.");
  }
  const std::string position = std::to_string(place->position);
  return place->edit({Action::kRemove, {"flows", place->flow, "routes", position}, {}});
}

}  // namespace wormhole
