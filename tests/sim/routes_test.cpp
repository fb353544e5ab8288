// Who hears whom: master/slave routing, routes that change under traffic, clients that join by
// themselves.
#include <set>

#include "sim/seeds.hpp"
#include "sim/stage.hpp"

namespace wormhole::sim {
namespace {

const std::vector<std::string> kFleet{"drone3", "drone7", "gcs4", "gcs5"};

StageOptions fleet() {
  StageOptions options;
  options.clients = kFleet;
  return options;
}

/// Who got a datagram that `from` sends on `flow` now.
std::set<std::string> hears(Stage& stage, const std::string& from, const std::string& flow) {
  const auto number = stage.client(from).send(flow, 100);
  if (!number) return {"(no port)"};
  stage.world.run_for(1s);
  std::set<std::string> who;
  for (const auto& delivery : stage.world.ledger().records().at(*number).deliveries) {
    who.insert(delivery.id);
  }
  return who;
}

TEST(SimRoutes, BetweenLetsMastersAndSlavesHearTheOtherSideAndNobodyOfTheirOwn) {
  for_each_seed(20, [](World& world) {
    Stage stage(world, fleet());
    ASSERT_TRUE(stage.start());
    const std::set<std::string> drones{"drone3", "drone7"};
    const std::set<std::string> ground{"gcs4", "gcs5"};
    for (const auto& id : kFleet) {
      EXPECT_EQ(hears(stage, id, "mavlink"), drones.contains(id) ? ground : drones) << id;
    }
  });
}

/// The stage with video's receivers as they are given, and who may join and leave by itself.
wormhole::Network with_video_to(const Stage& stage, Members receivers, Members may_join) {
  auto network = stage.network;
  network.flows.at(1).routes.at(0).second = std::move(receivers);
  network.flows.at(1).self_join[Side::kTo] = std::move(may_join);
  return network;
}

TEST(SimRoutes, AChangeElsewhereLosesNothing) {
  for_each_seed(50, [](World& world) {
    Stage stage(world, fleet());
    ASSERT_TRUE(stage.start());
    stage.both_ways(5ms);
    ASSERT_TRUE(stage.until_both_ways(10s));
    const auto since = world.now();
    for (int change = 0; change < 10; ++change) {
      auto network = with_video_to(stage, change % 2 == 0 ? Members{"gcs5"} : Members{"gcs4"}, {});
      world.ledger().set_network(network, world.now());
      stage.server().set_network(network);
      world.run_for(200ms);
    }
    stage.stop_traffic();
    const auto until = world.now();
    world.run_for(1s);
    for (const char* id : {"drone3", "gcs4"}) {
      EXPECT_EQ(world.ledger().delivered(id, "mavlink", since, until),
                world.ledger().sent(id, "mavlink", since, until));
    }
  });
}

struct SelfJoin : Stage {
  explicit SelfJoin(World& of) : Stage(of, fleet()) {}
  void let_join(const Members& who) {
    const auto changed = with_video_to(*this, {"gcs4"}, who);
    world.ledger().set_network(changed, world.now());
    server().set_network(changed);
    world.run_for(1s);
  }
  /// The answer; "done" when there was no error.
  std::string ask(const std::string& id, const MembershipChange& change) {
    auto& node = client(id);
    node.answered.clear();
    node.change_membership(change);
    world.run_for(2s);
    if (node.answered.size() != 1) return std::to_string(node.answered.size()) + " answers";
    return node.answered[0].error.value_or("done");
  }
};

TEST(SimRoutes, AClientJoinsAndLeavesAsSelfJoinLetsIt) {
  for_each_seed(50, [](World& world) {
    SelfJoin stage(world);
    ASSERT_TRUE(stage.start());
    stage.let_join({"gcs5"});
    const auto offers = stage.client("gcs5").status().offers;
    ASSERT_EQ(offers.size(), 1U);
    EXPECT_EQ(offers[0].flow, "video");
    EXPECT_EQ(offers[0].sides, std::vector{Side::kTo});
    EXPECT_TRUE(offers[0].joined.empty());
    EXPECT_EQ(stage.ask("gcs5", {"video", std::nullopt, true}), "done");
    EXPECT_EQ(stage.client("gcs5").status().offers.at(0).joined, std::vector{Side::kTo});
    EXPECT_EQ(hears(stage, "drone3", "video"), (std::set<std::string>{"gcs4", "gcs5"}));
    EXPECT_EQ(stage.ask("gcs5", {"video", Side::kTo, true}), "done") << "again";
    EXPECT_EQ(stage.ask("gcs5", {"video", Side::kTo, false}), "done");
    EXPECT_EQ(hears(stage, "drone3", "video"), std::set<std::string>{"gcs4"});
  });
}

TEST(SimRoutes, AJoinThatIsNotAllowedSaysWhy) {
  for_each_seed(5, [](World& world) {
    SelfJoin stage(world);
    ASSERT_TRUE(stage.start());
    stage.let_join({"gcs5"});
    EXPECT_EQ(stage.ask("gcs5", {"video", Side::kFrom, true}),
              "routes.yaml does not let this client join this side of video (self_join)");
    EXPECT_EQ(stage.ask("drone7", {"video", Side::kTo, true}),
              "routes.yaml lets this client join no side of video");
    EXPECT_EQ(stage.ask("gcs5", {"nothing", std::nullopt, true}),
              "routes.yaml lets this client join no side of nothing");
    EXPECT_TRUE(stage.client("drone7").status().offers.empty());
  });
}

TEST(SimRoutes, ChangesOfOneClientAreLimited) {
  for_each_seed(5, [](World& world) {
    SelfJoin stage(world);
    ASSERT_TRUE(stage.start());
    stage.let_join({"gcs5"});
    auto& node = stage.client("gcs5");
    int refused = 0;
    for (int i = 0; i < 20; ++i) {
      node.change_membership({"video", Side::kTo, i % 2 == 0});
      world.run_for(100ms);
    }
    world.run_for(1s);
    ASSERT_EQ(node.answered.size(), 20U);
    for (const auto& answer : node.answered) {
      if (answer.error == "too many changes; wait some seconds") ++refused;
    }
    EXPECT_GE(refused, 5);
    EXPECT_LE(refused, 14);
    world.run_for(10s);
    const auto joined = node.status().offers.at(0).joined;
    EXPECT_EQ(stage.ask("gcs5", {"video", Side::kTo, joined.empty()}), "done");
  });
}

TEST(SimRoutes, WithoutAServerAJoinFailsAtOnceOrAfterItsPatience) {
  for_each_seed(10, [](World& world) {
    SelfJoin stage(world);
    ASSERT_TRUE(stage.start());
    stage.let_join({"gcs5"});
    stage.server().kill();
    auto& node = stage.client("gcs5");
    node.change_membership({"video", Side::kTo, true});
    world.run_for(15s);
    ASSERT_EQ(node.answered.size(), 1U);
    EXPECT_EQ(node.answered[0].error, "the server did not answer within 10 s");
    node.change_membership({"video", Side::kTo, true});
    ASSERT_EQ(node.answered.size(), 2U);
    EXPECT_EQ(node.answered[1].error, "the server does not answer; try again when it does");
  });
}

}  // namespace
}  // namespace wormhole::sim
