// Direct paths on bad links, and when nobody uses them.
#include <cstdio>

#include "sim/attacker.hpp"
#include "sim/chance.hpp"
#include "sim/direct_rig.hpp"

namespace wormhole::sim {
namespace {

/// 10 % between the two clients, 200 ms round trip, 50 ms jitter: each link has half of it.
LinkProfile bad_link() { return {.delay = 44ms, .jitter = 12500us, .loss = 0.026}; }

/// Half an hour a seed. WORMHOLE_SEEDS=33 makes it the hundred of docs/testing.md.
TEST(DirectLoss, TenPercentAreNoReasonToFallBack) {
  for_each_seed(3, [](World& world) {
    DirectPair pair(world, port_restricted(), port_restricted(), bad_link());
    ASSERT_TRUE(pair.stage.start());
    pair.stage.both_ways(500ms);
    ASSERT_TRUE(world.run_until([&] { return pair.both_direct(); }, 20s));
    for (int i = 0; i < 30 * 60 * 4; ++i) {
      world.run_for(250ms);
      ASSERT_TRUE(pair.both_direct()) << "after " << i / 4 << " s";
    }
  });
}

/// After a pause the first packets arrive, whether the NATs have kept the mappings or not.
TEST(DirectLoss, TheFirstPacketAfterAPauseArrives) {
  for (const auto timeout : {Duration(10s), Duration(120s)}) {
    SCOPED_TRACE(to_ms(timeout));
    for_each_seed(10, [&](World& world) {
      auto gcs = port_restricted();
      auto drone = port_restricted();
      gcs.nat->timeout = drone.nat->timeout = timeout;
      DirectPair pair(world, gcs, drone);
      ASSERT_TRUE(pair.start());
      pair.stage.stop_traffic();
      world.run_for(5min + up_to(world.rng(), 10s));
      const auto woken = world.now();
      pair.stage.both_ways(20ms);
      world.run_for(3s);
      pair.stage.stop_traffic();
      const auto until = world.now();
      world.run_for(1s);
      EXPECT_EQ(pair.lost(woken, until), 0U);
    });
  }
}

/// A pair that has talked and then rests for so long.
class RestingPair {
 public:
  RestingPair(World& world, bool strict, Duration rest) : stage(world, options(strict)) {
    EXPECT_TRUE(stage.start());
    stage.both_ways(20ms);
    world.run_for(2s);
    stage.stop_traffic();
    world.run_for(rest);
  }
  PathKind path() { return stage.drone().status().peers.front().path; }

  Stage stage;

 private:
  static StageOptions options(bool strict) {
    StageOptions made;
    made.p2p_settings.strict_keepalive = strict;
    return made;
  }
};

/// What crosses the core between two clients in ten minutes without application packets, as bytes
/// an hour each way with IP and UDP headers; docs/operations.md says it.
std::size_t idle_bytes_an_hour(World& world, bool strict) {
  RestingPair pair(world, strict, 2min);
  std::size_t bytes = 0;
  world.internet().set_tap([&](Packet& packet) {
    if (!at_server(packet.to) && !at_server(packet.from)) bytes += ip_size(packet);
    return true;
  });
  world.run_for(10min);
  world.internet().set_tap(nullptr);
  EXPECT_EQ(pair.path(), PathKind::kDirect);
  return bytes * 6 / 2;
}

TEST(DirectIdle, APathThatNobodyUsesCostsLittle) {
  for_each_seed(5, [](World& world) {
    const auto bytes = idle_bytes_an_hour(world, false);
    std::printf("[ sim      ] idle direct path: %zu bytes an hour each way\n", bytes);
    EXPECT_GT(bytes, 0U);
    EXPECT_LE(bytes, 45'000U);
  });
}

TEST(DirectIdle, StrictKeepalivesNeverStretch) {
  for_each_seed(5, [](World& world) {
    const auto bytes = idle_bytes_an_hour(world, true);
    std::printf("[ sim      ] keepalive: strict: %zu bytes an hour each way\n", bytes);
    EXPECT_GE(bytes, 4U * 3600 * 59);  // a keepalive of 59 bytes every 250 ms
    EXPECT_LE(bytes, 1'000'000U);
  });
}

/// With strict keepalives a cut is noticed though nobody sends: the first packet afterwards takes
/// the relay.
TEST(DirectIdle, StrictKeepalivesNoticeACutWithoutTraffic) {
  for_each_seed(10, [](World& world) {
    RestingPair pair(world, true, 3min);
    ASSERT_EQ(pair.path(), PathKind::kDirect);
    world.internet().set_tap(
        [](Packet& packet) { return at_server(packet.to) || at_server(packet.from); });
    EXPECT_TRUE(world.run_until([&] { return pair.path() == PathKind::kRelay; }, 1100ms));
    world.internet().set_tap(nullptr);
  });
}

}  // namespace
}  // namespace wormhole::sim
