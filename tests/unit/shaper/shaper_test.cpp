// The queue in front of the uplink.
#include "wormhole/shaper/shaper.hpp"

#include <gtest/gtest.h>

#include <map>
#include <string>

namespace wormhole {
namespace {

const TimePoint kStart = TimePoint{} + 1h;
constexpr FlowNo kMavlink{1};
constexpr FlowNo kVideo{2};
constexpr FlowNo kLog{3};
constexpr ShaperTerms kHigh{UplinkClass::kHigh, {}, 0};
constexpr ShaperTerms kNormal{UplinkClass::kNormal, {}, 0};
constexpr ShaperTerms kLow{UplinkClass::kLow, {}, 0};

void put(Shaper& shaper, FlowNo flow, const ShaperTerms& terms, std::size_t size, TimePoint now,
         std::size_t count = 1) {
  const std::vector<std::uint8_t> text(size, static_cast<std::uint8_t>(flow.value));
  for (std::size_t i = 0; i < count; ++i) shaper.add(flow, terms, ClientNo{7}, text, now);
}

/// Takes what may leave now; bytes by flow.
std::map<FlowNo, std::size_t> take(Shaper& shaper, TimePoint now) {
  std::map<FlowNo, std::size_t> taken;
  while (const auto turn = shaper.next(now)) {
    const auto size = turn->text.size();
    taken[turn->flow] += size;
    shaper.charge(size, now);
  }
  return taken;
}

/// The same for a while, as often as the queue wants, with `refill` before each.
template <typename Refill>
std::map<FlowNo, std::size_t> take_for(Shaper& shaper, TimePoint from, Duration span,
                                       Refill refill) {
  std::map<FlowNo, std::size_t> taken;
  for (auto now = from; now < from + span;
       now = std::clamp(shaper.next_deadline(), now + 1ns, now + 5ms)) {
    refill(now);
    for (const auto& [flow, size] : take(shaper, now)) taken[flow] += size;
  }
  return taken;
}

TEST(TokenBucket, LetsGoAtItsRateAndOwesWhatWasTooMuch) {
  TokenBucket bucket;
  bucket.set_rate(100'000, kStart);
  EXPECT_TRUE(bucket.may_send(kStart));
  bucket.take(1500 + 5000);
  EXPECT_FALSE(bucket.may_send(kStart + 49ms));
  EXPECT_TRUE(bucket.may_send(bucket.ready_at()));
  EXPECT_NEAR(std::chrono::duration<double>(bucket.ready_at() - kStart).count(), 0.05, 1e-4);
}

TEST(TokenBucket, SavesLittleAndOwesNoMoreThanItsMost) {
  TokenBucket bucket;
  bucket.set_rate(1'000'000, kStart);
  const auto later = kStart + 10s;
  std::size_t left = 0;
  for (; bucket.may_send(later); left += 500) bucket.take(500);
  EXPECT_EQ(left, 4000U);  // 4 ms
  bucket.take(100'000'000);
  EXPECT_TRUE(bucket.may_send(later + TokenBucket::kMostDebt + 1ms));
}

TEST(Shaper, WithoutAPaceEverythingLeavesAtOnceInOrder) {
  Shaper shaper;
  put(shaper, kVideo, kNormal, 1200, kStart, 3);
  const auto turn = shaper.next(kStart);
  ASSERT_TRUE(turn);
  EXPECT_EQ(turn->flow, kVideo);
  EXPECT_EQ(turn->peer, ClientNo{7});
  EXPECT_EQ(turn->text.size(), 1200U);
  EXPECT_EQ(turn->text[5], kVideo.value);
  shaper.charge(1200, kStart);
  EXPECT_EQ(take(shaper, kStart)[kVideo], 2400U);
  EXPECT_EQ(shaper.backlog(), 0U);
  EXPECT_EQ(shaper.next(kStart), std::nullopt);
}

TEST(Shaper, ThePaceIsKeptAndWakesAreSpaced) {
  Shaper shaper;
  shaper.set_pace(125'000, kStart);
  auto last = kStart - 1s;
  const auto taken = take_for(shaper, kStart, 1s, [&](TimePoint now) {
    put(shaper, kVideo, kNormal, 1250, now, 2);
    EXPECT_GE(now - last, Shaper::kWake - 1ns);
    last = now;
  });
  EXPECT_NEAR(static_cast<double>(taken.at(kVideo)), 125'000, 3000);
}

TEST(Shaper, FastUplinksSendSeveralInOneWake) {
  Shaper shaper;
  shaper.set_pace(6'250'000, kStart);  // 50 Mbit/s
  int wakes = 0;
  const auto taken = take_for(shaper, kStart, 200ms, [&](TimePoint now) {
    put(shaper, kVideo, kNormal, 1250, now, 8);
    ++wakes;
  });
  EXPECT_LE(wakes, 201);
  EXPECT_NEAR(static_cast<double>(taken.at(kVideo)), 1'250'000, 12'500);
}

TEST(Shaper, HighGoesFirstHoweverLongTheOthersWait) {
  Shaper shaper;
  shaper.set_pace(100'000, kStart);
  put(shaper, kVideo, kNormal, 1200, kStart, 50);
  put(shaper, kLog, kLow, 1200, kStart, 50);
  take(shaper, kStart);
  put(shaper, kMavlink, kHigh, 60, kStart + 1ms);
  const auto due = shaper.next_deadline();
  EXPECT_LE(due, kStart + 25ms);  // the debt of one packet, and what was saved for another
  const auto turn = shaper.next(due);
  ASSERT_TRUE(turn);
  EXPECT_EQ(turn->flow, kMavlink);
  shaper.charge(60, due);
}

TEST(Shaper, LowerClassesGetATwentiethOfWhatHigherOnesTake) {
  Shaper shaper;
  shaper.set_pace(1'000'000, kStart);
  const auto taken = take_for(shaper, kStart, 5s, [&](TimePoint now) {
    for (const auto& [flow, terms] :
         {std::pair{kMavlink, kHigh}, {kVideo, kNormal}, {kLog, kLow}}) {
      if (shaper.status(flow, now).packets < 20) put(shaper, flow, terms, 1000, now, 20);
    }
  });
  const auto share = [&](FlowNo flow) { return static_cast<double>(taken.at(flow)) / 5e6; };
  EXPECT_NEAR(share(kVideo), 0.05, 0.01);
  EXPECT_NEAR(share(kLog), 0.05, 0.01);
  EXPECT_NEAR(share(kMavlink), 0.9, 0.02);
}

TEST(Shaper, FlowsOfAClassShareByBytesAndNotByPackets) {
  Shaper shaper;
  shaper.set_pace(1'000'000, kStart);
  const auto taken = take_for(shaper, kStart, 2s, [&](TimePoint now) {
    if (shaper.status(kVideo, now).packets < 50) put(shaper, kVideo, kNormal, 1400, now, 50);
    if (shaper.status(kLog, now).packets < 50) put(shaper, kLog, kNormal, 100, now, 50);
  });
  EXPECT_NEAR(static_cast<double>(taken.at(kVideo)), 1e6, 2e4);
  EXPECT_NEAR(static_cast<double>(taken.at(kLog)), 1e6, 2e4);
}

TEST(Shaper, AFlowThatIsChargedForManyCopiesGetsFewerTurns) {
  Shaper shaper;
  shaper.set_pace(1'000'000, kStart);
  std::map<FlowNo, int> turns;
  for (auto now = kStart; now < kStart + 2s; now = std::max(now + 1ns, shaper.next_deadline())) {
    if (shaper.status(kVideo, now).packets < 50) put(shaper, kVideo, kNormal, 1000, now, 50);
    if (shaper.status(kLog, now).packets < 50) put(shaper, kLog, kNormal, 1000, now, 50);
    while (const auto turn = shaper.next(now)) {
      ++turns[turn->flow];
      shaper.charge(turn->flow == kVideo ? 3000 : 1000, now);
    }
  }
  EXPECT_NEAR(turns[kLog], 3 * turns[kVideo], 15);
}

TEST(Shaper, WhatIsTooOldIsDropped) {
  Shaper shaper;
  shaper.set_pace(10'000, kStart);
  ShaperTerms terms = kNormal;
  terms.max_age = 200ms;
  put(shaper, kVideo, terms, 1000, kStart, 10);
  const auto taken = take_for(shaper, kStart, 2s, [](TimePoint) {});
  const auto status = shaper.status(kVideo, kStart + 2s);
  EXPECT_EQ(status.packets, 0U);
  EXPECT_GE(status.drops.age, 5U);
  EXPECT_EQ(taken.at(kVideo) / 1000 + status.drops.age, 10U);
  EXPECT_LE(status.delay, 200ms);
}

TEST(Shaper, WithoutAMaxAgeASecondIsIt) {
  Shaper shaper;
  shaper.set_pace(1000, kStart);
  put(shaper, kVideo, kNormal, 1000, kStart, 3);
  take(shaper, kStart);
  put(shaper, kVideo, kNormal, 1000, kStart + 1100ms);
  EXPECT_EQ(shaper.status(kVideo, kStart + 1100ms).packets, 1U);
  EXPECT_EQ(shaper.status(kVideo, kStart + 1100ms).drops.age, 1U);
}

TEST(Shaper, AStandingQueueIsDroppedFromAndABurstIsNot) {
  Shaper shaper;
  shaper.set_pace(125'000, kStart);
  // A key frame: half a second of the uplink at once, and nothing for a second.
  put(shaper, kVideo, kNormal, 1250, kStart, 50);
  take_for(shaper, kStart, 1s, [](TimePoint) {});
  EXPECT_EQ(shaper.status(kVideo, kStart + 1s).drops.codel, 0U);
  const auto later = kStart + 10s;
  auto next = later;
  take_for(shaper, later, 5s, [&](TimePoint now) {
    for (; next <= now; next += 9ms) put(shaper, kVideo, kNormal, 1250, now);  // 111 %
  });
  EXPECT_GT(shaper.status(kVideo, later + 5s).drops.codel, 2U);
}

TEST(Shaper, AFullQueueMakesRoomWhereItIsLongest) {
  Shaper shaper;
  shaper.set_pace(1000, kStart);
  put(shaper, kMavlink, kHigh, 60, kStart, 5);
  put(shaper, kVideo, kNormal, 60'000, kStart, 200);
  EXPECT_LE(shaper.backlog(), Shaper::kMostBytes);
  EXPECT_GT(shaper.status(kVideo, kStart).drops.overflow, 50U);
  EXPECT_EQ(shaper.status(kMavlink, kStart).drops.overflow, 0U);
  EXPECT_EQ(shaper.status(kMavlink, kStart).packets, 5U);
  put(shaper, kLog, kLow, 0, kStart, Shaper::kMostPackets + 10);
  EXPECT_LE(shaper.status(kLog, kStart).packets, Shaper::kMostPackets);
}

TEST(Shaper, AFlowsOwnLimitHoldsThatFlowAlone) {
  Shaper shaper;
  ShaperTerms limited = kHigh;
  limited.rate = 50'000;
  const auto taken = take_for(shaper, kStart, 2s, [&](TimePoint now) {
    if (shaper.status(kVideo, now).packets < 20) put(shaper, kVideo, limited, 1000, now, 20);
    if (shaper.status(kMavlink, now).packets == 0) put(shaper, kMavlink, kNormal, 100, now);
    EXPECT_EQ(shaper.status(kMavlink, now).delay, 0ms);
  });
  EXPECT_NEAR(static_cast<double>(taken.at(kVideo)), 100'000, 3000);
  EXPECT_NE(shaper.next_deadline(), kNever);
}

TEST(Shaper, DropsOfAFlowThatItsOwnLimitHeldAreCountedAsItsLimits) {
  Shaper shaper;
  ShaperTerms limited = kNormal;
  limited.rate = 1000;
  put(shaper, kVideo, limited, 1000, kStart, 5);
  take(shaper, kStart);
  take_for(shaper, kStart + 1s, 3s, [](TimePoint) {});
  const auto drops = shaper.status(kVideo, kStart + 4s).drops;
  EXPECT_GE(drops.rate, 2U);
  EXPECT_EQ(drops.age + drops.codel + drops.overflow, 0U);
}

TEST(Shaper, ALimitThatIsTakenAwayHoldsNoLonger) {
  Shaper shaper;
  ShaperTerms limited = kNormal;
  limited.rate = 1000;
  put(shaper, kVideo, limited, 1000, kStart, 5);
  take(shaper, kStart);
  put(shaper, kVideo, kNormal, 1000, kStart);
  take(shaper, kStart);
  EXPECT_EQ(shaper.status(kVideo, kStart).packets, 0U);
  EXPECT_EQ(shaper.next_deadline(), kNever);
}

TEST(Shaper, StreamsHaveTurnsAsLongAsTheyPutSomethingOnTheUplink) {
  Shaper shaper;
  shaper.set_pace(1'000'000, kStart);
  shaper.want_streams(9, UplinkClass::kNormal);
  shaper.want_streams(9, UplinkClass::kNormal);
  std::size_t video = 0;
  std::size_t streams = 0;
  for (auto now = kStart; now < kStart + 1s; now = std::max(now + 1ns, shaper.next_deadline())) {
    if (shaper.status(kVideo, now).packets < 20) put(shaper, kVideo, kNormal, 1250, now, 20);
    while (const auto turn = shaper.next(now)) {
      if (turn->flow.value == 0) {
        EXPECT_EQ(turn->slot, 9);
        streams += 1250;
      } else {
        video += 1250;
      }
      shaper.charge(1250, now);
    }
  }
  EXPECT_NEAR(static_cast<double>(video), static_cast<double>(streams), 10'000);
  // They are asked until they have nothing.
  int asked = 0;
  for (auto now = kStart + 2s; now < kStart + 3s; now += 1ms) {
    while (const auto turn = shaper.next(now)) {
      asked += turn->flow.value == 0 ? 1 : 0;
      shaper.charge(turn->flow.value == 0 ? 0 : 1250, now);
    }
  }
  EXPECT_EQ(asked, 1);
}

TEST(Shaper, WhatIsRemovedIsGone) {
  Shaper shaper;
  shaper.set_pace(1000, kStart);
  put(shaper, kVideo, kNormal, 1000, kStart, 5);
  put(shaper, kLog, kLow, 1000, kStart, 5);
  shaper.want_streams(3, UplinkClass::kHigh);
  shaper.remove(kVideo);
  shaper.remove_streams(3);
  EXPECT_EQ(shaper.backlog(), 5000U);
  EXPECT_EQ(shaper.flows(), std::vector{kLog});
  const auto turn = shaper.next(kStart);
  ASSERT_TRUE(turn);
  EXPECT_EQ(turn->flow, kLog);
  shaper.charge(1000, kStart);
}

TEST(Shaper, ANewClassTakesWhatWaitsAlong) {
  Shaper shaper;
  shaper.set_pace(10'000, kStart);
  put(shaper, kVideo, kNormal, 1000, kStart, 3);
  put(shaper, kLog, kLow, 1000, kStart, 2);
  put(shaper, kLog, kHigh, 1000, kStart);
  const auto turn = shaper.next(kStart);
  ASSERT_TRUE(turn);
  EXPECT_EQ(turn->flow, kLog);
  shaper.charge(1000, kStart);
}

}  // namespace
}  // namespace wormhole
