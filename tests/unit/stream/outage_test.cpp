// Paths that go away and come back, and paths that become others.
#include <gtest/gtest.h>

#include "unit/stream/rig.hpp"

namespace wormhole::stream_test {
namespace {

constexpr std::size_t kEndless = std::size_t{1} << 40;

struct Outage {
  Duration dark;
  Duration before;  ///< one way
  Duration after;
  std::uint64_t bits_per_second;
};

/// Streams in both directions; the time from the path's return until each end has read something
/// that was sent since. Nothing: not within 10 s.
std::optional<Duration> time_until_data(const Outage& outage, std::uint64_t seed) {
  Rig rig(seed);
  rig.set_way({.delay = outage.before, .bits_per_second = outage.bits_per_second});
  if (!rig.connect()) return std::nullopt;
  const StreamId down = rig.start(0, kEndless);
  const StreamId up = rig.start(1, kEndless);
  rig.run_for(3s);
  rig.set_up(false);
  rig.run_for(outage.dark);
  rig.set_way({.delay = outage.after, .bits_per_second = outage.bits_per_second});
  const TimePoint back = rig.now();
  const std::size_t had_down = rig.talk(1, down).read;
  const std::size_t had_up = rig.talk(0, up).read;
  outage.after == outage.before ? rig.path_back() : rig.path_change();
  const auto both = [&] {
    return rig.talk(1, down).read > had_down && rig.talk(0, up).read > had_up;
  };
  if (!rig.run_until(both, 10s)) return std::nullopt;
  EXPECT_FALSE(rig.talk(1, down).corrupt || rig.talk(0, up).corrupt);
  return rig.now() - back;
}

TEST(StreamOutage, DataFlowsWithinTwoRoundTripsOfThePathsReturn) {
  for (const Duration dark : {3s, 30s, 600s}) {
    for (std::uint64_t seed = 1; seed <= 2; ++seed) {
      const auto same = time_until_data({dark, 30ms, 30ms, 50'000'000}, seed);
      ASSERT_TRUE(same);
      EXPECT_LE(*same, 2 * 60ms + 100ms);
      const auto longer = time_until_data({dark, 10ms, 75ms, 50'000'000}, seed);
      ASSERT_TRUE(longer);
      EXPECT_LE(*longer, 2 * 150ms + 100ms);
    }
  }
}

// Either end may be the one that sends, and then it is the other's acknowledgement that counts.
TEST(StreamOutage, ALongerPathIsFilledWithinSixSeconds) {
  for (const Duration dark : {0s, 3s, 30s}) {
    for (const int sender : {0, 1}) {
      Rig rig;
      rig.set_way({.delay = 10ms, .bits_per_second = 50'000'000});
      ASSERT_TRUE(rig.connect());
      const StreamId stream = rig.start(sender, kEndless);
      rig.run_for(5s);
      rig.set_up(false);
      rig.run_for(dark);
      rig.set_way({.delay = 75ms, .bits_per_second = 50'000'000});
      rig.path_change();
      rig.run_for(5s);
      const std::size_t before = rig.talk(1 - sender, stream).read;
      rig.run_for(1s);
      EXPECT_GE(rig.talk(1 - sender, stream).read - before, 35'000'000u / 8)
          << to_ms(dark) << " ms dark, sender " << sender;
    }
  }
}

TEST(StreamOutage, ASwitchOfPathLosesNothing) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    Rig rig(seed);
    rig.set_way({.delay = 75ms, .bits_per_second = 50'000'000});
    ASSERT_TRUE(rig.connect());
    const StreamId stream = rig.start(0, 20'000'000);
    const std::array<Duration, 4> delays{5ms, 150ms, 20ms, 75ms};
    for (std::size_t i = 0; i < 8; ++i) {
      rig.run_for(400ms);
      // The way gets shorter at once: what was under way is overtaken by far.
      rig.set_way({.delay = delays[i % delays.size()], .bits_per_second = 50'000'000});
      rig.path_change();
    }
    ASSERT_TRUE(rig.run_until([&] { return rig.talk(1, stream).ended; }, 30s));
    EXPECT_EQ(rig.talk(1, stream).read, 20'000'000u);
    EXPECT_FALSE(rig.talk(1, stream).corrupt);
  }
}

TEST(StreamOutage, AConnectionBegunInTheDarkComesUpWithTheLight) {
  Rig rig;
  rig.set_up(false);
  rig.service(0);
  rig.run_for(30s);
  rig.set_up(true);
  rig.path_back();
  EXPECT_TRUE(rig.run_until([&] { return rig.end(1).state() == StreamState::kUp; }, 200ms));
}

TEST(StreamOutage, AnIdleConnectionIsSilentAndPathsMayComeAndGo) {
  Rig rig;
  ASSERT_TRUE(rig.connect());
  rig.start(0, 1'000, false);
  rig.run_for(5s);
  const std::uint64_t sent = rig.end(0).statistics().datagrams_sent;
  EXPECT_EQ(rig.end(0).next_deadline(), kNever);
  for (int i = 0; i < 10; ++i) {
    rig.path_back();
    rig.run_for(10s);
  }
  EXPECT_EQ(rig.end(0).statistics().datagrams_sent, sent);
  EXPECT_EQ(rig.end(0).state(), StreamState::kUp);
}

}  // namespace
}  // namespace wormhole::stream_test
