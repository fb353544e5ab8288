#include "sim/link.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "sim/event_queue.hpp"

namespace wormhole::sim {
namespace {

constexpr TimePoint kStart{1h};
constexpr int kMany = 20'000;

struct LinkTest : testing::Test {
  LinkTest() { link.profile.delay = 10ms; }
  /// How many of kMany datagrams, one a millisecond, `count` counts.
  template <typename Count>
  double share(Count count) {
    int hits = 0;
    for (int i = 0; i < kMany; ++i) hits += count(link.carry(100, kStart + i * 1ms, rng)) ? 1 : 0;
    return static_cast<double>(hits) / kMany;
  }
  Link link;
  SeededRng rng{1};
};

TEST_F(LinkTest, ACleanLinkOnlyDelays) {
  const auto carried = link.carry(1500, kStart, rng);
  ASSERT_EQ(carried.copies.size(), 1U);
  EXPECT_EQ(carried.copies[0].arrives, kStart + 10ms);
  EXPECT_FALSE(carried.copies[0].corrupt);
}

TEST_F(LinkTest, SharesAreAsAsked) {
  link.profile.loss = 0.1;
  EXPECT_NEAR(share([](const Carried& c) { return c.fate == What::kLost; }), 0.1, 0.01);
  link.profile.loss = 0;
  link.profile.duplicate = 0.3;
  EXPECT_NEAR(share([](const Carried& c) { return c.copies.size() == 2; }), 0.3, 0.02);
  link.profile.duplicate = 0;
  link.profile.corrupt = 0.01;
  EXPECT_NEAR(share([](const Carried& c) { return c.copies[0].corrupt; }), 0.01, 0.004);
}

TEST_F(LinkTest, BurstsLastAsLongAsTheirModelSays) {
  link.profile.burst_begin = 0.01;
  link.profile.burst_end = 0.25;
  // The Gilbert model's share in the bad state: begin / (begin + end).
  EXPECT_NEAR(share([](const Carried& c) { return c.fate == What::kLost; }), 0.01 / 0.26, 0.01);
}

TEST_F(LinkTest, JitterKeepsTheOrderAndReorderingDoesNot) {
  link.profile.jitter = 30ms;
  TimePoint last{};
  const auto overtaken = [&last](const Carried& c) {
    const bool early = c.copies[0].arrives < last;
    last = std::max(last, c.copies[0].arrives);
    return early;
  };
  EXPECT_EQ(share(overtaken), 0);
  link.profile.jitter = {};
  link.profile.reorder = 0.25;
  link.profile.reorder_by = 20ms;
  last = {};
  EXPECT_GT(share(overtaken), 0.25);
}

TEST_F(LinkTest, RateDelaysThenDrops) {
  link.profile.bits_per_second = 1'000'000;
  link.profile.queue = 20ms;
  // 1250 bytes take 10 ms at 1 Mbit/s: three fit (0, 10 and 20 ms of waiting), the fourth does not.
  for (int i = 1; i <= 3; ++i) {
    EXPECT_EQ(link.carry(1250, kStart, rng).copies.at(0).arrives, kStart + 10ms + i * 10ms);
  }
  EXPECT_EQ(link.carry(1250, kStart, rng).fate, What::kQueueFull);
  EXPECT_EQ(link.carry(1250, kStart + 1s, rng).fate, What::kSent);
}

TEST_F(LinkTest, TooBigAndDownCarryNothing) {
  link.profile.mtu = 1280;
  EXPECT_EQ(link.carry(1280, kStart, rng).fate, What::kSent);
  EXPECT_EQ(link.carry(1281, kStart, rng).fate, What::kTooBig);
  link.profile.up = false;
  EXPECT_EQ(link.carry(100, kStart, rng).fate, What::kLinkDown);
}

TEST(EventQueue, RunsByTimeThenByOrderOfAsking) {
  EventQueue queue;
  std::vector<int> ran;
  queue.at(kStart + 2ms, [&] { ran.push_back(3); });
  queue.at(kStart + 1ms, [&] { ran.push_back(1); });
  queue.at(kStart + 1ms, [&] { ran.push_back(2); });
  EXPECT_EQ(queue.next(), kStart + 1ms);
  while (queue.next() != kNever) queue.run_next();
  EXPECT_EQ(ran, (std::vector<int>{1, 2, 3}));
}

}  // namespace
}  // namespace wormhole::sim
