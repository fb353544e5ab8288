#include "client/link_watch.hpp"

#include <gtest/gtest.h>

namespace wormhole {
namespace {

constexpr TimePoint kStart{1h};

LinkState state(LinkVerdict verdict, double capacity = 3e6, double offered = 6e6) {
  LinkState made;
  made.verdict = verdict;
  made.capacity_bps = capacity;
  made.offered_bps = offered;
  made.delivered_bps = std::min(capacity, offered);
  return made;
}

LinkRow link(const LinkState& of, std::uint16_t peer = 7) {
  return {ClientNo{peer}, PathKind::kDirect, FlowNo{0}, "gcs" + std::to_string(peer), of};
}
LinkRow flow(const LinkState& of) { return {ClientNo{0}, PathKind::kNone, FlowNo{2}, "video", of}; }

class LinkWatchTest : public testing::Test {
 protected:
  LinkWatch::News look(std::vector<LinkRow> rows, Duration later = LinkWatch::kLook) {
    now += later;
    return watch.look(rows, connected, now);
  }
  LinkWatch watch;
  TimePoint now = kStart;
  bool connected = true;
};

TEST_F(LinkWatchTest, ToldOnceUntilTheVerdictChanges) {
  const auto first = look({link(state(LinkVerdict::kLimit))});
  ASSERT_EQ(first.changes.size(), 1U);
  EXPECT_EQ(first.changes[0].what, LinkChange::What::kLink);
  EXPECT_EQ(first.changes[0].peer, "gcs7");
  EXPECT_EQ(first.changes[0].way, PathKind::kDirect);
  EXPECT_EQ(first.changes[0].state.verdict, LinkVerdict::kLimit);
  EXPECT_TRUE(look({link(state(LinkVerdict::kLimit))}).changes.empty());
  const auto clear = look({link(state(LinkVerdict::kClear))});
  ASSERT_EQ(clear.changes.size(), 1U);
  EXPECT_EQ(clear.changes[0].state.verdict, LinkVerdict::kClear);
}

TEST_F(LinkWatchTest, AFlowIsToldByItsName) {
  const auto news = look({flow(state(LinkVerdict::kLimit))});
  ASSERT_EQ(news.changes.size(), 1U);
  EXPECT_EQ(news.changes[0].what, LinkChange::What::kFlow);
  EXPECT_EQ(news.changes[0].flow, "video");
  EXPECT_EQ(news.changes[0].peer, "");
  ASSERT_EQ(news.reports.size(), 1U);
  EXPECT_EQ(news.reports[0].peer, ClientNo{0});
  EXPECT_EQ(news.reports[0].flow, FlowNo{2});
}

TEST_F(LinkWatchTest, NobodyIsToldOfALinkThatHasNeverBeenUsed) {
  const auto news = look({link(LinkState{})});
  EXPECT_TRUE(news.changes.empty());
  EXPECT_TRUE(news.reports.empty());
  EXPECT_FALSE(news.active);
}

TEST_F(LinkWatchTest, ACapacityThatMovesIsToldNowAndThenWhileInLimit) {
  look({link(state(LinkVerdict::kLimit, 3e6))});
  EXPECT_TRUE(look({link(state(LinkVerdict::kLimit, 2e6))}, 300ms).changes.empty());
  EXPECT_EQ(look({link(state(LinkVerdict::kLimit, 2e6))}, 200ms).changes.size(), 1U);
  EXPECT_TRUE(look({link(state(LinkVerdict::kLimit, 2.09e6))}, 1s).changes.empty());
  EXPECT_EQ(look({link(state(LinkVerdict::kLimit, 2.11e6))}, 100ms).changes.size(), 1U);
}

TEST_F(LinkWatchTest, ACapacityThatMovesIsNoNewsWhenClear) {
  look({link(state(LinkVerdict::kClear, 3e6))});
  EXPECT_TRUE(look({link(state(LinkVerdict::kClear, 9e6))}, 1s).changes.empty());
}

TEST_F(LinkWatchTest, TheServerHearsOfALinkInUseEveryFiveSecondsAndOfItsEndOnce) {
  const auto busy = link(state(LinkVerdict::kAppLimited, 0, 1e5));
  ASSERT_EQ(look({busy}).reports.size(), 1U);
  EXPECT_TRUE(look({busy}, 4900ms).reports.empty());
  EXPECT_EQ(look({busy}, 100ms).reports.size(), 1U);
  const auto ended = look({link(LinkState{})});
  ASSERT_EQ(ended.reports.size(), 1U);
  EXPECT_EQ(ended.reports[0].offered_bps, 0U);
  const auto later = look({link(LinkState{})}, 10s);
  EXPECT_TRUE(later.reports.empty());
  EXPECT_FALSE(later.active);
}

TEST_F(LinkWatchTest, ReportsAreWholeNumbersWithinTheirRanges) {
  auto odd = state(LinkVerdict::kLimit, 2'999'999.6, 1e300);
  odd.confidence = 3;
  odd.loss = 0.01254;
  odd.queue_delay = 80ms;
  odd.age = 1h;
  odd.rtt = 41ms;
  odd.sent_bps = -5;
  const auto news = look({link(odd)});
  ASSERT_EQ(news.reports.size(), 1U);
  const auto& report = news.reports[0];
  EXPECT_EQ(report.way, 1);
  EXPECT_EQ(report.capacity_bps, 3'000'000U);
  EXPECT_EQ(report.offered_bps, std::uint64_t{1} << 53);
  EXPECT_EQ(report.sent_bps, 0U);
  EXPECT_EQ(report.confidence, 100);
  EXPECT_EQ(report.loss, 125);
  EXPECT_EQ(report.queue_us, 80'000U);
  EXPECT_EQ(report.rtt_us, 41'000U);
  EXPECT_EQ(report.age_ms, 3'600'000U);
}

TEST_F(LinkWatchTest, WhatDoesNotFitIntoOneLookGoesWithTheNext) {
  std::vector<LinkRow> rows;
  for (std::uint16_t peer = 1; peer <= LinkWatch::kMostReports + 3; ++peer) {
    rows.push_back(link(state(LinkVerdict::kLimit), peer));
  }
  EXPECT_EQ(look(rows).reports.size(), LinkWatch::kMostReports);
  EXPECT_EQ(look(rows).reports.size(), 3U);
  EXPECT_TRUE(look(rows).reports.empty());
}

TEST_F(LinkWatchTest, WithoutAServerChangesAreToldAllTheSameAndReportsWait) {
  connected = false;
  const auto alone = look({link(state(LinkVerdict::kLimit))});
  EXPECT_EQ(alone.changes.size(), 1U);
  EXPECT_TRUE(alone.reports.empty());
  connected = true;
  EXPECT_EQ(look({link(state(LinkVerdict::kLimit))}).reports.size(), 1U);
}

TEST_F(LinkWatchTest, AServerThatHasForgottenHearsAgain) {
  look({link(state(LinkVerdict::kLimit))});
  watch.tell_anew();
  EXPECT_EQ(look({link(state(LinkVerdict::kLimit))}).reports.size(), 1U);
}

TEST_F(LinkWatchTest, ALinkThatIsGoneCarriesNothing) {
  look({link(state(LinkVerdict::kLimit))});
  const auto gone = look({});
  ASSERT_EQ(gone.changes.size(), 1U);
  EXPECT_EQ(gone.changes[0].peer, "gcs7");
  EXPECT_EQ(gone.changes[0].state.verdict, LinkVerdict::kAppLimited);
  EXPECT_EQ(gone.reports.size(), 1U);
  EXPECT_TRUE(look({}).changes.empty());
}

}  // namespace
}  // namespace wormhole
