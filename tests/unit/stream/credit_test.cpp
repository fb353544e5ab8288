// Readers that are slow or stand still: what they hold, and that nobody else notices.
#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <cstdio>

#include "unit/stream/rig.hpp"

namespace wormhole::stream_test {
namespace {

constexpr std::size_t kEndless = std::size_t{1} << 40;

/// Bytes that one stream carries to side 1 in `duration`.
std::size_t progress(Rig& rig, StreamId stream, Duration duration) {
  const std::size_t before = rig.talk(1, stream).read;
  rig.run_for(duration);
  return rig.talk(1, stream).read - before;
}

TEST(StreamCredit, AReaderThatNeverReadsHoldsItsFirstWindow) {
  Rig rig;
  rig.set_way({.bits_per_second = 50'000'000});
  rig.on_opened = [](int, StreamId, Talk& talk) { talk.reads = false; };
  ASSERT_TRUE(rig.connect());
  const StreamId stream = rig.start(0, kEndless);
  rig.run_for(5s);
  EXPECT_EQ(rig.end(1).statistics().bytes_received, 256u * 1024u);
  EXPECT_LE(rig.end(1).statistics().receive_memory, 256u * 1024u + 16u * 1024u);
  // … and its writer as much.
  EXPECT_LE(rig.end(0).statistics().send_memory, 256u * 1024u + 16u * 1024u);
  rig.read(1, stream, SIZE_MAX);
  rig.talk(1, stream).reads = true;
  EXPECT_GT(progress(rig, stream, 2s), 10'000'000u);
}

TEST(StreamCredit, AReaderThatStopsLaterHoldsTwoMebibytesAtMost) {
  Rig rig;
  ASSERT_TRUE(rig.connect());
  const StreamId stream = rig.start(0, kEndless);
  rig.run_for(2s);
  rig.talk(1, stream).reads = false;
  rig.run_for(5s);
  EXPECT_LE(rig.end(1).statistics().receive_memory, (std::size_t{2} << 20) + 32u * 1024u);
  EXPECT_GT(rig.end(1).statistics().receive_memory, std::size_t{1} << 20);
  EXPECT_LE(rig.end(0).statistics().send_memory, 256u * 1024u + 32u * 1024u);
}

TEST(StreamCredit, OthersKeepTheirRateBesideStalledReaders) {
  const auto rate = [](int stalled) {
    Rig rig;
    rig.set_way({.bits_per_second = 50'000'000});
    EXPECT_TRUE(rig.connect());
    const StreamId fast = rig.start(0, kEndless);
    for (int i = 0; i < stalled; ++i) {
      const StreamId stream = rig.start(0, kEndless);
      rig.talk(1, stream).reads = false;
    }
    rig.run_for(10s);
    return progress(rig, fast, 5s);
  };
  const double alone = static_cast<double>(rate(0));
  EXPECT_GE(static_cast<double>(rate(1)), 0.9 * alone);
  EXPECT_GE(static_cast<double>(rate(100)), 0.9 * alone);
}

#ifndef __SANITIZE_ADDRESS__  // which counts in its own way
TEST(StreamCredit, AnIdleStreamHoldsLittle) {
  constexpr std::size_t kStreams = 1000;
  Rig rig;
  ASSERT_TRUE(rig.connect());
  for (int i = 0; i < 100; ++i) rig.start(0, 1'000, false);  // what grows once has grown
  rig.run_for(1s);
  const std::size_t before = mallinfo2().uordblks;
  for (std::size_t i = 0; i < kStreams; ++i) {
    rig.start(0, 1'000, false);
    if (i % 50 == 0) rig.run_for(100ms);
  }
  rig.run_for(1s);
  ASSERT_EQ(rig.end(1).statistics().open, kStreams + 100);
  // Both ends, and what the rig itself notes of each.
  EXPECT_LE((mallinfo2().uordblks - before) / kStreams, 2 * 4096u);
  std::printf("[ memory   ] idle stream: %zu bytes, both ends and the test's notes\n",
              (mallinfo2().uordblks - before) / kStreams);
}
#endif

TEST(StreamCredit, ASlowReaderGetsItsRateAndEveryByte) {
  Rig rig;
  ASSERT_TRUE(rig.connect());
  const StreamId stream = rig.start(0, 1'000'000);
  rig.talk(1, stream).reads = false;
  while (!rig.talk(1, stream).ended && rig.now() < TimePoint(60s)) {
    rig.run_for(100ms);
    rig.read(1, stream, 5'000);
  }
  EXPECT_TRUE(rig.talk(1, stream).ended);
  EXPECT_EQ(rig.talk(1, stream).read, 1'000'000u);
  EXPECT_FALSE(rig.talk(1, stream).corrupt);
  EXPECT_GE(rig.now(), TimePoint(20s));
}

TEST(StreamCredit, ReadersMemoryHasALimitOverAllStreams) {
  constexpr std::size_t kMemory = std::size_t{4} << 20;
  Rig rig(1, {.receive_memory = kMemory});
  ASSERT_TRUE(rig.connect());
  std::vector<StreamId> streams;
  for (int i = 0; i < 200; ++i) {
    streams.push_back(rig.start(0, 300'000));
    rig.talk(1, streams.back()).reads = false;
  }
  rig.run_for(20s);
  const StreamStatistics now = rig.end(1).statistics();
  EXPECT_GE(now.credit_withheld, 1u);
  EXPECT_LE(now.bytes_received, kMemory + (std::size_t{16} << 20));  // what was granted before
  for (const StreamId stream : streams) {
    rig.talk(1, stream).reads = true;
    rig.read(1, stream, SIZE_MAX);
  }
  const auto all_ended = [&] {
    return std::ranges::all_of(streams, [&](StreamId s) { return rig.talk(1, s).ended; });
  };
  EXPECT_TRUE(rig.run_until(all_ended, 20s));
  EXPECT_EQ(rig.end(1).statistics().receive_memory, 0u);
}

TEST(StreamCredit, WritersShareTheirMemoryAndNoneStarves) {
  Rig rig(1, {.send_memory = std::size_t{1} << 20});  // 64 blocks for 200 writers
  rig.set_way({.bits_per_second = 50'000'000});
  ASSERT_TRUE(rig.connect());
  std::vector<StreamId> streams;
  for (int i = 0; i < 200; ++i) streams.push_back(rig.start(0, 100'000));
  EXPECT_LE(rig.end(0).statistics().send_memory, std::size_t{1} << 20);
  const auto all_ended = [&] {
    return std::ranges::all_of(streams, [&](StreamId s) { return rig.talk(1, s).ended; });
  };
  EXPECT_TRUE(rig.run_until(all_ended, 20s));
  for (const StreamId stream : streams) EXPECT_FALSE(rig.talk(1, stream).corrupt);
}

}  // namespace
}  // namespace wormhole::stream_test
