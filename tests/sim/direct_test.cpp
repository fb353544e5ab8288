// Direct paths: every pair of NATs that can have one gets one, quickly, and nothing is lost on the
// way to it.
#include <algorithm>
#include <vector>

#include "sim/direct_rig.hpp"

namespace wormhole::sim {
namespace {

/// All tries of a pair must end direct, none may lose a packet.
void always_direct(const Site& first, const Site& second, std::uint64_t tries, Duration limit,
                   Duration median) {
  SCOPED_TRACE(first.name + " and " + second.name);
  Samples samples(first.name + " – " + second.name);
  std::vector<Duration> all;
  for_each_seed(tries, [&](World& world) {
    const auto result = try_pair(world, first, second, limit);
    EXPECT_EQ(result.lost, 0U);
    ASSERT_TRUE(result.first_direct) << result.reason;
    samples.add(*result.first_direct);
    all.push_back(*result.first_direct);
  });
  samples.print();
  if (all.size() < 10) return;  // a median of so few says nothing
  std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2),
                   all.end());
  EXPECT_LE(to_ms(all[all.size() / 2]), to_ms(median));
}

TEST(Direct, OneSidePublic) {
  for (const auto& other : {public_site(), full_cone(), port_restricted(), symmetric_random()}) {
    always_direct(public_site(), other, 10, 5s, 180ms);
    always_direct(other, public_site(), 10, 5s, 180ms);
  }
}

TEST(Direct, ConeAndConeWhateverTheyFilter) {
  for (const auto& first : cones()) {
    for (const auto& second : cones()) always_direct(first, second, 10, 5s, 220ms);
  }
}

TEST(Direct, AConeThatLetsTheAddressInNeedsNoLuck) {
  for (const auto& cone : {full_cone(), restricted_cone()}) {
    always_direct(cone, symmetric_random(), 10, 5s, 250ms);
    always_direct(symmetric_random(), cone, 10, 5s, 250ms);
  }
}

TEST(Direct, PortRestrictedAndSymmetricMeetByTheBirthdayParadox) {
  always_direct(port_restricted(), symmetric_random(), 30, 20s, 1200ms);
  always_direct(symmetric_random(), port_restricted(), 30, 20s, 1200ms);
}

TEST(Direct, SequentialPortsArePredicted) {
  for (const std::uint16_t step : {std::uint16_t{1}, std::uint16_t{7}}) {
    for (const auto& cone : cones())
      always_direct(cone, symmetric_sequential(step), 10, 10s, 400ms);
    always_direct(symmetric_sequential(step), port_restricted(), 10, 10s, 400ms);
    always_direct(symmetric_sequential(step), symmetric_sequential(step), 10, 20s, 1s);
  }
}

TEST(Direct, ACarriersBlockIsFound) {
  for (const std::uint16_t ports : {std::uint16_t{1024}, std::uint16_t{2048}}) {
    always_direct(port_restricted(), block_symmetric(ports), 20, 15s, 600ms);
    always_direct(block_symmetric(ports), port_restricted(), 20, 15s, 600ms);
  }
}

/// Pairs that must stay on the relay, and what is said then.
void never_direct(const Site& first, const Site& second, const std::string& words) {
  SCOPED_TRACE(first.name + " and " + second.name);
  for_each_seed(5, [&](World& world) {
    const auto result = try_pair(world, first, second, 12s);
    EXPECT_FALSE(result.first_direct);
    EXPECT_EQ(result.lost, 0U);
    EXPECT_NE(result.reason.find(words), std::string::npos) << result.reason;
  });
}

TEST(Direct, RandomAndRandomStayOnTheRelayAndSayWhy) {
  never_direct(symmetric_random(), symmetric_random(), "random");
}

TEST(Direct, SequentialAndRandomStayOnTheRelayAndSayWhy) {
  never_direct(symmetric_sequential(), symmetric_random(), "random");
  never_direct(symmetric_random(), symmetric_sequential(), "random");
}

/// Both behind the drone's NAT.
void same_nat(bool hairpin) {
  SCOPED_TRACE(hairpin ? "hairpins" : "does not hairpin");
  for_each_seed(4, [hairpin](World& world) {
    auto site = port_restricted();
    site.nat->hairpin = hairpin;
    DirectPair pair(world, site, site);
    auto& gcs = pair.stage.gcs().host();
    world.internet().move(gcs, gcs.addresses, pair.stage.nat_of("drone3"));
    EXPECT_EQ(pair.start(20s), hairpin);
    pair.stage.stop_traffic();
    const auto until = world.now();
    world.run_for(1s);
    EXPECT_EQ(pair.lost(TimePoint{} + 1s, until), 0U);
    if (hairpin) return;
    const auto status = pair.stage.drone().status();
    EXPECT_NE(status.peers.front().reason.find("no hairpinning"), std::string::npos)
        << status.peers.front().reason;
  });
}

TEST(Direct, ClientsBehindOneNatNeedItToHairpin) {
  same_nat(true);
  same_nat(false);
}

}  // namespace
}  // namespace wormhole::sim
