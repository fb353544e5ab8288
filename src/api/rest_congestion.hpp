// GET /v1/congestion of the server.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "wormhole/api/http_server.hpp"
#include "wormhole/server/server.hpp"

namespace wormhole {

/// States in one answer: writing so many takes some 10 ms, in which no packet is relayed.
inline constexpr std::size_t kMostLinkStates = 10'000;

/// `links`: see Server::links; `known`: whether there is a client of this ID.
HttpResponse get_congestion(
    const HttpRequest& request,
    const std::function<std::vector<ClientLinks>(const std::string& id, bool history)>& links,
    const std::function<bool(const std::string& id)>& known);

}  // namespace wormhole
