// From the start of a process to the first datagram that arrives.
#include "sim/attacker.hpp"
#include "sim/chance.hpp"
#include "sim/seeds.hpp"
#include "sim/stage.hpp"

namespace wormhole::sim {
namespace {

TEST(SimStart, TheFirstPacketNeedsFiveRoundTripsAndNoneIsLost) {
  Samples samples("start to first delivery, peer and server up, client to server 1-60 ms");
  for_each_seed(150, [&](World& world) {
    StageOptions options;
    options.link.delay = between(world.rng(), 1ms, 60ms);
    Stage stage(world, options);
    stage.server().start();
    stage.gcs().start();
    ASSERT_TRUE(world.run_until([&] { return stage.gcs().connected(); }, 5s));
    stage.drone().start();
    stage.traffic("drone3", "mavlink", 10ms);
    const auto first = stage.until_delivery("drone3", "mavlink", 5s);
    ASSERT_TRUE(first);
    // Hop handshake 1, confirmation and roster 1, end-to-end handshake through both hops 2, the
    // datagram 1. 40 ms: wake-ups, and the application's interval.
    EXPECT_LE(*first, 5 * 2 * options.link.delay + 40ms);
    samples.add(*first);
    world.run_for(500ms);
    stage.stop_traffic();
    world.run_for(500ms);
    auto& ledger = world.ledger();
    EXPECT_EQ(ledger.delivered("drone3", "mavlink"), ledger.sent("drone3", "mavlink"));
  });
  samples.print();
}

TEST(SimStart, TenPercentLossDelaysButDoesNotStop) {
  Samples connected("start to connected, 10 % loss each way");
  Samples samples("start of everything to delivery both ways, 10 % loss each way on each link");
  for_each_seed(100, [&](World& world) {
    StageOptions options;
    options.link = {.delay = 20ms, .jitter = 5ms, .loss = 0.1};
    Stage stage(world, options);
    stage.server().start();
    stage.drone().start();
    stage.gcs().start();
    stage.both_ways(20ms);
    ASSERT_TRUE(world.run_until([&] { return stage.drone().connected(); }, 10s));
    connected.add(world.age());
    ASSERT_TRUE(stage.until_both_ways(10s));
    samples.add(world.age());
  });
  connected.print();
  samples.print();
}

TEST(SimStart, BothEndsAtOnceEndUpWithOneSession) {
  for_each_seed(100, [](World& world) {
    StageOptions options;
    options.link.delay = between(world.rng(), 1ms, 40ms);
    options.p2p = false;  // the watcher stands at the server
    Stage stage(world, options);
    ASSERT_TRUE(stage.start());
    stage.both_ways(10ms);  // both send in the same instant
    ASSERT_TRUE(stage.until_both_ways(2s));
    world.run_for(500ms);
    Attacker watcher(world);
    world.run_for(2s);
    stage.stop_traffic();
    world.run_for(500ms);
    std::set<std::pair<Endpoint, std::uint32_t>> sessions;
    for (const auto& p : watcher.captured_of(0x11)) {
      if (at_server(p.to)) sessions.emplace(p.from, load_le<std::uint32_t>(&p.bytes[4]));
    }
    EXPECT_EQ(sessions.size(), 2U);  // one a direction
    auto& ledger = world.ledger();
    for (const char* id : {"drone3", "gcs4"}) {
      EXPECT_EQ(ledger.delivered(id, "mavlink"), ledger.sent(id, "mavlink")) << id;
    }
  });
}

TEST(SimStart, TheServerMayComeLast) {
  Samples samples("server's start to delivery both ways, clients waiting");
  for_each_seed(30, [&](World& world) {
    Stage stage(world);
    stage.drone().start();
    stage.gcs().start();
    stage.both_ways(20ms);
    world.run_for(between(world.rng(), 5s, 40s));
    stage.server().start();
    const auto first = stage.until_both_ways(2s);
    ASSERT_TRUE(first);
    samples.add(*first);
  });
  samples.print();
}

TEST(SimStart, AnIpv6ServerIsReachedWithoutNat) {
  for_each_seed(10, [](World& world) {
    StageOptions options;
    options.servers = {"2001:db8::10"};
    Stage stage(world, options);
    ASSERT_TRUE(stage.start());
    stage.both_ways(20ms);
    EXPECT_TRUE(stage.until_both_ways(1s));
  });
}

TEST(SimStart, APortThatIsTakenIsTriedAgain) {
  for_each_seed(20, [](World& world) {
    Stage stage(world);
    stage.drone().failing_ports = 4;
    EXPECT_TRUE(stage.start());
    EXPECT_EQ(stage.drone().failing_ports, 0);
    stage.both_ways(20ms);
    EXPECT_TRUE(stage.until_both_ways(1s));
  });
}

TEST(SimStart, NothingThatIsSentDuringTheHandshakeIsLost) {
  for_each_seed(100, [](World& world) {
    StageOptions options;
    options.link.delay = between(world.rng(), 1ms, 60ms);
    Stage stage(world, options);
    ASSERT_TRUE(stage.start());
    const auto since = world.now();
    stage.both_ways(5ms);
    stage.traffic("drone3", "video", 5ms);
    world.run_for(3s);
    stage.stop_traffic();
    const auto until = world.now();
    world.run_for(2s);
    for (const char* id : {"drone3", "gcs4"}) {
      EXPECT_EQ(world.ledger().delivered(id, "mavlink", since, until),
                world.ledger().sent(id, "mavlink", since, until))
          << world.ledger().missing(id, "mavlink", since);
    }
  });
}

}  // namespace
}  // namespace wormhole::sim
