#include "sim/internet.hpp"

#include <gtest/gtest.h>

#include <bit>

namespace wormhole::sim {
namespace {

const auto kServer = IpAddress::v4(198, 51, 100, 10);
const auto kOutside = IpAddress::v4(203, 0, 113, 1);

/// A public host and two hosts behind one NAT.
struct InternetTest : testing::Test {
  InternetTest() { remember(server), remember(left), remember(right); }
  void remember(Host& host) {
    host.receive = [this, &host](Packet p) { got[host.name].push_back(std::move(p)); };
  }
  void run() {
    while (queue.next() != kNever) {
      now = queue.next();
      queue.run_next();
    }
  }
  static Packet packet(Endpoint from, Endpoint to) { return {from, to, {1, 2, 3}, true}; }

  TimePoint now{1h};
  EventQueue queue;
  Trace trace;
  SeededRng rng{7};
  Internet net{queue, trace, rng, now};
  Nat& nat = net.add_nat({.hairpin = true}, kOutside);
  Host& server = net.add_host("server", {kServer, *IpAddress::parse("2001:db8::10")});
  Host& left = net.add_host("left", {IpAddress::v4(10, 0, 0, 2)}, &nat);
  Host& right = net.add_host("right", {IpAddress::v4(10, 0, 0, 3)}, &nat);
  Endpoint left_at{left.addresses[0], 40000};
  Endpoint server_at{kServer, 7700};
  std::map<std::string, std::vector<Packet>> got;
};

TEST_F(InternetTest, TranslatesOnTheWayOutAndBack) {
  left.up.profile.delay = server.down.profile.delay = 10ms;
  net.send(left, packet(left_at, server_at));
  run();
  ASSERT_EQ(got["server"].size(), 1U);
  EXPECT_EQ(now, TimePoint{1h} + 20ms);
  const auto seen = got["server"][0].from;
  EXPECT_EQ(seen.address, kOutside);
  net.send(server, packet(server_at, seen));
  run();
  ASSERT_EQ(got["left"].size(), 1U);
  EXPECT_EQ(got["left"][0].to, left_at);
  EXPECT_TRUE(got["left"][0].genuine);
}

TEST_F(InternetTest, HairpinsOnlyWhereTheNatDoes) {
  const Endpoint right_at{right.addresses[0], 40000};
  const auto right_outside = *nat.outbound(right_at, server_at, now);
  const auto left_outside = *nat.outbound(left_at, server_at, now);
  ASSERT_TRUE(nat.outbound(right_at, left_outside, now));  // lets left in
  net.send(left, packet(left_at, right_outside));
  run();
  ASSERT_EQ(got["right"].size(), 1U);
  EXPECT_EQ(got["right"][0].from, left_outside);

  auto& plain = net.add_nat({}, IpAddress::v4(203, 0, 113, 9));
  net.move(left, left.addresses, &plain);
  net.send(left, packet(left_at, {plain.external(), 5000}));
  run();
  EXPECT_EQ(got["left"].size(), 0U);
}

TEST_F(InternetTest, NothingComesInUnasked) {
  net.send(server, packet(server_at, {kOutside, 40000}));
  net.send(server, packet(server_at, left_at));  // private addresses don't exist outside
  run();
  EXPECT_TRUE(got.empty());
}

TEST_F(InternetTest, CorruptionFlipsOneBitAndIsNoLongerGenuine) {
  server.down.profile.corrupt = 1;
  net.send(left, packet(left_at, server_at));
  run();
  const auto& arrived = got["server"].at(0);
  int flipped = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    flipped += std::popcount(static_cast<unsigned>(arrived.bytes[i] ^ (i + 1)));
  }
  EXPECT_EQ(flipped, 1);
  EXPECT_FALSE(arrived.genuine);
}

TEST_F(InternetTest, TheTapSeesChangesAndSwallows) {
  net.set_tap([](Packet& p) {
    p.bytes.push_back(4);
    return p.to.port == 7700;
  });
  net.send(left, packet(left_at, server_at));
  net.send(left, packet(left_at, {kServer, 7701}));
  run();
  ASSERT_EQ(got["server"].size(), 1U);
  EXPECT_EQ(got["server"][0].bytes.size(), 4U);
}

TEST_F(InternetTest, WhatIsUnderWayToAnOldAddressIsLost) {
  server.down.profile.delay = 10ms;
  net.send(left, packet(left_at, server_at));
  queue.at(now + 5ms, [this] { net.move(server, {IpAddress::v4(198, 51, 100, 99)}, nullptr); });
  run();
  EXPECT_TRUE(got.empty());
}

TEST_F(InternetTest, Ipv6PassesNoNat) {
  left.addresses.push_back(*IpAddress::parse("2001:db8:1::2"));
  net.send(left, packet({left.addresses[1], 40000}, {server.addresses[1], 7700}));
  run();
  EXPECT_EQ(got["server"].at(0).from.address, left.addresses[1]);
}

TEST(Internet, OneSeedGivesOneTrace) {
  const auto run_once = [](std::uint64_t seed) {
    TimePoint now{1h};
    EventQueue queue;
    Trace trace;
    SeededRng rng{seed};
    Internet net{queue, trace, rng, now};
    const auto there = IpAddress::v4(192, 0, 2, 2);
    auto& a = net.add_host("a", {IpAddress::v4(192, 0, 2, 1)});
    a.up.profile = {.delay = 5ms, .jitter = 3ms, .loss = 0.2, .duplicate = 0.2, .corrupt = 0.1};
    net.add_host("b", {there}).receive = [](const Packet&) {};
    for (std::uint16_t i = 0; i < 200; ++i) {
      net.send(a, {{a.addresses[0], i}, {there, 9}, {1, 2, 3}});
    }
    while (queue.next() != kNever) {
      now = queue.next();
      queue.run_next();
    }
    return trace.hash();
  };
  EXPECT_EQ(run_once(3), run_once(3));
  EXPECT_NE(run_once(3), run_once(4));
}

}  // namespace
}  // namespace wormhole::sim
