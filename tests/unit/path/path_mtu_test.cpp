// The search for what a way carries, and how it notices that it carries less.
#include "wormhole/path/path_mtu.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace wormhole {
namespace {

/// A way that carries up to `carries` and answers after `rtt`; the test sends by it.
class Way {
 public:
  /// Sends `size` bytes (or what is the most, if that is less) every `gap` for `time`.
  void traffic(Duration time, std::size_t size, Duration gap = 10ms) {
    const auto until = now + time;
    while (now < until) {
      const auto sent = std::min(size, mtu.size());
      if (sent > carries) ++lost;
      mtu.on_sent(sent, now);
      rest(std::min(gap, until - now));
    }
  }
  /// Nobody sends.
  void rest(Duration time) {
    const auto until = now + time;
    for (;;) {
      const auto answered = answers.empty() ? kNever : answers.begin()->first;
      const auto next = std::min(mtu.next_deadline(), answered);
      if (next > until) break;
      now = std::max(now, next);
      if (answered <= now) {
        const auto token = answers.begin()->second;
        answers.erase(answers.begin());
        mtu.on_answer(token, now);
      } else {
        step();
      }
    }
    now = until;
  }
  void step() {
    std::vector<MtuProbe> probes;
    if (mtu.on_timeout(now, probes)) ++falls;
    EXPECT_GT(mtu.next_deadline(), now);
    for (const auto& probe : probes) {
      ++asked;
      bytes += probe.size;
      if (up && probe.size <= carries && !lose()) answers.emplace(now + rtt, probe.token);
    }
  }
  bool lose() { return loss > 0 && rng.below(1000) < loss; }

