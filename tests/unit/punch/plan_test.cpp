#include "wormhole/punch/plan.hpp"

#include <algorithm>
#include <set>

#include "unit/punch/plan_fixture.hpp"

namespace wormhole {
namespace {

using namespace test;

/// Every kind of NAT against every other one, in both roles.
TEST_F(PlanTest, EachPairHasItsStrategyAtBothEnds) {
  const auto kinds = [](IpAddress at) {
    return std::vector<NatReport>{open_host(at),
                                  open_host(at, NatFiltering::kAddressAndPortDependent),
                                  NatReport{.mapped = {at, 5}},
                                  cone(at, NatFiltering::kEndpointIndependent),
                                  cone(at, NatFiltering::kAddressDependent),
                                  cone(at),
                                  sequential(at),
                                  ranged(at, 40960, 41983),
                                  symmetric(at),
                                  symmetric(at, PortAllocation::kPreserving)};
  };
  // One letter a strategy: Direct, Cone, Birthday, Range, Sequential, range Pair, - relay.
  const std::vector<std::string> table{
      "DDDDDDDDDD",  // open host
      "DCCCCCSRBB",  // firewall
      "DCCCCCSRBB",  // unknown: taken for a cone
      "DCCCCCCCCC",  // full cone
      "DCCCCCCCCC",  // restricted cone
      "DCCCCCSRBB",  // port-restricted cone
      "DSSCCSSP--",  // sequential
      "DRRCCRPP--",  // random in a block
      "DBBCCB----",  // random
      "DBBCCB----",  // port-preserving, but a new mapping for each destination
  };
  const std::string letters = "-DCBRSP";
  const auto here = kinds(kHere);
  const auto there = kinds(kThere);
  for (std::size_t i = 0; i < here.size(); ++i) {
    for (std::size_t j = 0; j < there.size(); ++j) {
      SCOPED_TRACE(std::to_string(i) + " with " + std::to_string(j));
      const auto ours = plan(here[i], there[j]);
      const auto theirs = plan(there[j], here[i]);
      EXPECT_EQ(letters[static_cast<std::size_t>(ours.strategy)], table[i][j]);
      EXPECT_EQ(ours.strategy, theirs.strategy);
      EXPECT_EQ(ours.reason.empty(), ours.strategy != Strategy::kRelay);
    }
  }
}

/// Whatever two ends may say of themselves: their plans belong together, and none breaks a budget.
TEST_F(PlanTest, PlansOfBothEndsFitEachOtherWhateverTheReports) {
  const auto draw = [&](IpAddress at) {
    return NatReport{.mapping = static_cast<NatMapping>(rng.below(5)),
                     .filtering = static_cast<NatFiltering>(rng.below(4)),
                     .allocation = static_cast<PortAllocation>(rng.below(5)),
                     .address_varies = rng.below(8) == 0,
                     .mapped = {at, rng.number<std::uint16_t>()},
                     .step = rng.number<std::int16_t>(),
                     .newest = rng.number<std::uint16_t>(),
                     .low = rng.number<std::uint16_t>(),
                     .high = rng.number<std::uint16_t>(),
                     .foreign = rng.number<std::uint16_t>()};
  };
  for (int i = 0; i < 5000; ++i) {
    const auto here = draw(kHere);
    const auto there = draw(kThere);
    settings.most_probes = static_cast<std::uint16_t>(rng.below(300));
    settings.most_sockets = static_cast<std::uint16_t>(rng.below(257));
    const auto campaign = rng.below(4);
    const auto ours = plan(here, there, campaign);
    const auto theirs = plan(there, here, campaign);
    if (!here.mapped.is_set() || !there.mapped.is_set()) continue;  // port 0 was drawn
    EXPECT_EQ(ours.strategy, theirs.strategy);
    for (const auto* made : {&ours, &theirs}) {
      EXPECT_LE(made->probes.size(), settings.most_probes);
      EXPECT_LE(made->sockets, settings.most_sockets);
      EXPECT_EQ(made->reason.empty(), made->strategy != Strategy::kRelay);
      for (const auto& to : made->probes) EXPECT_NE(to.port, 0);
    }
    const bool luck = ours.strategy == Strategy::kBirthday || ours.strategy == Strategy::kRange;
    EXPECT_TRUE(!luck || ours.opener_to.is_set() != theirs.opener_to.is_set());
  }
}

TEST_F(PlanTest, ConesSendToEachOthersMappedEndpointOnly) {
  const auto made = plan(cone(kHere), cone(kThere));
  EXPECT_EQ(made.opener_to, cone(kThere).mapped);
  EXPECT_EQ(made.sockets, 0);
  EXPECT_TRUE(made.targets.empty());
  EXPECT_TRUE(made.probes.empty());
}

TEST_F(PlanTest, BirthdayOpensAtTheSymmetricEndAndProbesAtTheOther) {
  const auto opens = plan(symmetric(kHere), cone(kThere));
  EXPECT_EQ(opens.sockets, 256);
  EXPECT_EQ(opens.targets, std::vector{cone(kThere).mapped});
  EXPECT_TRUE(opens.probes.empty());
  EXPECT_EQ(opens.opener_to, cone(kThere).mapped);

  const auto probes = plan(cone(kHere), symmetric(kThere));
  EXPECT_EQ(probes.sockets, 0);
  EXPECT_FALSE(probes.opener_to.is_set());
  ASSERT_EQ(probes.probes.size(), 2048U);
  EXPECT_EQ(probes.probes.front(), symmetric(kThere).mapped);
  const std::set<Endpoint> distinct(probes.probes.begin(), probes.probes.end());
  EXPECT_GE(distinct.size(), 2047U);  // the mapped port may come again among the random ones
  for (const auto& to : probes.probes) {
    EXPECT_EQ(to.address, kThere);
    EXPECT_GE(to.port, 1024);
  }
}

TEST_F(PlanTest, CampaignsDrawOtherPortsEachTime) {
  const auto first = plan(cone(kHere), symmetric(kThere), 1).probes;
  const auto second = plan(cone(kHere), symmetric(kThere), 2).probes;
  const std::set<Endpoint> seen(first.begin(), first.end());
  const auto again = std::count_if(second.begin(), second.end(),
                                   [&](const Endpoint& to) { return seen.contains(to); });
  EXPECT_LT(again, 200);  // 2048² / 64512 = 65 by chance
}

TEST_F(PlanTest, WithTheRosterGoOpenersOfTheMainSocketOnly) {
  for (const auto& remote : {symmetric(kThere), sequential(kThere), ranged(kThere, 2048, 4095)}) {
    const auto made = plan(cone(kHere), remote, 0);
    EXPECT_EQ(made.strategy, Strategy::kCone);
    EXPECT_EQ(made.opener_to, remote.mapped);
    EXPECT_TRUE(made.probes.empty());
    EXPECT_EQ(plan(remote, cone(kHere), 0).sockets, 0);
  }
  EXPECT_EQ(plan(symmetric(kHere), symmetric(kThere), 0).strategy, Strategy::kRelay);
}

TEST_F(PlanTest, TheThirdCampaignTrustsNeitherPredictionsNorFilters) {
  const auto full = cone(kHere, NatFiltering::kEndpointIndependent);
  for (const auto& remote : {symmetric(kThere), sequential(kThere), ranged(kThere, 2048, 4095)}) {
    for (const auto& local : {full, cone(kHere)}) {
      EXPECT_EQ(plan(local, remote, 2).strategy, plan(local, remote, 1).strategy);
      EXPECT_EQ(plan(local, remote, 3).strategy, Strategy::kBirthday);
      EXPECT_EQ(plan(remote, local, 3).strategy, Strategy::kBirthday);
      EXPECT_EQ(plan(local, remote, 4).strategy, plan(local, remote, 1).strategy);
    }
  }
  EXPECT_EQ(plan(cone(kHere), cone(kThere), 3).strategy, Strategy::kCone);
}

TEST_F(PlanTest, AnUnknownFilterIsTakenForAPortRestrictedOne) {
  EXPECT_EQ(plan(cone(kHere, NatFiltering::kUnknown), symmetric(kThere)).strategy,
            Strategy::kBirthday);
}

TEST_F(PlanTest, RangeProbesWhatWasSeenThenItsBlockThenTheRest) {
  for (const std::uint32_t campaign : {1U, 2U}) {
    const auto made = plan(cone(kHere), ranged(kThere, 41000, 41900), campaign);
    EXPECT_EQ(made.strategy, Strategy::kRange);
    const auto port = [&](std::size_t i) { return made.probes.at(i).port; };
    const std::size_t seen = 901;
    for (std::size_t i = 1; i <= seen; ++i) EXPECT_TRUE(port(i) >= 41000 && port(i) <= 41900);
    for (std::size_t i = seen + 1; i <= 1024; ++i) {  // the block of 1,024 at 40 × 1,024
      EXPECT_TRUE(port(i) >= 40960 && port(i) <= 41983);
    }
    const bool above = campaign == 1;
    for (std::size_t i = 1025; i < 1025 + 800; ++i) EXPECT_EQ(port(i) > 41983, above);
  }
}

TEST_F(PlanTest, NeverMoreThanHalfOfTheBlockIsOpened) {
  EXPECT_EQ(plan(ranged(kHere, 2048, 2247), cone(kThere)).sockets, 100);
  EXPECT_EQ(plan(ranged(kHere, 2048, 2247), cone(kThere), 2, 70).sockets, 30);
  const auto used_up = plan(ranged(kHere, 2048, 2247), cone(kThere), 3, 100);
  EXPECT_EQ(used_up.sockets, 0);
  EXPECT_TRUE(used_up.targets.empty());
  EXPECT_EQ(plan(ranged(kHere, 2048, 4095), cone(kThere)).sockets, 256);
}

TEST_F(PlanTest, RangePairDrawsWithinTheOthersBlock) {
  const auto made = plan(ranged(kHere, 2100, 3000), ranged(kThere, 41000, 41900));
  EXPECT_EQ(made.strategy, Strategy::kRangePair);
  EXPECT_EQ(made.probes.size(), 512U);
  EXPECT_EQ(std::set<Endpoint>(made.probes.begin(), made.probes.end()).size(), 512U);
  for (const auto& to : made.probes) EXPECT_TRUE(to.port >= 40960 && to.port <= 41983);
  EXPECT_EQ(plan(ranged(kHere, 2100, 3000), ranged(kThere, 41000, 41900), 2, 500).probes.size(),
            12U);
  const auto full = plan(ranged(kHere, 2100, 3000), ranged(kThere, 41000, 41900), 3, 512);
  EXPECT_EQ(full.strategy, Strategy::kRelay);
  EXPECT_NE(full.reason.find("in use"), std::string::npos);
  EXPECT_EQ(plan(ranged(kHere, 2100, 3000), ranged(kThere, 20000, 29000)).strategy,
            Strategy::kRelay);
}

TEST_F(PlanTest, RangesAtTheEndsOfAllPortsStayWithinThem) {
  for (const auto& remote : {ranged(kThere, 1, 700), ranged(kThere, 65000, 65535)}) {
    for (const auto& local : {cone(kHere), ranged(kHere, 2100, 3000)}) {
      for (const auto& to : plan(local, remote).probes) EXPECT_NE(to.port, 0);
    }
  }
}

TEST_F(PlanTest, AnAddressDependentMappingHoldsOnePortHoweverMuchIsProbed) {
  auto local = ranged(kHere, 2100, 3000);
  local.mapping = NatMapping::kAddressDependent;
  EXPECT_EQ(plan(local, ranged(kThere, 41000, 41900), 3, 512).strategy, Strategy::kRangePair);
}

TEST_F(PlanTest, SequentialProbesOutwardFromTheMiddleOfTheRow) {
  for (const auto step : std::initializer_list<std::int16_t>{1, 7, -2}) {
    const auto made = plan(cone(kHere), sequential(kThere, step));
    EXPECT_EQ(plan(sequential(kHere, step), cone(kThere)).sockets, 64);
    const auto at = [&](int k) { return static_cast<std::uint16_t>(20000 + step * k); };
    EXPECT_EQ(made.probes[1].port, at(36));  // 4 taken since, half of 64 further on
    EXPECT_EQ(made.probes[2].port, at(37));
    EXPECT_EQ(made.probes[3].port, at(35));
    EXPECT_LE(made.probes.size(), 2048U);
  }
}

TEST_F(PlanTest, SequentialPortsGoRoundAtTheEndOfThePorts) {
  EXPECT_EQ(plan(cone(kHere), sequential(kThere, 1, 65500)).probes[1].port, 1024);
  EXPECT_EQ(plan(cone(kHere), sequential(kThere, -1, 1059)).probes[1].port, 65535);
}

TEST_F(PlanTest, SequentialPairAimsAtTheMiddlesOfTheRows) {
  auto remote = sequential(kThere, 7);
  remote.foreign = 20;  // three more in 150 ms
  const auto made = plan(sequential(kHere), remote);
  EXPECT_EQ(made.sockets, 128);
  EXPECT_EQ(made.targets, (std::vector<Endpoint>{{kThere, 20000 + 7 * (7 + 32)},
                                                 {kThere, 20000 + 7 * (7 + 64 + 32)}}));
  const auto later = plan(sequential(kHere), remote, 2);
  EXPECT_EQ(later.sockets, 256);
  EXPECT_EQ(later.targets, (std::vector<Endpoint>{{kThere, 20000 + 7 * (7 + 128)}}));
}

TEST_F(PlanTest, OpeningsDieEarlyUnlessTheyAreLetIn) {
  EXPECT_GT(plan(symmetric(kHere), cone(kThere)).opening_ttl, 0);
  settings.forced = static_cast<std::uint8_t>(Strategy::kBirthday);
  EXPECT_EQ(plan(symmetric(kHere), cone(kThere, NatFiltering::kEndpointIndependent)).opening_ttl,
            0);
  settings.forced = 0;
  EXPECT_EQ(plan(sequential(kHere), sequential(kThere)).opening_ttl, 0);
}

TEST_F(PlanTest, KeepsWithinTheBudget) {
  settings.most_sockets = 16;
  settings.most_probes = 50;
  for (const auto& remote : {symmetric(kThere), sequential(kThere), ranged(kThere, 2048, 4095)}) {
    EXPECT_EQ(plan(cone(kHere), remote).probes.size(), 50U);
    EXPECT_EQ(plan(remote, cone(kHere)).sockets, 16);
  }
  EXPECT_EQ(plan(ranged(kHere, 2048, 4095), ranged(kThere, 8192, 10000)).probes.size(), 50U);
  EXPECT_EQ(plan(sequential(kHere), sequential(kThere)).sockets, 16);
}

}  // namespace
}  // namespace wormhole
