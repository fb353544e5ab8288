#include "wormhole/peer/waiting.hpp"

#include <gtest/gtest.h>

namespace wormhole {
namespace {

const FlowRef kFlow{FlowNo{1}, FlowSlot{1}, "video"};
const TimePoint kStart{1000s};

std::vector<std::uint8_t> text(std::size_t size) { return std::vector<std::uint8_t>(size, 7); }

TEST(Waiting, KeepsTheOrderAndGivesTheBudgetBack) {
  WaitingBudget budget;
  WaitingDatagrams waiting(budget);
  waiting.add(kFlow, text(10), kStart);
  waiting.add(kFlow, {}, kStart);
  waiting.add(kFlow, text(20), kStart);
  EXPECT_EQ(budget.bytes, 30U);
  const auto items = waiting.take(kStart + 1s);
  ASSERT_EQ(items.size(), 3U);
  EXPECT_EQ(items[0].bytes.size(), 10U);
  EXPECT_TRUE(items[1].bytes.empty());
  EXPECT_EQ(items[2].bytes.size(), 20U);
  EXPECT_EQ(budget.bytes, 0U);
  EXPECT_EQ(waiting.overflow(), 0U);
}

TEST(Waiting, TheOldestMakeWayByCountAndByBytes) {
  WaitingBudget budget;
  WaitingDatagrams waiting(budget);
  for (std::size_t n = 0; n < WaitingDatagrams::kMost + 5; ++n) waiting.add(kFlow, text(1), kStart);
  EXPECT_EQ(waiting.overflow(), 5U);
  EXPECT_EQ(waiting.take(kStart).size(), WaitingDatagrams::kMost);
  for (int n = 0; n < 9; ++n) waiting.add(kFlow, text(65507), kStart);
  EXPECT_EQ(waiting.take(kStart).size(), 8U);
  EXPECT_EQ(budget.bytes, 0U);
}

TEST(Waiting, WhatIsTooOldIsNotSent) {
  WaitingBudget budget;
  WaitingDatagrams waiting(budget);
  waiting.add(kFlow, text(1), kStart);
  waiting.add(kFlow, text(2), kStart + 1s);
  const auto items = waiting.take(kStart + WaitingDatagrams::kMostAge + 1ms);
  ASSERT_EQ(items.size(), 1U);
  EXPECT_EQ(items[0].bytes.size(), 2U);
  EXPECT_EQ(waiting.overflow(), 1U);
}

TEST(Waiting, AllPeersTogetherStayWithinTheBudget) {
  WaitingBudget budget;
  budget.bytes = WaitingBudget::kMostBytes - 10;
  {
    WaitingDatagrams waiting(budget);
    waiting.add(kFlow, text(11), kStart);
    EXPECT_EQ(waiting.overflow(), 1U);
    waiting.add(kFlow, text(10), kStart);
    EXPECT_EQ(budget.bytes, WaitingBudget::kMostBytes);
  }
  EXPECT_EQ(budget.bytes, WaitingBudget::kMostBytes - 10);
}

}  // namespace
}  // namespace wormhole