  SeededRng rng{11};
  PathMtu mtu{rng};
  TimePoint now = TimePoint{} + 1h;
  std::size_t carries = PathMtu::kMost;
  Duration rtt = 20ms;
  bool up = true;
  std::uint32_t loss = 0;  ///< per mille, of question or answer
  int asked = 0;
  std::size_t bytes = 0;
  int falls = 0;
  int lost = 0;
  std::multimap<TimePoint, std::uint64_t> answers;
};

TEST(PathMtu, IsSilentUntilSomebodySends) {
  Way way;
  way.rest(1h);
  EXPECT_EQ(way.asked, 0);
  EXPECT_EQ(way.mtu.next_deadline(), kNever);
  EXPECT_EQ(way.mtu.size(), PathMtu::kBase);
  EXPECT_TRUE(way.mtu.is_searching());
}

TEST(PathMtu, FindsTheUsualPathInOneRoundTrip) {
  Way way;
  way.traffic(10ms, 100);
  way.rest(20ms);
  EXPECT_EQ(way.mtu.size(), PathMtu::kMost);
  EXPECT_FALSE(way.mtu.is_searching());
  way.traffic(1h, 1000);
  EXPECT_EQ(way.asked, 1);  // and never again while nothing larger than the base is sent
}

TEST(PathMtu, FindsEverySize) {
  for (const std::size_t carries : {1232, 1252, 1312, 1352, 1372, 1392, 1432, 1444, 1452, 1464}) {
    Way way;
    way.carries = carries;
    way.traffic(4s, 1400);
    EXPECT_EQ(way.mtu.size(), carries);
    EXPECT_FALSE(way.mtu.is_searching()) << carries;
    EXPECT_EQ(way.lost, 0) << carries;
    EXPECT_EQ(way.falls, 0) << carries;
  }
}

TEST(PathMtu, TakesTheNextSmallerOneOfTheTable) {
  Way way;
  way.carries = 1460;
  way.traffic(4s, 1400);
  EXPECT_EQ(way.mtu.size(), 1452U);
}

TEST(PathMtu, LeavesABlackHoleWithinThreeSeconds) {
  for (const auto rtt : {1ms, 20ms, 200ms, 600ms}) {
    SCOPED_TRACE(rtt.count());
    Way way;
    way.rtt = rtt;
    way.traffic(10s, 1400);
    ASSERT_EQ(way.mtu.size(), PathMtu::kMost);
    way.carries = 1252;
    const auto shrunk = way.now;
    while (way.falls == 0 && way.now < shrunk + 10s) way.traffic(10ms, 1472);
    EXPECT_LE(to_ms(way.now - shrunk), 3000);
    EXPECT_EQ(way.mtu.size(), PathMtu::kBase);
    const auto lost = way.lost;
    way.traffic(20s, 1472);
    EXPECT_EQ(way.mtu.size(), 1252U);
    EXPECT_EQ(way.lost, lost);
    EXPECT_EQ(way.mtu.black_holes(), 1U);
  }
}

TEST(PathMtu, TriesMoreAfterTenMinutes) {
  Way way;
  way.carries = 1392;
  way.traffic(5s, 1400);
  ASSERT_EQ(way.mtu.size(), 1392U);
  way.carries = PathMtu::kMost;
  way.traffic(PathMtu::kRaise - 10s, 1000);
  EXPECT_EQ(way.mtu.size(), 1392U);
  way.traffic(10s, 1000);
  EXPECT_EQ(way.mtu.size(), PathMtu::kMost);
}

/// Who stops sending in the middle of a round hears no more than the rest of it.
TEST(PathMtu, ARoundIsNoReasonToGoOn) {
  Way way;
  way.carries = 1232;
  way.traffic(1ms, 1000);
  way.rest(1h);
  EXPECT_EQ(way.asked, PathMtu::kTries + 2);
  EXPECT_EQ(way.mtu.next_deadline(), kNever);
}

TEST(PathMtu, AWayThatIsDownSaysNothingAboutSizes) {
  Way way;
  way.traffic(5s, 1400);
  ASSERT_EQ(way.mtu.size(), PathMtu::kMost);
  way.up = false;
  way.traffic(60s, 1400);
  EXPECT_EQ(way.mtu.size(), PathMtu::kMost);
  EXPECT_EQ(way.falls, 0);
  way.mtu.begin();
  way.traffic(60s, 1400);
  EXPECT_TRUE(way.mtu.is_searching());
  way.up = true;
  way.traffic(2s, 1400);
  EXPECT_EQ(way.mtu.size(), PathMtu::kMost);
}

TEST(PathMtu, AnAnswerThatIsLateCounts) {
  Way way;
  way.rtt = 1500ms;
  way.traffic(10s, 1400);
  EXPECT_EQ(way.mtu.size(), PathMtu::kMost);
  EXPECT_EQ(way.falls, 0);
}

/// 10 % of exchanges lost: a false alarm is rare, and over after a round trip.
TEST(PathMtu, LossIsRarelyTakenForABlackHole) {
  Way way;
  way.loss = 100;
  way.traffic(1h, 1400);
  EXPECT_LE(way.falls, 8);  // 3,600 confirmations of three tries, each lost with 0.1
  EXPECT_GE(way.mtu.size(), 1400U);
}

TEST(PathMtu, AsksAboutALargeSizeOnceASecond) {
  Way way;
  way.traffic(1s, 1400);
  way.bytes = 0;
  way.asked = 0;
  way.traffic(100s, 1400);
  EXPECT_LE(way.asked, 100);
  EXPECT_GE(way.asked, 90);
}

TEST(PathMtu, AForeignAnswerIsNone) {
  Way way;
  way.mtu.on_sent(100, way.now);
  std::vector<MtuProbe> probes;
  way.mtu.on_timeout(way.now, probes);
  ASSERT_EQ(probes.size(), 1U);
  EXPECT_EQ(probes[0].size, PathMtu::kMost);
  EXPECT_FALSE(way.mtu.on_answer(probes[0].token + 1, way.now));
  EXPECT_TRUE(way.mtu.on_answer(probes[0].token, way.now));
  EXPECT_FALSE(way.mtu.on_answer(probes[0].token, way.now));
}

TEST(PathMtu, AnAnswerOfTheTimeBeforeSaysNothingAfterwards) {
  Way way;
  way.mtu.on_sent(100, way.now);
  std::vector<MtuProbe> probes;
  way.mtu.on_timeout(way.now, probes);
  way.mtu.begin();
  EXPECT_FALSE(way.mtu.on_answer(probes.at(0).token, way.now));
  EXPECT_EQ(way.mtu.size(), PathMtu::kBase);
}

}  // namespace
}  // namespace wormhole
