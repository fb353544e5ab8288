// Addresses that change under a running client, and time that it slept through.
#include "sim/chance.hpp"
#include "sim/seeds.hpp"
#include "sim/stage.hpp"

namespace wormhole::sim {
namespace {

NatProfile random_nat(Rng& rng) {
  constexpr Dependence kDependences[] = {Dependence::kEndpointIndependent,
                                         Dependence::kAddressDependent,
                                         Dependence::kAddressAndPortDependent};
  constexpr Allocation kAllocations[] = {Allocation::kPreserving, Allocation::kSequential,
                                         Allocation::kRandom, Allocation::kBlock};
  return {.mapping = kDependences[rng.below(3)],
          .filtering = kDependences[rng.below(3)],
          .allocation = kAllocations[rng.below(4)],
          .timeout = between(rng, 30s, 300s)};
}

TEST(SimRoaming, ARebootOfTheNatCostsLessThanASecond) {
  Samples samples("NAT rebind to delivery both ways");
  for_each_seed(100, [&](World& world) {
    StageOptions options;
    options.nat_profile = random_nat(world.rng());
    options.link.delay = between(world.rng(), 1ms, 50ms);
    Stage stage(world, options);
    ASSERT_TRUE(stage.start());
    stage.both_ways(20ms);
    ASSERT_TRUE(stage.until_both_ways(1s));
    world.run_for(up_to(world.rng(), 2s));
    auto& roamer = world.rng().below(2) == 0 ? stage.drone() : stage.gcs();
    roamer.host().nat->forget_mappings();
    const auto back = stage.until_both_ways(1s);
    ASSERT_TRUE(back);
    samples.add(*back);
  });
  samples.print();
}

TEST(SimRoaming, ANewAddressAndAnotherNatCostLessThanASecond) {
  Samples samples("other network (LTE to Wi-Fi) to delivery both ways");
  for_each_seed(60, [&](World& world) {
    StageOptions options;
    options.link.delay = between(world.rng(), 1ms, 50ms);
    Stage stage(world, options);
    ASSERT_TRUE(stage.start());
    stage.both_ways(20ms);
    ASSERT_TRUE(stage.until_both_ways(1s));
    world.run_for(up_to(world.rng(), 2s));
    auto& nat = world.internet().add_nat(random_nat(world.rng()), IpAddress::v4(203, 0, 113, 7));
    world.internet().move(stage.drone().host(), {IpAddress::v4(192, 168, 7, 7)}, &nat);
    const auto back = stage.until_both_ways(1s);
    ASSERT_TRUE(back);
    samples.add(*back);
  });
  samples.print();
}

TEST(SimRoaming, AnIdleClientStaysReachableBehindAShortLivedMapping) {
  for_each_seed(20, [](World& world) {
    StageOptions options;
    options.nat_profile.timeout = 30s;
    Stage stage(world, options);
    ASSERT_TRUE(stage.start());
    world.run_for(between(world.rng(), 60s, 300s));
    stage.traffic("gcs4", "mavlink", 20ms);
    EXPECT_TRUE(stage.until_delivery("gcs4", "mavlink", 1s));
  });
}

TEST(SimRoaming, TenMinutesOfSuspendAreOverInTwoSeconds) {
  Samples samples("wake after 10 minutes to delivery both ways");
  for_each_seed(20, [&](World& world) {
    Stage stage(world);
    ASSERT_TRUE(stage.start());
    stage.both_ways(500ms);
    ASSERT_TRUE(stage.until_both_ways(2s));
    world.run_for(up_to(world.rng(), 100s));
    stage.drone().suspend();
    world.run_for(600s);
    stage.drone().resume();
    stage.stop_traffic();
    stage.both_ways(20ms);
    const auto back = stage.until_both_ways(2s);
    ASSERT_TRUE(back);
    samples.add(*back);
  });
  samples.print();
}

TEST(SimRoaming, ALinkThatIsGoneForAWhileIsUsedAgainAtOnce) {
  Samples samples("link up again (1-60 s down) to delivery both ways");
  for_each_seed(40, [&](World& world) {
    Stage stage(world);
    ASSERT_TRUE(stage.start());
    stage.both_ways(20ms);
    ASSERT_TRUE(stage.until_both_ways(1s));
    auto& host = stage.drone().host();
    host.up.profile.up = host.down.profile.up = false;
    world.run_for(between(world.rng(), 1s, 60s));
    host.up.profile.up = host.down.profile.up = true;
    const auto back = stage.until_both_ways(2s);
    ASSERT_TRUE(back);
    samples.add(*back);
  });
  samples.print();
}

}  // namespace
}  // namespace wormhole::sim
