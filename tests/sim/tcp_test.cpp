// TCP flows from application to application, through real clients and a real server.
#include <algorithm>
#include <vector>

#include "sim/chance.hpp"
#include "sim/tcp_rig.hpp"

namespace wormhole::sim {
namespace {

/// The path's round trip with links of 10 ms each way at each end, the relay between them.
constexpr Duration kRoundTrip = 40ms;
/// What hosts take: wake-ups of 200 µs at most at each of four hops, and connecting.
constexpr Duration kHosts = 2ms;

TEST(Tcp, BytesArriveBothWaysAndBothEndsClose) {
  for_each_seed(10, [](World& world) {
    TcpRig rig(world, with_ssh());
    ASSERT_TRUE(rig.start());
    const auto talk = rig.talk("gcs4", "ssh", 200'000, 300'000);
    EXPECT_TRUE(world.run_until([&] { return rig.is_whole(talk, "drone3"); }, 10s));
    world.run_for(2s);
    EXPECT_EQ(rig.open_streams("gcs4") + rig.open_streams("drone3"), 0U);
  });
}

TEST(Tcp, TheFirstByteTakesOneRoundTrip) {
  Samples samples("first byte of the target");
  for_each_seed(20, [&](World& world) {
    auto options = with_ssh();
    options.p2p = false;
    TcpRig rig(world, options);
    // A service that speaks first, as SSH does.
    rig.stage.drone().tcp().services[2222] = TcpHost::Service::kSpeaksFirst;
    ASSERT_TRUE(rig.start());
    world.run_for(1s);
    rig.stage.gcs().tcp().on_bytes = [](TcpTalk&, Bytes) {};
    const auto talk = rig.talk("gcs4", "ssh", 100, 100);
    auto* near = rig.dialler(talk);
    ASSERT_NE(near, nullptr);
    ASSERT_TRUE(world.run_until([&] { return near->first_byte != kNever; }, 1s));
    const auto took = near->first_byte - near->began;
    EXPECT_LE(to_ms(took), to_ms(kRoundTrip + kHosts));
    samples.add(took);
  });
  samples.print();
}

/// 1 % of the datagrams are lost each way: what is lost of a new connection is asked for again.
TEST(Tcp, TheFirstByteIsNotLateWhenDatagramsAreLost) {
  Samples samples("first byte of the target, 1 % loss each way");
  std::vector<Duration> all;
  for_each_seed(10, [&](World& world) {
    auto options = with_ssh({.delay = 10ms, .loss = 0.005});
    options.p2p = false;
    TcpRig rig(world, options);
    rig.stage.drone().tcp().services[2222] = TcpHost::Service::kSpeaksFirst;
    rig.stage.gcs().tcp().on_bytes = [](TcpTalk&, Bytes) {};
    ASSERT_TRUE(rig.start());
    for (int i = 0; i < 100; ++i) {
      world.run_for(up_to(world.rng(), 200ms));
      auto* near = rig.dialler(rig.talk("gcs4", "ssh", 100, 100));
      ASSERT_NE(near, nullptr);
      ASSERT_TRUE(world.run_until([&] { return near->first_byte != kNever; }, 3s));
      all.push_back(near->first_byte - near->began);
      samples.add(all.back());
    }
  });
  samples.print();
  std::sort(all.begin(), all.end());
  EXPECT_LE(to_ms(all[all.size() * 99 / 100]), to_ms(kRoundTrip * 5 / 2));
}

TEST(Tcp, HalfCloseLeavesTheOtherDirectionOpen) {
  World world(1);
  TcpRig rig(world, with_ssh());
  ASSERT_TRUE(rig.start());
  // HTTP/1.0: the request ends first; the answer comes later, until the end.
  rig.services_finish = false;
  const auto talk = rig.talk("gcs4", "ssh", 100, 0);
  ASSERT_TRUE(world.run_until([&] { return rig.server(talk, "drone3") != nullptr; }, 1s));
  auto* far = rig.server(talk, "drone3");
  world.run_for(500ms);
  EXPECT_TRUE(far->ended);
  EXPECT_FALSE(far->closed);
  EXPECT_FALSE(rig.dialler(talk)->ended);
  far->to_write = 50'000;
  far->finishes = true;
  rig.stage.drone().tcp().go_on(*far);
  EXPECT_TRUE(world.run_until([&] { return rig.dialler(talk)->closed; }, 2s)) << world.report();
  EXPECT_EQ(rig.dialler(talk)->read, 50'000U);
}

TEST(Tcp, TheServicesEndComesFirst) {
  World world(1);
  TcpRig rig(world, with_ssh());
  ASSERT_TRUE(rig.start());
  rig.diallers_finish = false;
  const auto talk = rig.talk("gcs4", "ssh", 5'000'000, 100);
  ASSERT_TRUE(world.run_until([&] { return rig.dialler(talk)->ended; }, 5s)) << world.report();
  EXPECT_FALSE(rig.dialler(talk)->closed);
  rig.dialler(talk)->finishes = true;
  rig.stage.gcs().tcp().go_on(*rig.dialler(talk));
  EXPECT_TRUE(world.run_until([&] { return rig.server(talk, "drone3")->closed; }, 20s))
      << world.report();
  EXPECT_EQ(rig.server(talk, "drone3")->read, 5'000'000U);
}

TEST(Tcp, AResetArrivesAtTheOtherEnd) {
  for_each_seed(10, [](World& world) {
    TcpRig rig(world, with_ssh());
    ASSERT_TRUE(rig.start());
    const bool by_dialler = world.rng().below(2) == 0;
    const auto talk = rig.talk("gcs4", "ssh", 3'000'000, 3'000'000);
    ASSERT_TRUE(world.run_until([&] { return rig.server(talk, "drone3") != nullptr; }, 1s));
    world.run_for(std::chrono::milliseconds(world.rng().below(300)));
    auto* near = rig.dialler(talk);
    auto* far = rig.server(talk, "drone3");
    if (by_dialler) {
      rig.stage.gcs().tcp().reset(*near);
    } else {
      rig.stage.drone().tcp().reset(*far);
    }
    EXPECT_TRUE(world.run_until([&] { return near->reset && far->reset; }, 1s));
    world.run_for(2s);
    EXPECT_EQ(rig.open_streams("gcs4") + rig.open_streams("drone3"), 0U);
  });
}

TEST(Tcp, ARefusalIsAResetAtOnceAndNamesTheTarget) {
  World world(1);
  auto options = with_ssh();
  options.p2p = false;
  TcpRig rig(world, options);
  rig.stage.drone().tcp().services[2222] = TcpHost::Service::kRefuses;
  ASSERT_TRUE(rig.start());
  const auto began = world.now();
  const auto talk = rig.talk("gcs4", "ssh", 100, 0);
  EXPECT_TRUE(world.run_until([&] { return rig.is_over(talk, "drone3"); }, 1s)) << world.report();
  EXPECT_TRUE(rig.dialler(talk)->reset);
  EXPECT_LE(to_ms(world.now() - began), to_ms(kRoundTrip + kHosts));
  EXPECT_EQ(rig.last_error("gcs4", "ssh"), "drone3: 127.0.0.1:2222: connection refused");
  EXPECT_EQ(rig.last_error("drone3", "ssh"), "127.0.0.1:2222: connection refused");
  world.run_for(2s);
  EXPECT_EQ(rig.open_streams("gcs4") + rig.open_streams("drone3"), 0U);
}

TEST(Tcp, NobodyThereIsAResetAtOnce) {
  World world(1);
  TcpRig rig(world, with_ssh());
  ASSERT_TRUE(rig.start());
  rig.stage.drone().stop();
  world.run_for(5s);
  const auto talk = rig.talk("gcs4", "ssh", 100, 0);
  EXPECT_TRUE(rig.is_over(talk, "drone3"));
  EXPECT_EQ(rig.last_error("gcs4", "ssh"), "drone3 is offline");
}

TEST(Tcp, TheClientsEndResetsItsConnections) {
  World world(1);
  TcpRig rig(world, with_ssh());
  ASSERT_TRUE(rig.start());
  rig.diallers_finish = false;
  const auto talk = rig.talk("gcs4", "ssh", 1'000, 0);
  world.run_for(1s);
  ASSERT_FALSE(rig.dialler(talk)->is_over());
  rig.stage.drone().stop();
  EXPECT_TRUE(world.run_until([&] { return rig.dialler(talk)->reset; }, 1s)) << world.report();
}

TEST(Tcp, ARestartedPeerServesAgain) {
  for_each_seed(10, [](World& world) {
    TcpRig rig(world, with_ssh());
    ASSERT_TRUE(rig.start());
    const auto old = rig.talk("gcs4", "ssh", 1'000, 1'000'000'000);
    world.run_for(1s);
    auto& restarted = world.rng().below(2) == 0 ? rig.stage.drone() : rig.stage.gcs();
    restarted.kill();
    world.run_for(std::chrono::milliseconds(world.rng().below(5'000)));
    restarted.start();
    ASSERT_TRUE(world.run_until([&] { return rig.is_over(old, "drone3"); }, 10s));
    ASSERT_TRUE(rig.start());
    const auto talk = rig.talk("gcs4", "ssh", 10'000, 10'000);
    EXPECT_TRUE(world.run_until([&] { return rig.is_whole(talk, "drone3"); }, 5s));
  });
}

TEST(Tcp, MayBeDialledBeforeThePeersConnectionIsUp) {
  for_each_seed(10, [](World& world) {
    TcpRig rig(world, with_ssh());
    ASSERT_TRUE(rig.stage.start());
    const auto talk = rig.talk("gcs4", "ssh", 10'000, 10'000);
    EXPECT_TRUE(world.run_until([&] { return rig.is_whole(talk, "drone3"); }, 5s));
  });
}

TEST(Tcp, AStalledReaderHoldsBackItsOwnWriterOnly) {
  World world(1);
  TcpRig rig(world, with_ssh({.delay = 10ms, .bits_per_second = 50'000'000}));
  ASSERT_TRUE(rig.start());
  const auto stalled = rig.talk("gcs4", "ssh", 20'000'000, 0);
  ASSERT_TRUE(world.run_until([&] { return rig.server(stalled, "drone3") != nullptr; }, 1s));
  auto* far = rig.server(stalled, "drone3");
  far->reads = false;
  world.run_for(5s);
  // 2 MiB at the reader and what the writer's end may hold besides.
  EXPECT_LT(rig.dialler(stalled)->written - far->read, 8'000'000U);
  const auto other = rig.talk("gcs4", "ssh", 5'000'000, 0);
  EXPECT_TRUE(world.run_until([&] { return rig.is_whole(other, "drone3"); }, 2s)) << world.report();
  far->reads = true;
  rig.stage.drone().tcp().go_on(*far);
  EXPECT_TRUE(world.run_until([&] { return rig.is_whole(stalled, "drone3"); }, 10s))
      << world.report();
}

}  // namespace
}  // namespace wormhole::sim
