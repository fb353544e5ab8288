#include "sim/nat.hpp"

#include <gtest/gtest.h>

#include <set>

namespace wormhole::sim {
namespace {

constexpr TimePoint kStart{1h};
const Endpoint kInside{IpAddress::v4(10, 0, 0, 2), 40000};
const Endpoint kServer{IpAddress::v4(198, 51, 100, 10), 7700};
const Endpoint kServerOtherPort{IpAddress::v4(198, 51, 100, 10), 7701};
const Endpoint kOther{IpAddress::v4(198, 51, 100, 11), 7700};
const auto kOutside = IpAddress::v4(203, 0, 113, 1);

struct NatTest : testing::Test {
  Nat nat(NatProfile profile) { return Nat(profile, kOutside, rng); }
  SeededRng rng{1};
};

TEST_F(NatTest, MappingDependsOnAsMuchOfTheRemoteAsItsKindSays) {
  struct Case {
    Dependence mapping;
    bool other_port_same;
    bool other_address_same;
  };
  for (const auto& c : {Case{Dependence::kEndpointIndependent, true, true},
                        Case{Dependence::kAddressDependent, true, false},
                        Case{Dependence::kAddressAndPortDependent, false, false}}) {
    auto n = nat({.mapping = c.mapping});
    const auto first = n.outbound(kInside, kServer, kStart);
    ASSERT_TRUE(first);
    EXPECT_EQ(first->address, kOutside);
    EXPECT_EQ(n.outbound(kInside, kServer, kStart), first);
    EXPECT_EQ(n.outbound(kInside, kServerOtherPort, kStart) == first, c.other_port_same);
    EXPECT_EQ(n.outbound(kInside, kOther, kStart) == first, c.other_address_same);
  }
}

TEST_F(NatTest, FilteringLetsInWhomItsKindSays) {
  struct Case {
    Dependence filtering;
    bool other_port;
    bool other_address;
  };
  for (const auto& c : {Case{Dependence::kEndpointIndependent, true, true},
                        Case{Dependence::kAddressDependent, true, false},
                        Case{Dependence::kAddressAndPortDependent, false, false}}) {
    auto n = nat({.filtering = c.filtering});
    const auto external = *n.outbound(kInside, kServer, kStart);
    EXPECT_EQ(n.inbound(external, kServer, kStart), kInside);
    EXPECT_EQ(n.inbound(external, kServerOtherPort, kStart).has_value(), c.other_port);
    EXPECT_EQ(n.inbound(external, kOther, kStart).has_value(), c.other_address);
  }
}

TEST_F(NatTest, NothingComesInWithoutAMapping) {
  auto n = nat({.filtering = Dependence::kEndpointIndependent});
  EXPECT_FALSE(n.inbound({kOutside, 40000}, kServer, kStart));
}

TEST_F(NatTest, PreservingKeepsThePortUntilItIsTaken) {
  auto n = nat({.allocation = Allocation::kPreserving});
  EXPECT_EQ(n.outbound(kInside, kServer, kStart)->port, kInside.port);
  const Endpoint neighbour{IpAddress::v4(10, 0, 0, 3), kInside.port};
  EXPECT_NE(n.outbound(neighbour, kServer, kStart)->port, kInside.port);
}

TEST_F(NatTest, SequentialGoesOnByItsStepAndWrapsWithinTheRange) {
  auto n = nat({.mapping = Dependence::kAddressAndPortDependent,
                .allocation = Allocation::kSequential,
                .step = 2,
                .first_port = 5000,
                .last_port = 5009});
  auto last = n.outbound(kInside, kServer, kStart)->port;
  for (std::uint16_t i = 1; i < 5; ++i) {
    const Endpoint remote{kServer.address, static_cast<std::uint16_t>(kServer.port + i)};
    const auto port = n.outbound(kInside, remote, kStart)->port;
    EXPECT_EQ((port - 5000) % 10, (last - 5000 + 2) % 10);
    last = port;
  }
}

TEST_F(NatTest, RandomNeverGivesAPortTwiceAndSaysWhenNoneIsLeft) {
  auto n = nat({.mapping = Dependence::kAddressAndPortDependent,
                .allocation = Allocation::kRandom,
                .first_port = 5000,
                .last_port = 5019});
  std::set<std::uint16_t> ports;
  for (std::uint16_t i = 0; i < 20; ++i) {
    ports.insert(n.outbound(kInside, {kServer.address, i}, kStart)->port);
  }
  EXPECT_EQ(ports.size(), 20U);
  EXPECT_FALSE(n.outbound(kInside, {kServer.address, 99}, kStart));
  EXPECT_TRUE(n.outbound(kInside, {kServer.address, 99}, kStart + 121s));  // the old ones ended
}

TEST_F(NatTest, BlockKeepsAHostWithinItsBlockAndHostsApart) {
  auto n = nat({.mapping = Dependence::kAddressAndPortDependent,
                .allocation = Allocation::kBlock,
                .first_port = 1024,
                .block_size = 64});
  const auto block_of = [&](std::uint8_t host, std::uint16_t remote_port) {
    const Endpoint inside{IpAddress::v4(10, 0, 0, host), 40000};
    return (n.outbound(inside, {kServer.address, remote_port}, kStart)->port - 1024) / 64;
  };
  for (std::uint16_t port = 1; port < 64; ++port) EXPECT_EQ(block_of(2, port), block_of(2, 1));
  EXPECT_NE(block_of(3, 1), block_of(2, 1));
}

TEST_F(NatTest, MappingEndsAfterSilenceAndOutboundKeepsItAlive) {
  auto n = nat({.timeout = 30s});
  const auto external = *n.outbound(kInside, kServer, kStart);
  EXPECT_EQ(n.outbound(kInside, kServer, kStart + 29s), external);
  EXPECT_TRUE(n.inbound(external, kServer, kStart + 58s));
  EXPECT_FALSE(n.inbound(external, kServer, kStart + 60s));  // inbound alone does not refresh
  EXPECT_EQ(n.live_mappings(kStart + 60s), 0U);
}

TEST_F(NatTest, InboundRefreshesWhereTheNatSaysSo) {
  auto n = nat({.timeout = 30s, .refreshed_by_inbound = true});
  const auto external = *n.outbound(kInside, kServer, kStart);
  EXPECT_TRUE(n.inbound(external, kServer, kStart + 20s));
  EXPECT_TRUE(n.inbound(external, kServer, kStart + 45s));
}

TEST_F(NatTest, AfterARebootTheSameSocketGetsANewPort) {
  for (const auto allocation : {Allocation::kPreserving, Allocation::kSequential,
                                Allocation::kRandom, Allocation::kBlock}) {
    auto n = nat({.allocation = allocation});
    const auto before = *n.outbound(kInside, kServer, kStart);
    n.forget_mappings();
    EXPECT_FALSE(n.inbound(before, kServer, kStart));
    EXPECT_NE(n.outbound(kInside, kServer, kStart)->port, before.port);
  }
}

TEST_F(NatTest, ANewPublicAddressEndsTheOldMappings) {
  auto n = nat({});
  const auto before = *n.outbound(kInside, kServer, kStart);
  n.set_external(IpAddress::v4(203, 0, 113, 2));
  EXPECT_FALSE(n.inbound(before, kServer, kStart));
  EXPECT_EQ(n.outbound(kInside, kServer, kStart)->address, IpAddress::v4(203, 0, 113, 2));
}

}  // namespace
}  // namespace wormhole::sim
