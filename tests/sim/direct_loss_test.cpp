// Direct paths on bad links, and when nobody uses them.
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

}  // namespace
}  // namespace wormhole::sim
