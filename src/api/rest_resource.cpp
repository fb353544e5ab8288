#include "rest_resource.hpp"

#include <algorithm>
#include <array>
#include <boost/json.hpp>

#include "wormhole/crypto/keys.hpp"

namespace wormhole {

namespace json = boost::json;

namespace {

const json::value* member(const json::value* of, std::string_view key) {
  const json::object* object = of == nullptr ? nullptr : of->if_object();
  return object == nullptr ? nullptr : object->if_contains(key);
}

/// `drone3:` is short for `drone3: {}`, and a section without entries for an empty one.
const json::value& or_empty(const json::value* value) {
  static const json::value kEmpty(json::object_kind);
  return value == nullptr || value->is_null() ? kEmpty : *value;
}

}  // namespace

Resource whole_document() {
  return [](const RoutesDocument& document) {
    return std::optional<std::string>(json::serialize(document.json));
  };
}

Resource section(std::string name) {
  return [name = std::move(name)](const RoutesDocument& document) {
    return std::optional<std::string>(json::serialize(or_empty(member(&document.json, name))));
  };
}

Resource entry(std::string section, std::string name) {
  return [section = std::move(section),
          name = std::move(name)](const RoutesDocument& document) -> std::optional<std::string> {
    const json::value* value = member(member(&document.json, section), name);
    if (value == nullptr) return std::nullopt;
    return json::serialize(section == "clients" ? or_empty(value) : *value);
  };
}

Resource routes_of(std::string flow) {
  return [flow = std::move(flow)](const RoutesDocument& document) -> std::optional<std::string> {
    const json::object* value = flow_value(document, flow);
    if (value == nullptr) return std::nullopt;
    return json::serialize(route_values(*value));
  };
}

Resource route_of(std::string flow, std::size_t position) {
  return [flow = std::move(flow),
          position](const RoutesDocument& document) -> std::optional<std::string> {
    const json::object* value = flow_value(document, flow);
    if (value == nullptr) return std::nullopt;
    const json::array routes = route_values(*value);
    if (position >= routes.size()) return std::nullopt;
    return json::serialize(routes[position]);
  };
}

const json::object* flow_value(const RoutesDocument& document, std::string_view flow) {
  const json::value* value = member(member(&document.json, "flows"), flow);
  return value == nullptr ? nullptr : value->if_object();
}

bool is_route_key(std::string_view key) {
  constexpr std::array<std::string_view, 4> kKeys{"from", "to", "between", "mesh"};
  return std::find(kKeys.begin(), kKeys.end(), key) != kKeys.end();
}

json::array route_values(const json::object& flow) {
  if (const json::value* routes = flow.if_contains("routes")) {
    return routes->is_array() ? routes->get_array() : json::array();
  }
  json::object route;
  for (const auto& [key, value] : flow) {
    if (is_route_key(key)) route[key] = value;
  }
  return {std::move(route)};
}

std::string etag_of(std::string_view representation) {
  std::array<std::uint8_t, 16> hash{};  // two in 2^64 representations would be alike
  blake2b(hash, {}, {as_bytes(representation)});
  return '"' + base64url_encode(hash) + '"';
}

}  // namespace wormhole
