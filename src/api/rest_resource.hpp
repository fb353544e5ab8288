// What of routes.yaml has an address: pure functions of a document.
#pragma once

#include <boost/json/value.hpp>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "wormhole/config/routes_document.hpp"

namespace wormhole {

/// The JSON text of something in a document; nothing when the document does not have it. It owns
/// what it needs, so that another thread may ask it later.
using Resource = std::function<std::optional<std::string>(const RoutesDocument&)>;

Resource whole_document();
/// "clients", "groups" or "flows": name → value.
Resource section(std::string name);
/// One value of a section.
Resource entry(std::string section, std::string name);
/// The routes of a flow as a list, also when the flow has its one route in itself.
Resource routes_of(std::string flow);
Resource route_of(std::string flow, std::size_t position);
/// Who is in the flow, or the places of one `id`: {"id", "side", "via", "route"}. "via" is the
/// selector that puts the ID there, when it does not stand there itself; "route" the position when
/// the flow has several.
Resource members_of(std::string flow, std::optional<std::string> id = {});

/// A flow's value, or nothing.
const boost::json::object* flow_value(const RoutesDocument& document, std::string_view flow);
/// A route is these keys of a flow or of an entry of its `routes`.
bool is_route_key(std::string_view key);
/// The flow's routes as values; one for a flow that has no `routes`.
boost::json::array route_values(const boost::json::object& flow);

/// A strong entity tag (RFC 9110 8.8.3) of a representation, with its quotes.
std::string etag_of(std::string_view representation);

}  // namespace wormhole
