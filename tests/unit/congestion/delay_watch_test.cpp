#include "wormhole/congestion/delay_watch.hpp"

#include <gtest/gtest.h>

#include <functional>

namespace wormhole {
namespace {

constexpr Duration kPath = 40ms;

/// A sample every 10 ms for so long; `queue` of the time since the start.
class Path {
 public:
  void run(Duration time, const std::function<Duration(Duration)>& queue) {
    for (const auto end = at + time; at < end; at += 10ms) {
      const auto delay = kPath + queue(at - begin);
      watch.add(TimePoint{at}, at + delay + offset);
    }
  }

  DelayWatch watch;
  Duration begin = 1h;
  Duration at = begin;
  Duration offset = 17h;  // of the receiver's clock
};

TEST(DelayWatch, TheLeastDelayIsThePathsOwn) {
  Path path;
  path.run(3s, [](Duration) { return Duration{}; });
  EXPECT_EQ(path.watch.queue(), Duration{});
  path.run(1s, [](Duration) { return 25ms; });
  EXPECT_EQ(path.watch.queue(), 25ms);
  EXPECT_EQ(path.watch.range(500ms).least, 25ms);
  EXPECT_EQ(path.watch.range(2s).least, Duration{});
  EXPECT_EQ(path.watch.range(2s).most, 25ms);
}

TEST(DelayWatch, JitterIsAboveTheLeastOfASlice) {
  Path path;
  int n = 0;
  path.run(10s, [&](Duration) { return ++n % 5 == 0 ? Duration{} : Duration(30ms); });
  EXPECT_EQ(path.watch.range(2s).most, Duration{});
}

TEST(DelayWatch, OnlyAQueueThatGrowsStepByStepClimbs) {
  Path grows;
  grows.run(2s, [](Duration) { return Duration{}; });
  EXPECT_FALSE(grows.watch.climbs(3, 10ms, 0.5));
  grows.run(500ms, [](Duration since) { return (since - 2s) / 5; });  // 16 ms a slice
  EXPECT_TRUE(grows.watch.climbs(3, 10ms, 0.5));
  EXPECT_FALSE(grows.watch.climbs(3, 20ms, 0.5));
  EXPECT_GT(grows.watch.growth(400ms), 40ms);
  Path jumps;
  jumps.run(2s, [](Duration since) { return since / 10; });
  jumps.run(200ms, [](Duration since) { return since / 10 + 140ms; });
  EXPECT_TRUE(jumps.watch.climbs(2, 5ms, 1));
  EXPECT_FALSE(jumps.watch.climbs(3, 5ms, 0.5)) << "most of it came at once";
}

TEST(DelayWatch, TellsTheMostThatAQueueHasRisen) {
  Path path;
  path.run(3s, [](Duration) { return 40ms; });
  EXPECT_EQ(path.watch.rise(2s), Duration{});
  path.run(300ms, [](Duration) { return 15ms; });
  EXPECT_EQ(path.watch.rise(2s), Duration{}) << "it has only shrunk";
  path.run(300ms, [](Duration) { return 27ms; });
  path.run(300ms, [](Duration) { return 10ms; });
  EXPECT_EQ(path.watch.rise(2s), 12ms) << "from 15 ms on, whatever was before and after";
  EXPECT_EQ(path.watch.rise(100ms), Duration{}) << "that is longer ago";
}

TEST(DelayWatch, AQueueThatStandsBecomesThePathsOwnUnlessItIsHeld) {
  for (const bool held : {false, true}) {
    Path path;
    path.run(3s, [](Duration) { return Duration{}; });
    path.watch.hold_base(held);
    path.run(60s, [](Duration) { return 50ms; });
    EXPECT_EQ(path.watch.queue(), held ? Duration(50ms) : Duration{});
    path.watch.rebase();
    EXPECT_EQ(path.watch.queue(), Duration{});
  }
}

TEST(DelayWatch, ClocksThatDriftMakeNoQueue) {
  Path path;
  for (int second = 0; second < 600; ++second) {
    path.run(1s, [](Duration) { return Duration{}; });
    path.offset += 50us;  // 50 ppm
    ASSERT_LE(path.watch.queue(), 2ms);
  }
}

TEST(DelayWatch, AfterARestNothingIsKnown) {
  Path path;
  path.run(3s, [](Duration) { return Duration{}; });
  path.at += 1h;
  path.run(50ms, [](Duration) { return 180ms; });  // an hour's drift
  EXPECT_EQ(path.watch.queue(), Duration{});
}

}  // namespace
}  // namespace wormhole
