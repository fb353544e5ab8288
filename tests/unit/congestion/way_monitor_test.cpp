#include "wormhole/congestion/way_monitor.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "unit/congestion/way_rig.hpp"

namespace wormhole::testing {
namespace {

constexpr double kRate = 4e6;

WayModel bottleneck() {
  WayModel model;
  model.rate = kRate;
  model.jitter = 10ms;
  return model;
}

/// Whether the verdict appears within that time.
bool within(WayRig& rig, Duration limit, LinkVerdict verdict) {
  bool seen = false;
  rig.run(limit, [&](const LinkState& state) {
    seen = state.verdict == verdict;
    return !seen;
  });
  return seen;
}

TEST(WayMonitor, WhatFitsIsClearAndItsRatesAreRight) {
  WayRig rig(bottleneck(), 1);
  rig.offer({0.7 * kRate});
  EXPECT_FALSE(within(rig, 20s, LinkVerdict::kLimit));
  const auto state = rig.state();
  EXPECT_EQ(state.verdict, LinkVerdict::kClear);
  EXPECT_NEAR(state.sent_bps, 0.7 * kRate, 0.05 * kRate);
  EXPECT_NEAR(state.delivered_bps, 0.7 * kRate, 0.05 * kRate);
  EXPECT_EQ(state.capacity_bps, 0) << "never tested";
  EXPECT_LT(state.queue_delay, 15ms);
  EXPECT_EQ(state.confidence, 1);
}

TEST(WayMonitor, MoreThanFitsIsALimitUntilItFitsAgain) {
  WayRig rig(bottleneck(), 2);
  rig.offer({0.5 * kRate});
  rig.run(5s);
  rig.offer({1.25 * kRate});
  EXPECT_TRUE(within(rig, 1s, LinkVerdict::kLimit));
  rig.run(3s);
  EXPECT_NEAR(rig.state().capacity_bps, kRate, 0.05 * kRate);
  EXPECT_NEAR(rig.state().delivered_bps, kRate, 0.05 * kRate);
  EXPECT_GT(rig.state().loss, 0.1) << "the queue is full";
  rig.offer({0.5 * kRate});
  EXPECT_TRUE(within(rig, 4s, LinkVerdict::kClear));
  EXPECT_FALSE(within(rig, 20s, LinkVerdict::kLimit));
  EXPECT_NEAR(rig.state().capacity_bps, kRate, 0.05 * kRate) << "it is remembered";
}

TEST(WayMonitor, LittleIsNeverALimitAndAnIdleWayIsToldOfOnce) {
  WayRig rig(bottleneck(), 3);
  rig.offer({50e3});
  EXPECT_FALSE(within(rig, 60s, LinkVerdict::kLimit));
  EXPECT_EQ(rig.state().verdict, LinkVerdict::kAppLimited);
  rig.offer({});
  rig.run(20s);
  EXPECT_EQ(rig.state().verdict, LinkVerdict::kAppLimited);
  EXPECT_EQ(rig.state().delivered_bps, 0);
}

TEST(WayMonitor, LossWithoutAQueueIsLossy) {
  for (const double loss : {0.03, 0.12, 0.3}) {
    auto model = bottleneck();
    model.loss = loss;
    WayRig rig(model, 4);
    rig.offer({0.5 * kRate});
    EXPECT_FALSE(within(rig, 60s, LinkVerdict::kLimit)) << loss;
    rig.run(5s, [&](const LinkState& state) { return state.verdict != LinkVerdict::kLossy; });
    EXPECT_EQ(rig.state().verdict, LinkVerdict::kLossy) << loss;
  }
}

TEST(WayMonitor, ALimiterWithoutAQueueShowsByLoss) {
  auto model = bottleneck();
  model.queue = 2ms;
  WayRig rig(model, 5);
  rig.offer({0.5 * kRate});
  rig.run(5s);
  rig.offer({1.5 * kRate});
  EXPECT_TRUE(within(rig, 4s, LinkVerdict::kLimit));
  rig.run(3s);
  EXPECT_NEAR(rig.state().capacity_bps, kRate, 0.1 * kRate);
}

TEST(WayMonitor, APathThatBecomesLongerIsNotALimitForLong) {
  for (const double load : {0.3, 0.9}) {
    for (const double loss : {0.0, 0.03}) {
      auto model = bottleneck();
      model.loss = loss;
      WayRig rig(model, 6);
      rig.offer({load * kRate});
      rig.run(20s);
      rig.model.delay += 80ms;
      rig.run(20s);
      EXPECT_NE(rig.state().verdict, LinkVerdict::kLimit) << load << ", " << loss;
      rig.run(30s);
      EXPECT_LT(rig.state().queue_delay, 15ms) << load << ", " << loss;
    }
  }
}

TEST(WayMonitor, BurstsAreNoLoss) {
  WayRig rig({}, 10);
  rig.offer({6e6, true});
  double most = 0;
  rig.run(60s, [&](const LinkState& state) {
    most = std::max(most, state.loss);
    return true;
  });
  EXPECT_EQ(most, 0);
}

TEST(WayMonitor, AgeAndConfidenceBeginWithTheFirstReport) {
  WayRig rig(bottleneck(), 11);
  rig.offer({50e3});
  rig.run(10s);
  EXPECT_LT(rig.state().age, 9s) << "the first report takes two seconds";
}

TEST(WayMonitor, WhatWaitsHereKeepsTheLimit) {
  WayRig rig(bottleneck(), 7);
  rig.offer({0.5 * kRate});
  rig.run(5s);
  rig.offer({1.25 * kRate});
  ASSERT_TRUE(within(rig, 1s, LinkVerdict::kLimit));
  rig.monitor().set_demand(0.3 * kRate, true, rig.now());
  rig.offer({0.95 * kRate});  // the sender paces itself
  rig.run(20s);
  EXPECT_EQ(rig.state().verdict, LinkVerdict::kLimit);
  EXPECT_NEAR(rig.state().offered_bps, 1.25 * kRate, 0.1 * kRate);
  EXPECT_NEAR(rig.state().capacity_bps, kRate, 0.1 * kRate);
  rig.monitor().set_demand(0, false, rig.now());
  EXPECT_TRUE(within(rig, 4s, LinkVerdict::kClear));
}

TEST(WayMonitor, ACapacityThatFallsIsKnownSoon) {
  auto model = bottleneck();
  model.rate = 2.5e6;
  WayRig rig(model, 12);
  rig.offer({3e6});
  rig.run(10s);
  ASSERT_NEAR(rig.state().capacity_bps, 2.5e6, 0.05 * 2.5e6);
  rig.model.rate = 0.6e6;
  rig.run(750ms);  // 300 of them stood in the queue
  EXPECT_NEAR(rig.state().capacity_bps, 0.6e6, 0.1 * 0.6e6) << "nothing of before counts";
  for (int i = 0; i < 20; ++i) {
    rig.run(50ms);
    ASSERT_LT(rig.state().capacity_bps, 1.1 * 0.6e6) << "not even later";
  }
  rig.model.rate = 2e6;
  rig.run(900ms);
  EXPECT_NEAR(rig.state().capacity_bps, 2e6, 0.1 * 2e6);
}

TEST(WayMonitor, WhatWaitsHereForLongIsALimit) {
  WayRig rig(bottleneck(), 13);
  rig.offer({0.7 * kRate});  // paced: no queue in the network
  rig.run(5s);
  const auto waits = [&](bool any) { rig.monitor().set_demand(0, any, rig.now()); };
  for (int i = 0; i < 10; ++i) {  // key frames
    waits(true);
    rig.run(300ms);
    ASSERT_EQ(rig.state().verdict, LinkVerdict::kClear);
    waits(false);
    rig.run(300ms);
  }
  waits(true);
  rig.run(400ms);
  EXPECT_EQ(rig.state().verdict, LinkVerdict::kClear);
  rig.run(300ms);
  EXPECT_EQ(rig.state().verdict, LinkVerdict::kLimit);
}

/// The sender paces itself around what is carried: the queue is never long enough to measure it.
TEST(WayMonitor, AnEstimateThatIsTooHighIsCorrectedWhilePacing) {
  auto model = bottleneck();
  model.jitter = 2ms;
  WayRig rig(model, 14);
  rig.offer({1.25 * kRate});
  ASSERT_TRUE(within(rig, 2s, LinkVerdict::kLimit));
  rig.monitor().set_demand(0.3 * kRate, true, rig.now());
  rig.run(1s);
  const double now = 0.75 * kRate;
  rig.offer({0.88 * kRate});
  rig.run(5s);  // all is drained
  rig.model.rate = now;
  ASSERT_GT(rig.state().capacity_bps, 0.95 * kRate);
  for (int i = 0; i < 5; ++i) {
    rig.offer({1.02 * now});
    rig.run(700ms);
    rig.offer({0.98 * now});
    rig.run(700ms);
    ASSERT_LT(rig.state().queue_delay, 15ms);
  }
  EXPECT_LT(rig.state().capacity_bps, now / 0.85) << "what is nearer is within the swing";
  EXPECT_GT(rig.state().capacity_bps, 0.95 * now);
}

TEST(WayMonitor, ResetForgetsEverything) {
  WayRig rig(bottleneck(), 8);
  rig.offer({1.5 * kRate});
  ASSERT_TRUE(within(rig, 3s, LinkVerdict::kLimit));
  rig.monitor().reset();
  EXPECT_EQ(rig.monitor().reported(), kNever);
  EXPECT_EQ(rig.state().verdict, LinkVerdict::kAppLimited);
  EXPECT_EQ(rig.state().capacity_bps, 0);
}

/// Whatever a peer says, what comes out are numbers.
void expect_numbers(const LinkState& state) {
  for (const double value : {state.capacity_bps, state.offered_bps, state.sent_bps,
                             state.delivered_bps, state.loss, state.confidence}) {
    ASSERT_TRUE(std::isfinite(value));
    ASSERT_GE(value, 0);
  }
  ASSERT_LE(state.loss, 1);
  ASSERT_LE(state.confidence, 1);
}

TEST(WayMonitor, ReportsThatMakeNoSenseDoNoHarm) {
  SeededRng rng(9);
  SendHistory history;
  const SentSource source{&history, {}};
  WayMonitor monitor;
  TimePoint now{1h};
  std::uint32_t mark = 0;
  for (int i = 0; i < 20'000; ++i) {
    now += Duration(std::chrono::microseconds(rng.below(50'000)));
    history.note(++mark, rng.below(1500), now);
    Feedback report;
    report.frames = rng.below(3) == 0 ? rng.number<std::uint32_t>() : mark;
    report.bytes = rng.number<std::uint32_t>();
    report.at =
        rng.below(3) == 0 ? rng.number<std::uint32_t>() : static_cast<std::uint32_t>(i * 100);
    report.count = static_cast<std::uint8_t>(1 + rng.below(Feedback::kMostSamples));
    for (auto& sample : report.samples) {
      sample = {mark - rng.below(100), static_cast<std::uint16_t>(rng.below(65'536))};
    }
    monitor.on_report(report, SentBy({&source, 1}), 32, {}, now);
    expect_numbers(monitor.state(SentBy({&source, 1}), now));
  }
}

TEST(WayMonitor, LateAndRepeatedReportsAndUnknownMarksChangeNothing) {
  SendHistory history;
  const SentSource source{&history, {}};
  WayMonitor monitor;
  TimePoint now{1h};
  std::vector<Feedback> said;
  for (std::uint32_t n = 1; n <= 100; ++n) {
    now += 50ms;
    history.note(n, 1228, now - 20ms);
    Feedback report;
    report.frames = n;
    report.bytes = n * 1228;
    report.at = n * 500;
    report.count = 1;
    report.samples[0] = {n, 0};
    monitor.on_report(report, SentBy({&source, 1}), 32, {}, now);
    said.push_back(report);
  }
  const auto before = monitor.state(SentBy({&source, 1}), now);
  const auto reported = monitor.reported();
  EXPECT_GT(before.delivered_bps, 100'000);
  auto unknown = said.back();
  unknown.frames += 5;
  unknown.at += 500;
  unknown.samples[0].mark = 777'777;
  said.push_back(unknown);
  for (const auto& report : said) {
    monitor.on_report(report, SentBy({&source, 1}), 32, {}, now + 1ms);
  }
  EXPECT_EQ(monitor.reported(), reported);
  EXPECT_EQ(monitor.state(SentBy({&source, 1}), now).delivered_bps, before.delivered_bps);
}

TEST(WayMonitor, CountersAndClockMayPass32Bits) {
  SendHistory history;
  const SentSource source{&history, {}};
  WayMonitor monitor;
  TimePoint now{1h};
  for (std::uint32_t n = 1; n <= 200; ++n) {
    now += 50ms;
    history.note(n, 12'280, now - 20ms);
    Feedback report;
    report.frames = 0xffffff9cU + n;  // passes after 100
    report.bytes = 0xfff00000U + n * 12'280;
    report.at = 0xffff3cb0U + n * 500;
    report.count = 1;
    report.samples[0] = {n, 0};
    monitor.on_report(report, SentBy({&source, 1}), 0, {}, now);
    if (n < 30) continue;
    const auto state = monitor.state(SentBy({&source, 1}), now);
    ASSERT_NEAR(state.delivered_bps, 12'280 * 8 * 20, 1000) << n;
    ASSERT_EQ(state.loss, 0) << n;
    ASSERT_EQ(state.verdict, LinkVerdict::kClear) << n;
  }
}

}  // namespace
}  // namespace wormhole::testing
