// Bytes arrive, in order and whole, whatever the path does to datagrams.
#include <gtest/gtest.h>

#include "stream/ngtcp2_compat.hpp"
#include "unit/stream/rig.hpp"

namespace wormhole::stream_test {
namespace {

constexpr std::uint64_t kMbit50 = 50'000'000;

TEST(StreamTransfer, ComesUpInOneRoundTripAtTheCaller) {
  Rig rig;
  rig.service(0);
  const TimePoint begun = rig.now();
  ASSERT_TRUE(rig.run_until([&] { return rig.end(0).state() == StreamState::kUp; }, 1s));
  EXPECT_EQ(rig.now() - begun, 20ms);
}

TEST(StreamTransfer, CarriesBytesBothWaysAndHalfClosed) {
  Rig rig;
  ASSERT_TRUE(rig.connect());
  rig.on_opened = [](int, StreamId, Talk& talk) {
    talk.to_write = 300'000;
    talk.finish = false;
  };
  const StreamId stream = rig.start(0, 100'000);
  ASSERT_TRUE(rig.run_until([&] { return rig.talk(1, stream).ended; }, 5s));
  ASSERT_TRUE(rig.run_until([&] { return rig.talk(0, stream).read == 300'000; }, 5s));
  EXPECT_FALSE(rig.talk(0, stream).ended);
  rig.talk(1, stream).to_write += 50'000;  // long after the other end's finish
  rig.talk(1, stream).finish = true;
  rig.run_for(1s);
  rig.go_on(1, stream);
  ASSERT_TRUE(
      rig.run_until([&] { return rig.talk(0, stream).closed && rig.talk(1, stream).closed; }, 5s));
  EXPECT_EQ(rig.talk(0, stream).read, 350'000u);
  EXPECT_EQ(rig.talk(1, stream).read, 100'000u);
  EXPECT_FALSE(rig.talk(0, stream).corrupt || rig.talk(1, stream).corrupt);
  for (int side = 0; side < 2; ++side) {
    const StreamStatistics now = rig.end(side).statistics();
    EXPECT_EQ(now.open, 0u);
    EXPECT_EQ(now.send_memory + now.receive_memory, 0u);
    EXPECT_EQ(now.bytes_resent, 0u);
    EXPECT_EQ(now.datagrams_ignored, 0u);
  }
}

TEST(StreamTransfer, SaysAStreamThatIsOpenedWithoutBytes) {
  Rig rig;
  ASSERT_TRUE(rig.connect());
  const StreamId stream = rig.start(0, 0, false);
  EXPECT_TRUE(rig.run_until([&] { return rig.talks[1].contains(stream.value); }, 1s));
}

TEST(StreamTransfer, SurvivesLossReorderingAndDuplicates) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    Rig rig(seed);
    rig.set_way({.loss = 0.05, .duplicate = 0.05, .reorder = 0.1, .bits_per_second = kMbit50});
    ASSERT_TRUE(rig.connect());
    const StreamId a = rig.start(0, 1'000'000);
    const StreamId b = rig.start(1, 1'000'000);
    ASSERT_TRUE(rig.run_until([&] { return rig.talk(1, a).ended && rig.talk(0, b).ended; }, 60s));
    EXPECT_EQ(rig.talk(1, a).read, 1'000'000u);
    EXPECT_EQ(rig.talk(0, b).read, 1'000'000u);
    EXPECT_FALSE(rig.talk(1, a).corrupt || rig.talk(0, b).corrupt);
    EXPECT_GT(rig.end(0).statistics().bytes_resent, 10'000u);
    EXPECT_LT(rig.end(0).statistics().bytes_resent, 300'000u);
  }
}

TEST(StreamTransfer, SameSeedSameTrace) {
  const auto run = [](std::uint64_t seed) {
    Rig rig(seed);
    rig.set_way({.loss = 0.02, .reorder = 0.05, .bits_per_second = kMbit50});
    EXPECT_TRUE(rig.connect());
    for (int i = 0; i < 20; ++i) rig.start(i % 2, 50'000);
    rig.run_for(5s);
    return rig.trace();
  };
  EXPECT_EQ(run(7), run(7));
  EXPECT_NE(run(7), run(8));
}

TEST(StreamTransfer, AThousandStreamsShareAndLeaveNothing) {
  constexpr std::size_t kStreams = 1000;
  constexpr std::size_t kBytes = 20'000;
  Rig rig;
  rig.set_way({.bits_per_second = kMbit50});
  rig.on_opened = [](int, StreamId, Talk& talk) { talk.finish = true; };
  ASSERT_TRUE(rig.connect());
  for (std::size_t i = 0; i < kStreams; ++i) rig.start(0, kBytes);
  const TimePoint begun = rig.now();
  const auto has_read = [&](std::size_t bytes) {
    return rig.run_until([&] { return rig.end(1).statistics().bytes_received >= bytes; }, 20s);
  };
  ASSERT_TRUE(has_read(kStreams * kBytes / 2));
  double sum = 0;
  double squares = 0;
  for (const auto& [id, talk] : rig.talks[1]) {
    sum += static_cast<double>(talk.read);
    squares += static_cast<double>(talk.read) * static_cast<double>(talk.read);
  }
  EXPECT_GE(sum * sum / (kStreams * squares), 0.95);  // Jain's index
  ASSERT_TRUE(has_read(kStreams * kBytes));
  // Virtual time, so this is no measure of the machine. The bytes alone need 3,200 ms, with their
  // headers 3,430. libngtcp2 1.11 lets its estimate of the rate sink between two probes, since it
  // moves BBR's filter on with each round trip instead of with each cycle.
  EXPECT_LT(rig.now() - begun, NGTCP2_VERSION_NUM < 0x010000 ? 3'520ms : 3'710ms);
  const auto all_closed = [&] {
    return rig.end(0).statistics().open + rig.end(1).statistics().open == 0;
  };
  ASSERT_TRUE(rig.run_until(all_closed, 5s));
  for (const auto& [id, talk] : rig.talks[1]) {
    ASSERT_EQ(talk.read, kBytes);
    ASSERT_FALSE(talk.corrupt);
  }
  EXPECT_EQ(rig.end(0).statistics().send_memory, 0u);
  EXPECT_EQ(rig.end(1).statistics().receive_memory, 0u);
  rig.run_for(1s);
  EXPECT_EQ(rig.end(0).next_deadline(), kNever);
  EXPECT_EQ(rig.end(1).next_deadline(), kNever);
}

TEST(StreamTransfer, FollowsASmallerAndALargerDatagram) {
  Rig rig(3, {.max_datagram = 8000});
  ASSERT_TRUE(rig.connect());
  std::size_t largest = 0;
  rig.on_sent = [&](int, std::vector<std::uint8_t>& datagram) {
    largest = std::max(largest, datagram.size());
    return true;
  };
  for (const std::size_t size : {1400u, 1188u, 8000u}) {
    rig.end(0).set_max_datagram(size);
    largest = 0;
    const StreamId stream = rig.start(0, 500'000);
    ASSERT_TRUE(rig.run_until([&] { return rig.talk(1, stream).ended; }, 10s));
    EXPECT_FALSE(rig.talk(1, stream).corrupt);
    EXPECT_EQ(largest, size);
  }
}

// The path carries less, or more again, in the middle of everything; what was too large is lost
// until the ends are told.
TEST(StreamTransfer, DatagramsShrinkAndGrowUnderWay) {
  Rig rig(5, {.max_datagram = 1400});
  rig.set_way({.bits_per_second = kMbit50});
  ASSERT_TRUE(rig.connect());
  std::size_t carries = 1400;
  std::array<std::size_t, 2> told{1400, 1400};
  std::size_t largest = 0;
  rig.on_sent = [&](int side, std::vector<std::uint8_t>& datagram) {
    EXPECT_LE(datagram.size(), told[static_cast<std::size_t>(side)]);
    if (datagram.size() > carries) return false;
    largest = std::max(largest, datagram.size());
    return true;
  };
  const StreamId down = rig.start(0, 15'000'000);
  const StreamId up = rig.start(1, 15'000'000);
  const auto ended = [&] { return rig.talk(1, down).ended && rig.talk(0, up).ended; };
  for (const std::size_t size : {1188u, 1400u, 1240u, 1300u, 1188u, 1400u, 1240u, 1400u}) {
    carries = size;
    rig.run_for(100ms);
    for (std::size_t side = 0; side < 2; ++side) {
      told[side] = size;
      rig.end(static_cast<int>(side)).set_max_datagram(size);
    }
    largest = 0;
    ASSERT_FALSE(rig.run_until(ended, 200ms));
    EXPECT_EQ(largest, size);
  }
  EXPECT_TRUE(rig.run_until(ended, 10s));
  EXPECT_FALSE(rig.talk(1, down).corrupt || rig.talk(0, up).corrupt);
}

}  // namespace
}  // namespace wormhole::stream_test
