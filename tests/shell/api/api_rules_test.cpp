#include <gtest/gtest.h>

#include "api/http_rules.hpp"

namespace wormhole {
namespace {

TEST(ApiRules, OnlyLoopbackNamesAreLocal) {
  for (const char* host :
       {"localhost", "localhost:7781", "127.0.0.1", "127.1.0.2:7781", "[::1]", "[::1]:7781"}) {
    EXPECT_TRUE(HostNames().allows(host)) << host;
  }
  for (const char* host : {"", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example",
                           "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:99999", "10.0.0.1", "[::2]:7781",
                           "[", "[]:1", "localhost:1:2", "0.0.0.0:7781"}) {
    EXPECT_FALSE(HostNames().allows(host)) << host;
  }
}

TEST(ApiRules, NamesOfTheConfigurationAreLocalToo) {
  const HostNames hosts({"Relay.example.org", "198.51.100.10", "2001:db8::10"});
  for (const char* host : {"relay.example.org", "RELAY.Example.ORG.:7780", "198.51.100.10:7780",
                           "[2001:db8::10]:7780", "[2001:DB8:0::10]", "localhost", "127.0.0.1"}) {
    EXPECT_TRUE(hosts.allows(host)) << host;
  }
  for (const char* host : {"relay.example.org.evil.example", "198.51.100.11", "example.org", ""}) {
    EXPECT_FALSE(hosts.allows(host)) << host;
  }
}

HttpResponse ask(const HttpHandler& handler, const char* method, const char* path) {
  HttpResponse out;
  handler({method, path, ""}, [&out](HttpResponse response) { out = std::move(response); });
  return out;
}

TEST(ApiRules, RoutesByPathAndMethod) {
  const auto say = [](const char* what) {
    return [what](const HttpRequest&, const HttpReply& reply) {
      reply({200, what, "text/plain", {}});
    };
  };
  const HttpHandler handler =
      route({{"GET", "/a", say("get")}, {"POST", "/a", say("post")}, {"GET", "/b", say("b")}});
  EXPECT_EQ(ask(handler, "POST", "/a").body, "post");
  EXPECT_EQ(ask(handler, "GET", "/b").body, "b");
  const HttpResponse method = ask(handler, "DELETE", "/a");
  EXPECT_EQ(method.status, 405U);
  EXPECT_EQ(method.field("Allow"), "GET, POST");
  EXPECT_EQ(ask(handler, "GET", "/c").status, 404U);
}

TEST(ApiRules, ProblemIsRfc9457) {
  const HttpResponse response = problem(404, "There is nothing at \"/x\".");
  EXPECT_EQ(response.content_type, "application/problem+json");
  EXPECT_EQ(response.body, R"({"type":"about:blank","title":"Not Found","status":404,)"
                           R"("detail":"There is nothing at \"/x\"."})");
}

}  // namespace
}  // namespace wormhole
