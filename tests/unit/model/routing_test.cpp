#include "wormhole/model/routing.hpp"

#include <gtest/gtest.h>

namespace wormhole {
namespace {

constexpr auto kFromTo = Route::Kind::kFromTo;
constexpr auto kBetween = Route::Kind::kBetween;
constexpr auto kMesh = Route::Kind::kMesh;

Flow flow_of(std::string name, std::vector<Route> routes) {
  Flow flow;
  flow.name = std::move(name);
  flow.port = 5600;
  flow.routes = std::move(routes);
  return flow;
}

Network network_of(std::vector<Route> routes) {
  Network network;
  network.flows.push_back(flow_of("f", std::move(routes)));
  return network;
}

/// All links of the routing as "a>b" (may send), "a<b" (may receive) or "a=b" (both), in order.
std::string links(const Routing& routing) {
  std::string text;
  for (const auto& [id, flows] : routing) {
    for (const auto& flow : flows) {
      for (const auto& [peer, direction] : flow.peers) {
        const char* sign = direction == Direction::kBoth ? "=" : may_send(direction) ? ">" : "<";
        text += (text.empty() ? "" : " ") + id + sign + peer;
      }
    }
  }
  return text;
}

struct Case {
  const char* name;
  std::vector<Route> routes;
  const char* expected;
};

TEST(Routing, ResolvesEveryShapeOfRoute) {
  const Case cases[] = {
      {"1:1", {{kFromTo, {"d"}, {"g"}}}, "d>g g<d"},
      {"1:N", {{kFromTo, {"d"}, {"g", "h"}}}, "d>g d>h g<d h<d"},
      {"N:1", {{kFromTo, {"c", "d"}, {"g"}}}, "c>g d>g g<c g<d"},
      {"N:N", {{kFromTo, {"c", "d"}, {"g", "h"}}}, "c>g c>h d>g d>h g<c g<d h<c h<d"},
      {"between: nobody within a side hears each other",
       {{kBetween, {"c", "d"}, {"g", "h"}}},
       "c=g c=h d=g d=h g=c g=d h=c h=d"},
      {"mesh", {{kMesh, {"a", "b", "c"}, {}}}, "a=b a=c b=a b=c c=a c=b"},
      {"two one-way routes become both ways",
       {{kFromTo, {"a"}, {"b"}}, {kFromTo, {"b"}, {"a"}}},
       "a=b b=a"},
      {"the same route twice changes nothing",
       {{kFromTo, {"a"}, {"b"}}, {kFromTo, {"a"}, {"b"}}},
       "a>b b<a"},
      {"several routes are united",
       {{kFromTo, {"d"}, {"g"}}, {kBetween, {"d"}, {"h"}}, {kMesh, {"g", "h"}, {}}},
       "d>g d=h g<d g=h h=d h=g"},
      {"one-way after both ways takes nothing away",
       {{kBetween, {"a"}, {"b"}}, {kFromTo, {"a"}, {"b"}}},
       "a=b b=a"},
      {"overlapping sides of from/to",
       {{kFromTo, {"a", "b"}, {"b", "c"}}},
       "a>b a>c b<a b>c c<a c<b"},
      {"overlapping sides of between", {{kBetween, {"a", "b"}, {"b"}}}, "a=b b=a"},
      {"same sides: everybody is on both, nobody its own peer",
       {{kFromTo, {"a", "b"}, {"a", "b"}}},
       "a=b b=a"},
      {"alone in a mesh: no peers, no entry", {{kMesh, {"a"}, {}}}, ""},
      {"to itself only: no peers, no entry", {{kFromTo, {"a"}, {"a"}}}, ""},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(links(resolve(network_of(c.routes))), c.expected) << c.name;
  }
}

TEST(Routing, KeepsTheFilesOrderOfFlowsAndPointsIntoTheNetwork) {
  Network network;
  network.flows.push_back(flow_of("zulu", {{kFromTo, {"a"}, {"b"}}}));
  network.flows.push_back(flow_of("other", {{kFromTo, {"c"}, {"b"}}}));
  network.flows.push_back(flow_of("alpha", {{kFromTo, {"b"}, {"a"}}}));
  const auto routing = resolve(network);
  ASSERT_EQ(routing.at("a").size(), 2U);
  EXPECT_EQ(routing.at("a")[0].flow, &network.flows[0]);
  EXPECT_EQ(routing.at("a")[1].flow, &network.flows[2]);
  EXPECT_EQ(routing.at("b").size(), 3U);
  EXPECT_EQ(routing.at("c").size(), 1U);
}

TEST(Routing, TheFirstRouteThatNamesAMemberSaysWhichSideItIsOn) {
  const auto flow = flow_of("f", {{kFromTo, {"a", "b"}, {"b", "c"}},
                                  {kBetween, {"c", "d"}, {"a", "e"}},
                                  {kMesh, {"a", "f", "g", "h"}, {}}});
  for (const char* id : {"a", "b", "d", "g"}) EXPECT_TRUE(is_on_first_side(flow, id)) << id;
  for (const char* id : {"c", "e", "f", "h", "x"}) EXPECT_FALSE(is_on_first_side(flow, id)) << id;
}

TEST(Flow, GivesADeliverPerIdBeforeTheCommonOne) {
  Flow flow;
  flow.deliver = {Deliver::Kind::kNone, {}};
  flow.deliver_for["g"] = {Deliver::Kind::kEndpoint, *Endpoint::parse("127.0.0.1:5600")};
  EXPECT_EQ(flow.deliver_of("g").endpoint.to_string(), "127.0.0.1:5600");
  EXPECT_EQ(flow.deliver_of("h").kind, Deliver::Kind::kNone);
}

TEST(Network, FindsClientsById) {
  Network network;
  network.clients = {{"drone3", std::nullopt}, {"gcs4", std::nullopt}};
  ASSERT_NE(network.find_client("gcs4"), nullptr);
  EXPECT_EQ(network.find_client("gcs4")->id, "gcs4");
  EXPECT_EQ(network.find_client("gcs"), nullptr);
}

}  // namespace
}  // namespace wormhole
