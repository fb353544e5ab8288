// Requests to the REST API's handler, without sockets.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "shell/api/memory_routes.hpp"

namespace wormhole::test {

/// Two drones, three ground stations, a group, a one-way flow and one with several routes.
inline constexpr auto kFleet = R"(server:
  addresses: [198.51.100.10]
clients:
  drone3:
  drone7: {}
  gcs4: {}
  gcs5: {}
  gcs6: {}
groups:
  ground: [gcs4, gcs5]
flows:
  video:
    protocol: udp
    port: 5600
    from: [drone3]
    to: [ground, gcs6]
  telemetry:
    protocol: udp
    port: 9000
    routes:
      - mesh: ["drone*"]
      - {from: "drone*", to: ground}
)";

class RestTest : public testing::Test {
 protected:
  explicit RestTest(const std::string& text = kFleet) : routes(text) {}

  HttpResponse call(const HttpRequest& request) {
    HttpResponse out{0, ""};
    api(request, [&out](HttpResponse response) { out = std::move(response); });
    return out;
  }
  HttpResponse get(const std::string& path, const std::string& query = "") {
    return call({"GET", path, "", query});
  }
  HttpResponse send(const std::string& method, const std::string& path, const std::string& body,
                    const std::string& if_match = "", const std::string& if_none_match = "") {
    return call({method, path, body, "", "application/json", "", if_match, if_none_match});
  }
  static std::string etag(const HttpResponse& response) {
    return std::string(response.field("ETag"));
  }

  MemoryRoutes routes;
  TokenList tokens;
  HttpHandler api =
      rest_api(routes.admin(), {[this]() -> const TokenList& { return tokens; }, true});
};

}  // namespace wormhole::test
