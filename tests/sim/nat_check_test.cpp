// What clients find out about their NATs against what these are.
#include "sim/chance.hpp"
#include "sim/seeds.hpp"
#include "sim/stage.hpp"
#include "wormhole/nat/words.hpp"

namespace wormhole::sim {
namespace {

constexpr std::array kAll{Dependence::kEndpointIndependent, Dependence::kAddressDependent,
                          Dependence::kAddressAndPortDependent};

NatFindings nat_of(Stage& stage) { return stage.drone().status().nat; }

void start_drone(Stage& stage) {
  stage.server().start();
  stage.drone().start();
}

void check_allocation(const NatProfile& profile, const NatReport& report) {
  switch (profile.allocation) {
    case Allocation::kPreserving:
      EXPECT_EQ(words(report.allocation), words(PortAllocation::kPreserving));
      break;
    case Allocation::kSequential:
      EXPECT_EQ(words(report.allocation), words(PortAllocation::kSequential));
      EXPECT_EQ(report.step, profile.step);
      break;
    case Allocation::kRandom:
      EXPECT_EQ(words(report.allocation), words(PortAllocation::kRandom));
      break;
    case Allocation::kBlock:
      EXPECT_EQ(words(report.allocation), words(PortAllocation::kRange));
      EXPECT_LE(report.low, report.mapped.port);
      EXPECT_GE(report.high, report.mapped.port);
      EXPECT_LE(report.high - report.low, 2 * profile.block_size);
      break;
  }
}

void check_every_filtering(Dependence mapping, Allocation allocation) {
  for (const auto filtering : kAll) {
    for_each_seed(50, [&](World& world) {
      StageOptions options;
      options.link.delay = between(world.rng(), 1ms, 60ms);
      options.nat_profile = {.mapping = mapping, .filtering = filtering, .allocation = allocation};
      options.nat_profile.step = static_cast<std::uint16_t>(1 + world.rng().below(9));
      options.nat_profile.block_size = static_cast<std::uint16_t>(512U << world.rng().below(3));
      options.nat_profile.hairpin = world.rng().below(2) == 0;
      Stage stage(world, options);
      start_drone(stage);
      ASSERT_TRUE(world.run_until([&] { return stage.drone().connected(); }, 1s));
      const auto connected = world.now();
      ASSERT_TRUE(world.run_until([&] { return nat_of(stage).mapping_known; }, 1s));
      EXPECT_LE(world.now() - connected, 2 * options.link.delay + 5ms);
      ASSERT_TRUE(world.run_until([&] { return nat_of(stage).complete; }, 4s));
      const auto found = nat_of(stage);
      EXPECT_EQ(words(found.report.mapping), words(as_mapping(mapping)));
      EXPECT_EQ(words(found.report.filtering), words(as_filtering(filtering)));
      check_allocation(options.nat_profile, found.report);
      EXPECT_FALSE(found.report.address_varies);
      EXPECT_FALSE(found.one_address);
      if (mapping == Dependence::kEndpointIndependent) {
        EXPECT_EQ(found.hairpin, options.nat_profile.hairpin);
      }
    });
  }
}

TEST(SimNatCheck, EndpointIndependentMapping) {
  for (const auto allocation : {Allocation::kPreserving, Allocation::kSequential,
                                Allocation::kRandom, Allocation::kBlock}) {
    check_every_filtering(Dependence::kEndpointIndependent, allocation);
  }
}
TEST(SimNatCheck, AddressDependentMapping) {
  for (const auto allocation : {Allocation::kPreserving, Allocation::kSequential,
                                Allocation::kRandom, Allocation::kBlock}) {
    check_every_filtering(Dependence::kAddressDependent, allocation);
  }
}
TEST(SimNatCheck, AddressAndPortDependentMapping) {
  for (const auto allocation : {Allocation::kPreserving, Allocation::kSequential,
                                Allocation::kRandom, Allocation::kBlock}) {
    check_every_filtering(Dependence::kAddressAndPortDependent, allocation);
  }
}

TEST(SimNatCheck, NoNatIsSeen) {
  for_each_seed(20, [](World& world) {
    StageOptions options;
    options.nat = false;
    Stage stage(world, options);
    start_drone(stage);
    ASSERT_TRUE(world.run_until([&] { return nat_of(stage).complete; }, 4s));
    EXPECT_EQ(words(nat_of(stage).report.mapping), words(NatMapping::kNone));
    EXPECT_EQ(words(nat_of(stage).report.filtering), words(NatFiltering::kEndpointIndependent));
    EXPECT_FALSE(nat_of(stage).hairpin);
  });
}

TEST(SimNatCheck, OneServerAddressIsSaid) {
  for (const auto mapping :
       {Dependence::kEndpointIndependent, Dependence::kAddressAndPortDependent}) {
    for_each_seed(20, [&](World& world) {
      StageOptions options;
      options.servers = {"198.51.100.10"};
      options.nat_profile.mapping = mapping;
      Stage stage(world, options);
      start_drone(stage);
      ASSERT_TRUE(world.run_until([&] { return nat_of(stage).complete; }, 4s));
      EXPECT_TRUE(nat_of(stage).one_address);
      EXPECT_EQ(words(nat_of(stage).report.mapping), words(as_mapping(mapping)));
    });
  }
}

TEST(SimNatCheck, LossesDelayItButTheMappingIsRight) {
  for (const auto mapping : kAll) {
    for_each_seed(100, [&](World& world) {
      StageOptions options;
      options.link = {.delay = 20ms, .jitter = 5ms, .loss = 0.1};
      options.nat_profile.mapping = mapping;
      Stage stage(world, options);
      start_drone(stage);
      ASSERT_TRUE(world.run_until([&] { return nat_of(stage).mapping_known; }, 15s));
      EXPECT_EQ(words(nat_of(stage).report.mapping), words(as_mapping(mapping)));
    });
  }
}

TEST(SimNatCheck, ForeignMappingsAreCountedAndDoNotHideTheStep) {
  for_each_seed(50, [](World& world) {
    StageOptions options;
    options.nat_profile = {.mapping = Dependence::kAddressAndPortDependent,
                           .allocation = Allocation::kSequential,
                           .step = 7};
    Stage stage(world, options);
    std::uint16_t port = 1000;
    world.every(20ms, [&] {  // 50 a second
      stage.drone().host().nat->outbound({IpAddress::v4(10, 9, 9, 9), ++port},
                                         {IpAddress::v4(192, 0, 2, 1), 80}, world.now());
      return world.age() < 3s;
    });
    start_drone(stage);
    ASSERT_TRUE(world.run_until([&] { return nat_of(stage).complete; }, 4s));
    const auto report = nat_of(stage).report;
    EXPECT_EQ(words(report.allocation), words(PortAllocation::kSequential));
    EXPECT_EQ(report.step, 7);
    EXPECT_GE(report.foreign, 20);
    EXPECT_LE(report.foreign, 80);
  });
}

TEST(SimNatCheck, TheLifetimeIsMeasuredInTheBackground) {
  for (const auto lifetime : {40s, 130s, 600s}) {
    for_each_seed(5, [&](World& world) {
      StageOptions options;
      options.nat_profile.timeout = lifetime;
      Stage stage(world, options);
      start_drone(stage);
      world.run_for(900s);
      const auto found = nat_of(stage);
      ASSERT_TRUE(found.lifetime);
      EXPECT_LE(*found.lifetime, lifetime);
      EXPECT_EQ(found.lifetime_is_limit, lifetime < 240s);
      if (found.lifetime_is_limit) {
        EXPECT_GE(3 * *found.lifetime, lifetime);
      }
    });
  }
}

TEST(SimNatCheck, ANewPublicAddressIsNoticedAndCheckedAnew) {
  for_each_seed(20, [](World& world) {
    Stage stage(world);
    start_drone(stage);
    ASSERT_TRUE(world.run_until([&] { return nat_of(stage).complete; }, 4s));
    const auto before = nat_of(stage).report.mapped;
    world.run_for(6s);
    stage.drone().host().nat->set_external(IpAddress::v4(203, 0, 113, 250));
    EXPECT_TRUE(world.run_until(
        [&] {
          const auto found = nat_of(stage);
          return found.mapping_known && found.report.mapped.address != before.address;
        },
        15s));
  });
}

}  // namespace
}  // namespace wormhole::sim
