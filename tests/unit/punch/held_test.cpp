#include "wormhole/punch/held.hpp"

#include "unit/punch/plan_fixture.hpp"

namespace wormhole {
namespace {

using namespace test;

constexpr TimePoint kStart{1h};

TEST_F(PlanTest, MappingsAreThoseOfSocketsAndOfProbesThroughASymmetricNat) {
  const auto block = ranged(kHere, 2100, 3000);
  const auto taken = [&](const NatReport& local, const NatReport& remote) {
    return mappings_taken(plan(local, remote), local);
  };
  EXPECT_EQ(taken(cone(kHere), symmetric(kThere)), 0U);
  EXPECT_EQ(taken(symmetric(kHere), cone(kThere)), 256U);
  EXPECT_EQ(taken(block, ranged(kThere, 41000, 41900)), 512U);
  auto by_address = block;
  by_address.mapping = NatMapping::kAddressDependent;
  EXPECT_EQ(taken(by_address, ranged(kThere, 41000, 41900)), 0U);
  EXPECT_EQ(taken(symmetric(kHere), symmetric(kThere)), 0U);
}

TEST(HeldMappings, CountUntilTheyMayHaveExpired) {
  HeldMappings held;
  EXPECT_EQ(held.at(kStart), 0U);
  held.add(256, kStart);
  held.add(0, kStart + 5s);
  held.add(100, kStart + 10s);
  EXPECT_EQ(held.at(kStart + 10s), 356U);
  EXPECT_EQ(held.at(kStart + HeldMappings::kLife), 100U);
  held.add(1, kStart + HeldMappings::kLife);
  EXPECT_EQ(held.at(kStart + HeldMappings::kLife), 101U);
  EXPECT_EQ(held.at(kStart + 10s + HeldMappings::kLife), 1U);
}

/// However often it is tried, half of the block stays free.
TEST_F(PlanTest, RepeatedCampaignsLeaveHalfOfTheBlock) {
  const auto block = ranged(kHere, 2100, 3000);
  for (const auto& remote : {cone(kThere), ranged(kThere, 41000, 41900)}) {
    HeldMappings held;
    for (std::uint32_t campaign = 1; campaign <= 20; ++campaign) {
      const auto now = kStart + campaign * 10s;
      held.add(mappings_taken(plan(block, remote, campaign, held.at(now)), block), now);
      EXPECT_LE(held.at(now), 512U);
      EXPECT_GT(held.at(now), 0U);
    }
  }
}

}  // namespace
}  // namespace wormhole
