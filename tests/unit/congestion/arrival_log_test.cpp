#include "wormhole/congestion/arrival_log.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace wormhole {
namespace {

constexpr std::size_t kSize = 1228;

/// Frames of kSize bytes, numbered by their marks, so far apart; the reports that are due.
class Arrivals {
 public:
  std::vector<Feedback> take(std::size_t frames, Duration apart) {
    std::vector<Feedback> reports;
    for (std::size_t i = 0; i < frames; ++i) {
      now += apart;
      if (log.note(++mark, kSize, now)) reports.push_back(log.take(true, now));
    }
    return reports;
  }

  ArrivalLog log;
  TimePoint now{1h};
  FrameMark mark = 0;
};

TEST(ArrivalLog, TellsWhenAHundredTimesItsOwnSizeHasCome) {
  Arrivals arrivals;
  const auto reports = arrivals.take(100, 20ms);
  // 1,256 bytes of IP packet each: ten of them are 12,500 and more.
  ASSERT_EQ(reports.size(), 10U);
  for (std::size_t i = 0; i < reports.size(); ++i) {
    EXPECT_EQ(reports[i].frames, 10 * (i + 1));
    EXPECT_EQ(reports[i].bytes, 10 * (i + 1) * kSize);
    EXPECT_TRUE(reports[i].direct);
  }
}

TEST(ArrivalLog, TellsOfFastOnesEvery50Ms) {
  Arrivals arrivals;
  const auto reports = arrivals.take(10'000, 100us);
  EXPECT_EQ(reports.size(), 1000ms / ArrivalLog::kApart);
}

TEST(ArrivalLog, WhatAFastOneHasEarnedBeginsASlowOne) {
  Arrivals arrivals;
  arrivals.take(2000, 1ms);
  std::vector<Duration> apart;
  auto last = arrivals.now;
  while (apart.size() < 8) {
    if (arrivals.take(1, 20ms).empty()) continue;
    apart.push_back(arrivals.now - last);
    last = arrivals.now;
  }
  // The first was earned; two more are what it may keep.
  for (std::size_t i = 0; i < 3; ++i) EXPECT_LE(apart[i], ArrivalLog::kApart + 20ms) << i;
  EXPECT_LT(apart[3], 200ms) << "what was left of it";
  for (std::size_t i = 4; i < apart.size(); ++i) EXPECT_GE(apart[i], 180ms) << i;
}

TEST(ArrivalLog, SamplesAreInOrderSpreadOverTheTimeAndEndWithTheNewest) {
  for (const auto apart :
       {Duration(100us), Duration(1ms), Duration(9ms), Duration(70ms), Duration(500ms)}) {
    Arrivals arrivals;
    for (const auto& report : arrivals.take(2000, apart)) {
      const auto samples = report.list();
      ASSERT_GE(samples.size(), report.frames <= 10 ? 2U : 3U);  // the first comes at once
      EXPECT_EQ(samples.back().mark, report.frames);
      EXPECT_EQ(samples.back().before, 0);
      for (std::size_t i = 1; i < samples.size(); ++i) {
        ASSERT_LT(samples[i - 1].mark, samples[i].mark);
        ASSERT_GT(samples[i - 1].before, samples[i].before);
        // Exact: the mark is the number, and they come evenly.
        const auto behind = (report.frames - samples[i].mark) * apart / 100us;
        EXPECT_NEAR(samples[i].before, static_cast<double>(behind), 1.0);
      }
    }
  }
}

TEST(ArrivalLog, WhatIsTooLongAgoToTellIsLeftOut) {
  Arrivals arrivals;
  const auto reports = arrivals.take(30, 1500ms);  // 65,535 × 100 µs are 6.5 s
  ASSERT_FALSE(reports.empty());
  for (const auto& report : reports) {
    EXPECT_GE(report.count, 2);
    for (const auto& sample : report.list()) EXPECT_LE(sample.before, 65'000);
  }
}

TEST(ArrivalLog, CountersGoOnModulo32Bits) {
  Arrivals arrivals;
  // 2^32 bytes are 3.5 million frames of the largest size; here in the sum alone.
  std::uint32_t bytes = 0;
  for (int i = 0; i < 70'000; ++i) {
    arrivals.now += 1ms;
    bytes += 65'507;
    if (arrivals.log.note(1, 65'507, arrivals.now)) {
      EXPECT_EQ(arrivals.log.take(false, arrivals.now).bytes, bytes);
    }
  }
}

}  // namespace
}  // namespace wormhole
