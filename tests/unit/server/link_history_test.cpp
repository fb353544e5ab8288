#include "server/link_history.hpp"

#include <gtest/gtest.h>

namespace wormhole {
namespace {

LinkNews news(std::uint16_t peer, std::uint64_t capacity = 0) {
  LinkNews made;
  made.peer = ClientNo{peer};
  made.capacity_bps = capacity;
  return made;
}

class LinkHistoryTest : public testing::Test {
 protected:
  void add(const LinkNews& what, Duration later) {
    now += later;
    history.add(what, budget, now);
  }
  const LinkHistory::Link& only() const { return history.links().begin()->second; }
  LinkBudget budget;
  LinkHistory history;
  TimePoint now{1h};
};

TEST_F(LinkHistoryTest, KeepsTheLastWordOfEachSecond) {
  add(news(7, 1), 0s);
  add(news(7, 2), 999ms);
  add(news(7, 3), 1ms);
  ASSERT_EQ(history.links().size(), 1U);
  ASSERT_EQ(only().samples.size(), 2U);
  EXPECT_EQ(only().samples[0].news.capacity_bps, 2U);
  EXPECT_EQ(only().samples[1].news.capacity_bps, 3U);
  EXPECT_EQ(only().newest.news.capacity_bps, 3U);
  EXPECT_EQ(budget.samples, 2U);
  EXPECT_EQ(budget.news, 3U);
}

TEST_F(LinkHistoryTest, ForgetsWhatIsOlderThanTenMinutes) {
  for (int i = 0; i < 700; ++i) add(news(7), 1s);
  EXPECT_EQ(only().samples.size(), 601U);  // both ends
  EXPECT_EQ(budget.samples, 601U);
  history.expire(now + 300s);
  EXPECT_EQ(only().samples.size(), 301U);
  history.expire(now + 601s);
  EXPECT_TRUE(history.links().empty());
  EXPECT_EQ(budget.samples, 0U);
  EXPECT_EQ(budget.links, 0U);
}

TEST_F(LinkHistoryTest, RefusesLinksBeyondTheLimitUntilOldOnesAreForgotten) {
  for (std::uint16_t peer = 1; peer <= LinkHistory::kMostLinks; ++peer) add(news(peer), 1ms);
  add(news(1000), 1ms);
  EXPECT_EQ(history.links().size(), LinkHistory::kMostLinks);
  EXPECT_EQ(budget.links_refused, 1U);
  add(news(1000), LinkHistory::kKept + 1s);
  EXPECT_EQ(history.links().size(), 1U);
  EXPECT_EQ(budget.links, 1U);
  EXPECT_EQ(budget.links_refused, 1U);
}

TEST_F(LinkHistoryTest, WithoutRoomTheNewestStateIsKeptAlone) {
  budget.samples = LinkBudget::kMostSamples;
  add(news(7, 5), 1s);
  EXPECT_EQ(only().newest.news.capacity_bps, 5U);
  EXPECT_TRUE(only().samples.empty());
  EXPECT_EQ(budget.samples_refused, 1U);
}

TEST_F(LinkHistoryTest, GivesEverythingBackWhenItGoes) {
  {
    LinkHistory other;
    other.add(news(7), budget, now);
    other.add(news(8), budget, now);
    EXPECT_EQ(budget.samples, 2U);
    EXPECT_EQ(budget.links, 2U);
  }
  EXPECT_EQ(budget.samples, 0U);
  EXPECT_EQ(budget.links, 0U);
}

}  // namespace
}  // namespace wormhole
