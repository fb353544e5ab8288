// One seed gives one trace, with the real cores: only so can a failure be run again.
#include "sim/seeds.hpp"
#include "sim/stage.hpp"

namespace wormhole::sim {
namespace {

/// Restarts, a rebind and traffic on bad links: whatever can tell two runs apart.
std::uint64_t busy_trace(std::uint64_t seed) {
  World world(seed);
  StageOptions options;
  options.link = {.delay = 20ms,
                  .jitter = 5ms,
                  .loss = 0.03,
                  .duplicate = 0.1,
                  .reorder = 0.1,
                  .reorder_by = 30ms,
                  .corrupt = 0.01};
  Stage stage(world, options);
  EXPECT_TRUE(stage.start());
  stage.both_ways(20ms);
  world.run_for(2s);
  stage.drone().host().nat->forget_mappings();
  world.run_for(2s);
  stage.server().kill();
  world.run_for(1s);
  stage.server().start();
  world.run_for(3s);
  stage.gcs().kill();
  stage.gcs().start();
  world.run_for(2s);
  EXPECT_TRUE(world.ok()) << world.report();
  EXPECT_GT(world.trace().count(), 1000U);
  return world.trace().hash();
}

TEST(SimWorld, OneSeedGivesOneTraceWithTheRealCores) {
  for (const auto seed : seeds(10)) {
    const auto hash = busy_trace(seed);
    EXPECT_EQ(busy_trace(seed), hash) << "WORMHOLE_SEED=" << seed;
    EXPECT_NE(busy_trace(seed + 1000), hash);
  }
}

}  // namespace
}  // namespace wormhole::sim
