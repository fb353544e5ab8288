// What routes.yaml forbids or forces, and what people are told.
#include <set>

#include "unit/punch/plan_fixture.hpp"

namespace wormhole {
namespace {

using namespace test;

std::uint16_t bit(Strategy strategy) {
  return static_cast<std::uint16_t>(1U << static_cast<unsigned>(strategy));
}

TEST_F(PlanTest, ForbiddenStrategiesGiveWayToTheNextBest) {
  settings.forbidden = bit(Strategy::kSequential);
  EXPECT_EQ(plan(cone(kHere), sequential(kThere)).strategy, Strategy::kBirthday);
  settings.forbidden = bit(Strategy::kDirect);
  EXPECT_EQ(plan(cone(kHere), open_host(kThere)).strategy, Strategy::kCone);
  settings.forbidden = bit(Strategy::kBirthday);
  const auto made = plan(cone(kHere), symmetric(kThere));
  EXPECT_EQ(made.strategy, Strategy::kRelay);
  EXPECT_EQ(made.reason, "routes.yaml forbids the strategy that fits these NATs (birthday)");
}

TEST_F(PlanTest, AForcedStrategyIsTheOnlyOne) {
  settings.forced = static_cast<std::uint8_t>(Strategy::kBirthday);
  EXPECT_EQ(plan(cone(kHere), ranged(kThere, 2048, 4095)).strategy, Strategy::kBirthday);
  const auto made = plan(cone(kHere), cone(kThere));
  EXPECT_EQ(made.strategy, Strategy::kRelay);
  EXPECT_EQ(made.reason,
            "routes.yaml forces the strategy birthday, which does not fit these NATs (cone does)");
}

TEST_F(PlanTest, SaysWhyItIsTheRelay) {
  const auto reason = [&](const NatReport& local, const NatReport& remote) {
    const auto made = plan(local, remote);
    EXPECT_EQ(made.strategy, Strategy::kRelay);
    EXPECT_TRUE(made.probes.empty() && made.targets.empty() && !made.opener_to.is_set());
    return made.reason;
  };
  EXPECT_EQ(reason(symmetric(kHere), symmetric(kThere)),
            "both NATs allocate random ports: neither end can tell where the other one will be");
  EXPECT_EQ(reason(symmetric(kHere), sequential(kThere)),
            "the peer's NAT takes a new port for each destination, and the other NAT allocates "
            "random ports: a guess can't meet both");
  EXPECT_EQ(reason(ranged(kHere, 2048, 4095), symmetric(kThere)),
            "both NATs allocate random ports, and only this client's NAT within a small range");
  auto varies = symmetric(kThere);
  varies.address_varies = true;
  EXPECT_EQ(reason(cone(kHere), varies),
            "the peer's NAT changes its public address from one connection to the next, so no port "
            "of it can be predicted");
  EXPECT_EQ(plan(cone(kHere, NatFiltering::kEndpointIndependent), varies).strategy,
            Strategy::kCone);
  EXPECT_EQ(reason(cone(kHere), NatReport{}), "the peer's public address is not known yet");
  const auto v6 = open_host(*IpAddress::parse("2001:db8::1"));
  EXPECT_EQ(reason(cone(kHere), v6), "one end has IPv4 only and the other one IPv6 only");
}

TEST_F(PlanTest, StrategiesHaveDistinctNames) {
  std::set<std::string_view> names;
  for (std::uint8_t i = 0; i < kStrategies; ++i) names.insert(words(static_cast<Strategy>(i)));
  EXPECT_EQ(names.size(), std::size_t{kStrategies});
}

}  // namespace
}  // namespace wormhole
