// Whom a TCP connection reaches: the first that answers, one by its address, or all; and what a
// changed routes.yaml does to those that stand.
#include <functional>
#include <string>
#include <vector>

#include "sim/tcp_rig.hpp"

namespace wormhole::sim {
namespace {

constexpr std::uint16_t kPort = 7000;
const std::vector<std::string> kFleet{"drone3", "drone7", "gcs4"};

/// gcs4 dials the drones, drone7 first.
StageOptions fleet(Fanout fanout = Fanout::kPick) {
  StageOptions options;
  options.clients = kFleet;
  auto flow = tcp_flow("talk", kPort, {"gcs4"}, {"drone3", "drone7"});
  flow.preference = {"drone7", "drone3", "gcs4"};
  flow.fanout = fanout;
  flow.copy_buffer = 65'536;
  options.more_flows = {flow, tcp_flow("other", 7001, {"gcs4"}, {"drone3"})};
  return options;
}

void change(TcpRig& rig, const std::function<void(std::vector<Flow>&)>& edit) {
  auto network = rig.stage.network;
  edit(network.flows);
  rig.world.ledger().set_network(network, rig.world.now());
  rig.stage.server().set_network(network);
  rig.world.run_for(1s);
}

TEST(TcpRoutes, PickReachesTheFirstInTheOrderOfTheRoutes) {
  World world(1);
  TcpRig rig(world, fleet());
  ASSERT_TRUE(rig.start());
  const auto talk = rig.talk("gcs4", "talk", 5'000, 5'000);
  EXPECT_TRUE(world.run_until([&] { return rig.is_whole(talk, "drone7"); }, 5s)) << world.report();
}

TEST(TcpRoutes, WhoRefusesHandsOverWithWhatWasSaid) {
  World world(1);
  TcpRig rig(world, fleet());
  rig.stage.client("drone7").tcp().services[kPort] = TcpHost::Service::kRefuses;
  ASSERT_TRUE(rig.start());
  const auto talk = rig.talk("gcs4", "talk", 50'000, 5'000);
  EXPECT_TRUE(world.run_until([&] { return rig.is_whole(talk, "drone3"); }, 5s)) << world.report();
}

TEST(TcpRoutes, WhoDoesNotAnswerHandsOverAfterAWhile) {
  World world(1);
  TcpRig rig(world, fleet());
  rig.stage.client("drone7").tcp().services[kPort] = TcpHost::Service::kIsSilent;
  ASSERT_TRUE(rig.start());
  const auto talk = rig.talk("gcs4", "talk", 50'000, 5'000);
  EXPECT_TRUE(world.run_until([&] { return rig.is_whole(talk, "drone3"); }, 5s)) << world.report();
}

TEST(TcpRoutes, WhoGoesAwayHandsOver) {
  for_each_seed(10, [](World& world) {
    TcpRig rig(world, fleet());
    ASSERT_TRUE(rig.start());
    rig.stage.client("drone7").kill();
    // The server may not know yet, or know already.
    world.run_for(std::chrono::milliseconds(world.rng().below(10'000)));
    const auto talk = rig.talk("gcs4", "talk", 50'000, 5'000);
    EXPECT_TRUE(world.run_until([&] { return rig.is_whole(talk, "drone3"); }, 5s));
  });
}

TEST(TcpRoutes, WhenAllRefuseTheDiallerIsReset) {
  World world(1);
  TcpRig rig(world, fleet());
  for (const char* drone : {"drone3", "drone7"}) {
    rig.stage.client(drone).tcp().services[kPort] = TcpHost::Service::kRefuses;
  }
  ASSERT_TRUE(rig.start());
  const auto talk = rig.talk("gcs4", "talk", 100, 100);
  EXPECT_TRUE(world.run_until([&] { return rig.dialler(talk)->reset; }, 1s)) << world.report();
  EXPECT_EQ(rig.last_error("gcs4", "talk"), "drone3: 127.0.0.1:7000: connection refused");
}

TEST(TcpRoutes, APeersOwnAddressReachesItAlone) {
  World world(1);
  auto options = fleet();
  options.more_flows[0].addressing = Addressing::kPerPeer;
  TcpRig rig(world, options);
  ASSERT_TRUE(rig.start());
  const auto number = rig.stage.server().directory.clients.at("drone3").number;
  rig.plan(900, "gcs4", 100, 100);
  ASSERT_NE(rig.stage.gcs().tcp().dial("talk", 900, 100, true, number), nullptr);
  EXPECT_TRUE(world.run_until([&] { return rig.server(900, "drone3") != nullptr; }, 1s));
  EXPECT_EQ(rig.server(900, "drone7"), nullptr);
}

TEST(TcpRoutes, CopyReachesAllAndAnswersComeInWholeWrites) {
  for_each_seed(10, [](World& world) {
    TcpRig rig(world, fleet(Fanout::kCopy));
    for (const char* drone : {"drone3", "drone7"}) {
      rig.stage.client(drone).tcp().services[kPort] = TcpHost::Service::kSpeaksFirst;
    }
    std::string heard;
    rig.stage.gcs().tcp().on_bytes = [&](TcpTalk&, Bytes bytes) { heard += as_text(bytes); };
    ASSERT_TRUE(rig.start());
    const auto talk = rig.talk("gcs4", "talk", 300'000, 0);
    const auto all_have_it = [&] {
      for (const char* drone : {"drone3", "drone7"}) {
        const auto* far = rig.server(talk, drone);
        if (far == nullptr || far->read != 300'000U || !far->closed) return false;
      }
      return rig.dialler(talk)->closed;
    };
    EXPECT_TRUE(world.run_until(all_have_it, 10s));
    const std::string banner(TcpHost::kBanner);
    EXPECT_EQ(heard, banner + banner);
    world.run_for(3s);
    EXPECT_EQ(rig.open_streams("gcs4"), 0U);
  });
}

TEST(TcpRoutes, AReceiverThatIsTooSlowIsCutOffAndTheOthersGoOn) {
  World world(1);
  TcpRig rig(world, fleet(Fanout::kCopy));
  ASSERT_TRUE(rig.start());
  rig.diallers_finish = false;
  const auto talk = rig.talk("gcs4", "talk", 1'000, 0);
  ASSERT_TRUE(world.run_until([&] { return rig.server(talk, "drone7") != nullptr; }, 1s));
  world.run_for(100ms);
  rig.server(talk, "drone7")->reads = false;
  auto* near = rig.dialler(talk);
  near->to_write = 10'000'000;
  near->finishes = true;
  rig.stage.gcs().tcp().go_on(*near);
  const auto* good = rig.server(talk, "drone3");
  EXPECT_TRUE(world.run_until([&] { return good->read == 10'000'000U; }, 30s)) << world.report();
  EXPECT_TRUE(world.run_until([&] { return rig.server(talk, "drone7")->reset; }, 3s));
  EXPECT_EQ(rig.last_error("gcs4", "talk"), "drone7: too slow, cut off");
}

TEST(TcpRoutes, AChangeElsewhereDisturbsNoConnection) {
  for_each_seed(10, [](World& world) {
    TcpRig rig(world, fleet());
    ASSERT_TRUE(rig.start());
    const auto talk = rig.talk("gcs4", "talk", 5'000'000, 5'000'000);
    world.run_for(150ms);
    change(rig, [](auto& flows) { flows.pop_back(); });         // `other` goes
    change(rig, [](auto& flows) { flows.at(2).port = 7100; });  // the port of `talk` moves
    change(rig, [](auto& flows) { flows.at(1).routes[0].second = {"gcs4"}; });
    EXPECT_TRUE(world.run_until([&] { return rig.is_whole(talk, "drone7"); }, 30s));
  });
}

TEST(TcpRoutes, WhoIsTakenOutOfAFlowLosesItsConnections) {
  World world(1);
  TcpRig rig(world, fleet());
  ASSERT_TRUE(rig.start());
  rig.diallers_finish = rig.services_finish = false;
  const auto talk = rig.talk("gcs4", "talk", 1'000, 1'000);
  const auto other = rig.talk("gcs4", "other", 1'000, 1'000);
  world.run_for(500ms);
  change(rig, [](auto& flows) { flows.at(2).routes[0].second = {"drone3"}; });
  EXPECT_TRUE(rig.is_over(talk, "drone7")) << world.report();
  EXPECT_FALSE(rig.is_over(other, "drone3"));
  EXPECT_EQ(rig.server(other, "drone3")->read, 1'000U);
}

TEST(TcpRoutes, AFlowWithoutP2pTakesTheRelayThoughThereIsADirectPath) {
  World world(1);
  auto options = fleet();
  options.more_flows[1].p2p = false;
  TcpRig rig(world, options);
  ASSERT_TRUE(rig.start());
  ASSERT_TRUE(world.run_until(
      [&] { return rig.stage.gcs().status().peers.front().path == PathKind::kDirect; }, 10s));
  world.run_for(1s);  // drone7's connection comes up
  std::size_t large_direct = 0;
  world.internet().set_tap([&](Packet& packet) {
    if (packet.bytes[0] == 0x10 && packet.bytes.size() > 1'000) ++large_direct;
    return true;
  });
  const auto talk = rig.talk("gcs4", "other", 1'000'000, 0);
  EXPECT_TRUE(world.run_until([&] { return rig.is_whole(talk, "drone3"); }, 10s)) << world.report();
  EXPECT_EQ(large_direct, 0U);
}

TEST(TcpRoutes, NobodyOpensMoreStreamsThanThereMayBe) {
  World world(1);
  TcpRig rig(world, fleet());
  ASSERT_TRUE(rig.start());
  rig.diallers_finish = rig.services_finish = false;
  std::vector<std::uint64_t> talks;
  for (int i = 0; i < 4'097; ++i) {
    talks.push_back(rig.talk("gcs4", "other", TcpHost::kHello, 0));
    if (i % 100 == 0) world.run_for(50ms);
  }
  world.run_for(1s);
  EXPECT_TRUE(rig.is_over(talks.back(), "drone3"));
  EXPECT_EQ(rig.last_error("gcs4", "other"), "drone3 has as many streams open as it may");
  EXPECT_FALSE(rig.dialler(talks.front())->is_over());
  rig.stage.gcs().tcp().reset(*rig.dialler(talks.front()));
  world.run_for(1s);
  const auto next = rig.talk("gcs4", "other", TcpHost::kHello, 0);
  world.run_for(1s);
  EXPECT_FALSE(rig.dialler(next) == nullptr || rig.dialler(next)->is_over());
}

}  // namespace
}  // namespace wormhole::sim
