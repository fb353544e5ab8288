// How streams end before their time: resets, refusals, readers that want no more, lost connections.
#include <gtest/gtest.h>

#include "unit/stream/rig.hpp"

namespace wormhole::stream_test {
namespace {

/// True when nothing is left of any stream at either end.
bool is_clean(Rig& rig) {
  for (int side = 0; side < 2; ++side) {
    const StreamStatistics now = rig.end(side).statistics();
    if (now.open + now.send_memory + now.receive_memory != 0) return false;
  }
  return true;
}

TEST(StreamEnding, AResetReachesTheOtherEndWithItsCode) {
  Rig rig;
  ASSERT_TRUE(rig.connect());
  rig.on_opened = [](int, StreamId, Talk& talk) { talk.to_write = 10'000'000; };
  const StreamId stream = rig.start(0, 100'000'000);
  rig.run_for(500ms);
  rig.end(0).reset(stream, 0x42);
  rig.service(0);
  ASSERT_TRUE(rig.run_until([&] { return rig.talk(1, stream).closed; }, 1s));
  EXPECT_TRUE(rig.talk(1, stream).reset);
  EXPECT_EQ(rig.talk(1, stream).code, 0x42u);
  EXPECT_FALSE(rig.talk(1, stream).ended);
  ASSERT_TRUE(rig.run_until([&] { return is_clean(rig); }, 1s));
  EXPECT_FALSE(rig.talk(0, stream).reset);  // who resets is not told so
}

TEST(StreamEnding, ADialIsRefusedInOneRoundTrip) {
  Rig rig;
  ASSERT_TRUE(rig.connect());
  rig.on_opened = [&](int side, StreamId stream, Talk& talk) {
    talk.finish = false;
    rig.end(side).reset(stream, 7);
  };
  const TimePoint begun = rig.now();
  const StreamId stream = rig.start(0, 100, false);
  ASSERT_TRUE(rig.run_until([&] { return rig.talk(0, stream).reset; }, 1s));
  EXPECT_EQ(rig.now() - begun, 20ms);
  EXPECT_EQ(rig.talk(0, stream).code, 7u);
  EXPECT_TRUE(rig.run_until([&] { return is_clean(rig); }, 1s));
}

// Each was seen to leave half a stream behind in libngtcp2 0.12 when the reset came first.
TEST(StreamEnding, AResetBeforeAnythingArrivedLeavesNothing) {
  for (const std::size_t bytes : {0u, 1u, 1'000u, 3'000'000u}) {
    for (int lost = 0; lost < 3; ++lost) {
      Rig rig;
      ASSERT_TRUE(rig.connect());
      rig.run_for(1s);
      int to_lose = lost;
      rig.on_sent = [&](int side, std::vector<std::uint8_t>&) {
        return side != 0 || --to_lose < 0;
      };
      const StreamId stream = rig.start(0, bytes, false);
      rig.end(0).reset(stream, 9);
      rig.service(0);
      rig.run_until([&] { return rig.talk(1, stream).closed; }, 5s);
      EXPECT_TRUE(rig.run_until([&] { return is_clean(rig); }, 5s)) << bytes << " " << lost;
      EXPECT_FALSE(rig.talk(1, stream).corrupt);
    }
  }
}

TEST(StreamEnding, ManyResetsTakeNoCreditForGood) {
  Rig rig(4);
  rig.set_way({.loss = 0.02, .bits_per_second = 50'000'000});
  ASSERT_TRUE(rig.connect());
  for (int round = 0; round < 60; ++round) {  // 60 × 0.5 MB is twice the connection's window
    const StreamId stream = rig.start(0, 20'000'000);
    rig.run_for(100ms);
    const int who = round % 2;
    rig.end(who).reset(stream, 1);
    rig.service(who);
  }
  ASSERT_TRUE(rig.run_until([&] { return is_clean(rig); }, 10s));
  const StreamId last = rig.start(0, 1'000'000);
  EXPECT_TRUE(rig.run_until([&] { return rig.talk(1, last).ended; }, 5s));
}

TEST(StreamEnding, AReaderThatWantsNoMoreStopsTheWriter) {
  Rig rig;
  ASSERT_TRUE(rig.connect());
  rig.on_opened = [](int, StreamId, Talk& talk) {
    talk.to_write = 1'000;
    talk.finish = false;
  };
  const StreamId stream = rig.start(0, 50'000'000);
  rig.run_for(200ms);
  rig.end(1).stop_reading(stream);
  rig.service(1);
  ASSERT_TRUE(rig.run_until([&] { return rig.talk(0, stream).stopped; }, 1s));
  EXPECT_EQ(rig.end(0).write(stream, as_bytes("more")), 0u);
  EXPECT_FALSE(rig.talk(1, stream).reset);
  rig.talk(1, stream).to_write = 90'000;  // the other direction goes on
  rig.talk(1, stream).finish = true;
  rig.go_on(1, stream);
  ASSERT_TRUE(rig.run_until([&] { return rig.talk(0, stream).ended; }, 1s));
  EXPECT_EQ(rig.talk(0, stream).read, 90'000u);
  EXPECT_TRUE(rig.run_until([&] { return is_clean(rig); }, 1s));
}

TEST(StreamEnding, StreamsBeyondTheLimitAreRefusedAndLaterOpenAgain) {
  Rig rig(1, {.max_streams = 8});
  rig.on_opened = [](int, StreamId, Talk& talk) { talk.finish = false; };
  ASSERT_TRUE(rig.connect());
  std::vector<StreamId> streams;
  for (int i = 0; i < 8; ++i) streams.push_back(rig.start(0, 10, false));
  EXPECT_FALSE(rig.end(0).open());
  EXPECT_EQ(rig.end(0).statistics().refused, 1u);
  // The other end does not know of them yet and opens one of its own: that is the ninth here.
  const StreamId ninth = rig.start(1, 10, false);
  ASSERT_TRUE(rig.run_until([&] { return rig.talk(1, ninth).reset; }, 1s));
  EXPECT_EQ(rig.talk(1, ninth).code, kStreamRefused);
  EXPECT_EQ(rig.end(0).statistics().refused, 2u);
  for (const StreamId stream : streams) rig.end(0).reset(stream, 1);
  rig.service(0);
  ASSERT_TRUE(rig.run_until([&] { return is_clean(rig); }, 2s));
  for (int round = 0; round < 30; ++round) {
    const StreamId stream = rig.start(round % 2, 10, false);
    rig.run_for(100ms);
    rig.end(0).reset(stream, 1);
    rig.service(0);
    ASSERT_TRUE(rig.run_until([&] { return is_clean(rig); }, 2s)) << round;
  }
}

TEST(StreamEnding, ClosingTellsThePeerAndEndsAllStreams) {
  Rig rig;
  ASSERT_TRUE(rig.connect());
  EXPECT_EQ(rig.end(0).open().has_value(), true);
  const StreamId stream = rig.start(0, 1'000'000);
  rig.run_for(30ms);
  rig.end(1).close();
  rig.service(1);
  EXPECT_TRUE(rig.talk(1, stream).reset && rig.talk(1, stream).closed);
  EXPECT_EQ(rig.talk(1, stream).code, kStreamConnectionLost);
  ASSERT_TRUE(rig.run_until([&] { return rig.end(0).state() == StreamState::kBroken; }, 1s));
  EXPECT_TRUE(rig.talk(0, stream).reset && rig.talk(0, stream).closed);
  EXPECT_TRUE(is_clean(rig));
  EXPECT_FALSE(rig.end(0).open());
  EXPECT_EQ(rig.end(0).next_deadline(), kNever);
}

TEST(StreamEnding, ALostWordOfPartingIsSaidAgain) {
  Rig rig;
  ASSERT_TRUE(rig.connect());
  rig.start(0, 10'000'000);
  rig.run_for(30ms);
  int to_lose = 3;
  rig.on_sent = [&](int side, std::vector<std::uint8_t>&) { return side != 1 || --to_lose < 0; };
  rig.end(1).close();
  rig.service(1);
  EXPECT_TRUE(rig.run_until([&] { return rig.end(0).state() == StreamState::kBroken; }, 2s));
}

}  // namespace
}  // namespace wormhole::stream_test
