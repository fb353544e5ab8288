#include "wormhole/congestion/send_history.hpp"

#include <gtest/gtest.h>

#include <array>

namespace wormhole {
namespace {

/// Frame n leaves at n × apart and has 100 + n bytes.
void send(SendHistory& history, std::uint32_t from, std::uint32_t count, Duration apart) {
  for (auto n = from; n < from + count; ++n) history.note(n, 100 + n, TimePoint{n * apart});
}

TEST(SendHistory, KnowsWhenEachFrameLeft) {
  SendHistory history;
  send(history, 1, 1000, 1ms);
  for (std::uint32_t n = 1; n <= 1000; ++n) ASSERT_EQ(history.find(n)->at, TimePoint{n * 1ms});
  EXPECT_FALSE(history.find(0));
  EXPECT_FALSE(history.find(1001));
  EXPECT_EQ(history.totals().frames, 1000U);
}

TEST(SendHistory, OfABurstItKnowsWhatLeftBehindEach) {
  SendHistory history;
  for (FrameMark mark = 1; mark <= 5; ++mark) history.note(mark, 100, TimePoint{1s});
  history.note(6, 100, TimePoint{2s});
  EXPECT_EQ(history.find(1)->after.frames, 4U);
  EXPECT_EQ(history.find(4)->after.bytes, 100U);
  EXPECT_EQ(history.find(5)->after.frames, 0U);
  EXPECT_EQ(history.find(6)->after.frames, 0U);
}

TEST(SendHistory, IsEmptyAtFirstAndAgainWhenCleared) {
  SendHistory history;
  EXPECT_FALSE(history.find(0));
  EXPECT_EQ(history.until(TimePoint::max()).frames, 0U);
  send(history, 1, 5, 1ms);
  history.clear();
  EXPECT_FALSE(history.find(3));
  EXPECT_EQ(history.until(TimePoint::max()).frames, 0U);
  send(history, 7, 1, 1ms);
  EXPECT_TRUE(history.find(7));
}

TEST(SendHistory, HoldsWhatReportsMayTellOfAndForgetsTheRest) {
  SendHistory history;
  send(history, 1, 30'000, 1ms);
  // A thousand a second: 2.5 s of them at least, and no more than the next power of two.
  EXPECT_TRUE(history.find(30'000 - 2500));
  EXPECT_FALSE(history.find(30'000 - 4096 - 1));
}

TEST(SendHistory, IsBoundedHoweverFastFramesLeave) {
  SendHistory history;
  send(history, 1, 100'000, 1us);
  EXPECT_FALSE(history.find(100'000 - SendHistory::kMost));
  EXPECT_TRUE(history.find(100'000 - SendHistory::kMost + 2));
}

TEST(SendHistory, CountsUntilAnyMoment) {
  SendHistory history;
  send(history, 1, 100, 10ms);
  EXPECT_EQ(history.until(TimePoint{5ms}).frames, 0U);
  EXPECT_EQ(history.until(TimePoint{10ms}).frames, 1U);
  EXPECT_EQ(history.until(TimePoint{10ms}).bytes, 101U);
  EXPECT_EQ(history.until(TimePoint{255ms}).frames, 25U);
  EXPECT_EQ(history.until(TimePoint{255ms}).bytes, 25 * 100 + 25 * 26 / 2U);
  EXPECT_EQ(history.until(TimePoint{1h}).frames, 100U);
}

TEST(SentBy, AddsUpOwnFramesAndThoseOfGroupsFromTheReceiversFirstOn) {
  SendHistory own;
  SendHistory group;
  send(own, 1, 100, 10ms);
  for (std::uint32_t n = 0; n < 50; ++n) group.note(1000 + n, 10, TimePoint{n * 20ms});
  const std::array<SentSource, 2> sources{{{&own, {}}, {&group, {20, 200}}}};
  const SentBy sent(sources);
  EXPECT_EQ(sent.find(5)->at, TimePoint{50ms});
  EXPECT_EQ(sent.find(1010)->at, TimePoint{200ms});
  EXPECT_FALSE(sent.find(5000));
  EXPECT_EQ(sent.between(TimePoint{}, TimePoint{390ms}).frames, 39U);  // none of the group's yet
  EXPECT_EQ(sent.between(TimePoint{390ms}, TimePoint{400ms}).frames, 1U + 1U);
  EXPECT_EQ(sent.between(TimePoint{500ms}, TimePoint{600ms}).frames, 10U + 5U);
  EXPECT_EQ(sent.between(TimePoint{500ms}, TimePoint{600ms}).bytes, 10 * 100 + 555 + 5 * 10U);
  EXPECT_EQ(sent.between(TimePoint{600ms}, TimePoint{600ms}).frames, 0U);
}

}  // namespace
}  // namespace wormhole
