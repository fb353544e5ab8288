// The uplink's control against a model of a bottleneck (bottleneck.hpp).
#include <gtest/gtest.h>

#include <functional>

#include "unit/shaper/bottleneck.hpp"

namespace wormhole {
namespace {

using testing::Bottleneck;
using testing::quantile;
using testing::run;
using testing::Sender;

const TimePoint kStart = TimePoint{} + 1h;
constexpr unsigned kSeeds = 5;

Duration path(const Sender& sender) { return sender.delay + sender.jitter; }

TEST(UplinkControl, AControlLinkStaysFastBesideVideoAtTwiceTheCapacity) {
  for (unsigned seed = 1; seed <= kSeeds; ++seed) {
    Bottleneck bottleneck;
    Sender sender(bottleneck, seed);
    sender.delay = 10ms * (1 + seed % 4);
    run({&sender}, kStart, 2s);
    sender.video = 6e6;
    const auto onset = kStart + 2s;
    run({&sender}, onset, 3s);
    const auto lost = sender.lost(Sender::kMavlink);
    run({&sender}, onset + 3s, 60s);
    const auto late = quantile(sender.delays(Sender::kMavlink, onset + 3s), 0.99);
    EXPECT_LE(late, path(sender) + 60ms) << "seed " << seed;
    EXPECT_EQ(sender.lost(Sender::kMavlink), lost) << "seed " << seed;
    EXPECT_GE(sender.bits_since(onset + 3s), 0.88 * 3e6 * 60) << "seed " << seed;
    EXPECT_EQ(sender.begun, 1U);
  }
}

TEST(UplinkControl, VideoThatFitsIsLeftAlone) {
  for (unsigned seed = 1; seed <= kSeeds; ++seed) {
    Bottleneck bottleneck;
    Sender sender(bottleneck, seed);
    sender.video = 0.7 * 3e6;
    run({&sender}, kStart, 30s);
    EXPECT_EQ(sender.begun, 0U);
    EXPECT_EQ(sender.lost(Sender::kVideo), 0U);
  }
}

TEST(UplinkControl, LetsGoWhenTheLoadFits) {
  Bottleneck bottleneck;
  Sender sender(bottleneck, 1);
  sender.video = 6e6;
  run({&sender}, kStart, 10s);
  ASSERT_TRUE(sender.uplink().is_shaping());
  sender.video = 2e6;
  run({&sender}, kStart + 10s, 6s);
  EXPECT_FALSE(sender.uplink().is_shaping());
  EXPECT_EQ(sender.shaper().backlog(), 0U);
}

/// RFC 8867, 5.1, with an encoder that does not listen.
TEST(UplinkControl, FollowsACapacityThatChanges) {
  for (unsigned seed = 1; seed <= kSeeds; ++seed) {
    Bottleneck bottleneck;
    bottleneck.rate = 1e6;
    Sender sender(bottleneck, seed);
    sender.video = 4e6;
    run({&sender}, kStart, 40s);
    bottleneck.rate = 2.5e6;
    run({&sender}, kStart + 40s, 20s);
    bottleneck.rate = 0.6e6;
    run({&sender}, kStart + 60s, 20s);
    bottleneck.rate = 1e6;
    run({&sender}, kStart + 80s, 20s);
    const auto carried = sender.bits_since(kStart);
    EXPECT_GE(carried, 0.85 * (40 * 1e6 + 20 * 2.5e6 + 20 * 0.6e6 + 20 * 1e6)) << "seed " << seed;
    const auto delays = sender.delays(Sender::kMavlink, kStart + 3s);
    EXPECT_LE(quantile(delays, 0.95), path(sender) + 100ms) << "seed " << seed;
    EXPECT_LE(quantile(delays, 0.5), path(sender) + 25ms) << "seed " << seed;
  }
}

TEST(UplinkControl, RandomLossAndJitterTakeNothing) {
  for (unsigned seed = 1; seed <= kSeeds; ++seed) {
    Bottleneck bottleneck;
    Sender sender(bottleneck, seed);
    sender.loss = 0.02;
    sender.jitter = 20ms;
    sender.video = 6e6;
    run({&sender}, kStart, 63s);
    EXPECT_GE(sender.bits_since(kStart + 3s), 0.98 * 0.85 * 3e6 * 60) << "seed " << seed;
    const auto late = quantile(sender.delays(Sender::kMavlink, kStart + 3s), 0.99);
    EXPECT_LE(late, path(sender) + 60ms) << "seed " << seed;
  }
}

TEST(UplinkControl, TwoClientsShareABottleneckFairly) {
  for (unsigned seed = 1; seed <= kSeeds; ++seed) {
    Bottleneck bottleneck;
    bottleneck.rate = 4e6;
    Sender one(bottleneck, seed);
    Sender other(bottleneck, seed + 100);
    other.delay = 45ms;
    one.video = 6e6;
    run({&one, &other}, kStart, 15s);
    other.video = 5e6;  // later, and another rate
    run({&one, &other}, kStart + 15s, 63s);
    const auto since = kStart + 18s;
    const double a = one.bits_since(since) / 60;
    const double b = other.bits_since(since) / 60;
    EXPECT_GE((a + b) * (a + b) / (2 * (a * a + b * b)), 0.9) << a << " beside " << b;
    EXPECT_GE(a + b, 0.85 * 4e6) << "seed " << seed;
    for (const auto* sender : {&one, &other}) {
      EXPECT_LE(quantile(sender->delays(Sender::kMavlink, since), 0.95), path(*sender) + 60ms);
    }
  }
}

/// Somebody else keeps the queue long: giving way for ever would be to starve.
TEST(UplinkControl, AStrangersQueueDoesNotStarveUs) {
  Bottleneck bottleneck;
  Sender sender(bottleneck, 1);
  sender.video = 6e6;
  auto next = kStart;
  run({&sender}, kStart, 40s, [&](TimePoint now) {
    // Keeps 300 ms of queue whatever we do.
    while (now >= next && bottleneck.queue(now) < 300ms) bottleneck.carry(1500, now);
  });
  EXPECT_GE(sender.bits_since(kStart + 10s), 0.1 * 3e6 * 30);
}

TEST(UplinkControl, WithoutReportsItSlowsDownAndThenForgets) {
  Bottleneck bottleneck;
  Sender sender(bottleneck, 1);
  sender.video = 6e6;
  run({&sender}, kStart, 10s);
  ASSERT_TRUE(sender.uplink().is_shaping());
  const auto before = sender.uplink().pace();
  sender.reports = false;
  run({&sender}, kStart + 10s, 4s);
  ASSERT_TRUE(sender.uplink().is_shaping());
  EXPECT_LT(sender.uplink().pace(), before / 4);
  run({&sender}, kStart + 14s, 8s);
  EXPECT_FALSE(sender.uplink().is_shaping());
}

UplinkWay way(LinkVerdict verdict, double sent, Duration queue) {
  UplinkWay made;
  made.link.verdict = verdict;
  made.link.sent_bps = sent;
  made.link.delivered_bps = verdict == LinkVerdict::kLimit ? sent / 2 : sent;
  made.link.capacity_bps = made.link.delivered_bps;
  made.link.queue_delay = queue;
  made.link.rtt = 40ms;
  return made;
}

bool shapes(std::vector<UplinkWay> ways, double uploads_per_copy = 1) {
  UplinkControl control;
  control.update(ways, {uploads_per_copy, 0, 0}, kStart);
  return control.is_shaping();
}

TEST(UplinkControl, OnlyTheUplinkIsShaped) {
  const auto full = way(LinkVerdict::kLimit, 6e6, 300ms);
  EXPECT_TRUE(shapes({full}));
  EXPECT_FALSE(shapes({way(LinkVerdict::kClear, 6e6, 0ms)}));
  EXPECT_FALSE(shapes({way(LinkVerdict::kLossy, 6e6, 5ms)}));
  // Another way carries as much without a queue: it is that peer's link.
  EXPECT_FALSE(shapes({full, way(LinkVerdict::kClear, 6e6, 2ms)}));
  EXPECT_TRUE(shapes({full, way(LinkVerdict::kLimit, 6e6, 290ms)}));
  // What carries little is not at its limit, but stands in the same queue.
  EXPECT_TRUE(shapes({full, way(LinkVerdict::kAppLimited, 0.1e6, 280ms)}));
  EXPECT_TRUE(shapes({full, way(LinkVerdict::kAppLimited, 0.1e6, 0ms)}));
  auto old = full;
  old.silent = 5s;
  EXPECT_FALSE(shapes({old}));
}

/// Looks at one way again and again, for so long: every 50 ms there is a report.
void look(UplinkControl& control, TimePoint& now, Duration span,
          const std::function<UplinkWay(Duration)>& told) {
  for (Duration since{}; since < span; since += 50ms, now += 50ms) {
    const auto way = told(since);
    control.update({&way, 1}, {1, 0, 1000}, now);
  }
}

TEST(UplinkControl, WhileDrainingAStaleCapacityIsTakenDown) {
  auto full = way(LinkVerdict::kLimit, 5e6, 300ms);  // 2.5 Mbit/s are known
  UplinkControl control;
  auto now = kStart;
  control.update({&full, 1}, {}, now);
  ASSERT_NEAR(control.capacity() * 8, 2.5e6, 1);
  now += 50ms;
  look(control, now, 100ms, [&](Duration) {
    full.link.capacity_bps = 0.6e6;
    return full;
  });
  EXPECT_NEAR(control.capacity() * 8, 0.6e6, 1) << "at once";
  look(control, now, 3s, [&](Duration since) {
    full.link.queue_delay = std::max(300ms - since / 5, Duration(50ms));  // shrinks
    return full;  // 2.5 Mbit/s are said to arrive
  });
  EXPECT_LE(control.capacity() * 8, 0.6e6) << "what arrives may be of before";
}

/// Of 3 Mbit/s, after a queue that began as long and shrank by so much a second.
double capacity_after(Duration queue, int percent, Duration span) {
  auto full = way(LinkVerdict::kLimit, 6e6, queue);
  full.link.delivered_bps = 0.8e6;
  UplinkControl control;
  auto now = kStart;
  look(control, now, span, [&](Duration since) {
    full.link.queue_delay = queue - since * percent / 100;
    return full;
  });
  return control.capacity() * 8;
}

TEST(UplinkControl, AQueueThatShrinksTooSlowlyIsOfLessCapacity) {
  EXPECT_NEAR(capacity_after(800ms, 5, 1700ms), 0.8 * 3e6, 1);
  EXPECT_NEAR(capacity_after(800ms, 15, 1700ms), 3e6, 1);
  // A short one is met with nine tenths of the capacity, and goes slowly.
  EXPECT_NEAR(capacity_after(40ms, 2, 350ms), 0.8 * 3e6, 1);
  EXPECT_NEAR(capacity_after(40ms, 6, 350ms), 3e6, 1);
}

TEST(UplinkControl, OneUploadForManyCountsOnce) {
  const std::vector<UplinkWay> ways(3, way(LinkVerdict::kLimit, 6e6, 300ms));
  UplinkControl control;
  control.update(ways, {1.0 / 3, 0, 0}, kStart);
  ASSERT_TRUE(control.is_shaping());
  EXPECT_NEAR(control.capacity(), 3e6 / 8, 1);
}

}  // namespace
}  // namespace wormhole
