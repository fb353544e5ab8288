// Which packets belong to which connection: epochs, restarts, breaks.
#include "wormhole/peer/peer_streams.hpp"

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <vector>

namespace wormhole {
namespace {

/// Two ends whose packets arrive after 10 ms.
class Pair {
 public:
  Pair() {
    ends[0].set_role(StreamRole::kCaller);
    ends[1].set_role(StreamRole::kListener);
  }

  void want(bool wanted = true) {
    for (auto& end : ends) end.want(StreamClass::kUsual, wanted, now);
  }
  bool run_until(const std::function<bool()>& done, Duration limit = 5s) {
    const auto until = now + limit;
    while (!done()) {
      if (now >= until) return false;
      step();
    }
    return true;
  }
  bool both_up() {
    return ends[0].usable(StreamClass::kUsual) != nullptr &&
           ends[1].usable(StreamClass::kUsual) != nullptr;
  }
  /// One way and the other; every packet of one end may be looked at, and swallowed.
  void step() {
    now += 10ms;
    for (std::size_t side = 0; side < 2; ++side) {
      ends[side].on_timeout(now);
      for (auto& packet : std::exchange(flying[side], {})) {
        packet.resize(packet.size() + kStreamTail);
        ends[1 - side].on_packet(MutBytes(packet).first(packet.size() - kStreamTail), now);
      }
    }
    for (std::size_t side = 0; side < 2; ++side) send(side);
    for (std::size_t side = 0; side < 2; ++side) {
      while (const auto event = ends[side].next_event()) {
        if (!event->event) ++lost[side];
      }
    }
  }
  void send(std::size_t side) {
    std::array<std::uint8_t, kMaxStreamText + kStreamTail> room{};
    for (const auto group : kStreamClasses) {
      while (const auto size = ends[side].next_packet(group, room, now)) {
        if (cut[side]) continue;
        flying[side].emplace_back(room.begin(), room.begin() + static_cast<std::ptrdiff_t>(size));
      }
    }
  }

  SeededRng rng{1};
  std::array<PeerStreams, 2> ends{PeerStreams(rng), PeerStreams(rng)};
  std::array<std::vector<std::vector<std::uint8_t>>, 2> flying;
  std::array<bool, 2> cut{};
  std::array<int, 2> lost{};
  TimePoint now{};
};

TEST(PeerStreams, ComeUpWhenBothWantThem) {
  Pair pair;
  EXPECT_EQ(pair.ends[0].usable(StreamClass::kUsual), nullptr);
  pair.want();
  EXPECT_TRUE(pair.run_until([&] { return pair.both_up(); }, 200ms));
  EXPECT_EQ(pair.ends[0].usable(StreamClass::kRelayOnly), nullptr);
}

TEST(PeerStreams, ComeUpWhenOneHearsOfTheFlowFirst) {
  Pair pair;
  pair.ends[0].want(StreamClass::kRelayOnly, true, pair.now);
  const auto up = [&] { return pair.ends[1].usable(StreamClass::kRelayOnly) != nullptr; };
  EXPECT_TRUE(pair.run_until(up, 200ms));
}

TEST(PeerStreams, ABrokenConnectionIsReplacedAtBothEnds) {
  for (const std::size_t breaks : {0U, 1U}) {
    Pair pair;
    pair.want();
    ASSERT_TRUE(pair.run_until([&] { return pair.both_up(); }));
    pair.ends[breaks].find(StreamClass::kUsual)->close();
    pair.step();
    EXPECT_TRUE(pair.run_until([&] { return pair.lost[0] == 1 && pair.lost[1] == 1; }));
    EXPECT_TRUE(pair.run_until([&] { return pair.both_up(); })) << breaks;
  }
}

TEST(PeerStreams, AnEndThatMissedTheBreakFollowsTheNewEpoch) {
  for (const std::size_t breaks : {0U, 1U}) {
    Pair pair;
    pair.want();
    ASSERT_TRUE(pair.run_until([&] { return pair.both_up(); }));
    pair.cut[breaks] = true;  // its farewell is lost
    pair.ends[breaks].find(StreamClass::kUsual)->close();
    for (int i = 0; i < 5; ++i) pair.step();
    pair.cut[breaks] = false;
    // The other end still believes in the old one, and says something by it.
    auto* const other = pair.ends[1 - breaks].usable(StreamClass::kUsual);
    ASSERT_NE(other, nullptr);
    ASSERT_TRUE(other->open());
    EXPECT_TRUE(pair.run_until([&] { return pair.lost[1 - breaks] == 1 && pair.both_up(); }))
        << breaks;
  }
}

TEST(PeerStreams, ARestartBeginsAnew) {
  Pair pair;
  pair.want();
  ASSERT_TRUE(pair.run_until([&] { return pair.both_up(); }));
  for (auto& end : pair.ends) end.restart(pair.now);
  for (auto& packets : pair.flying) packets.clear();
  EXPECT_TRUE(pair.run_until([&] { return pair.lost[0] == 1 && pair.lost[1] == 1; }));
  EXPECT_TRUE(pair.run_until([&] { return pair.both_up(); }));
}

TEST(PeerStreams, StrayPacketsAreCountedAndChangeNothing) {
  Pair pair;
  pair.want();
  ASSERT_TRUE(pair.run_until([&] { return pair.both_up(); }));
  std::array<std::uint8_t, 64> room{};
  pair.ends[0].on_packet(MutBytes(room).first(0), pair.now);
  pair.ends[0].on_packet(MutBytes(room).first(1), pair.now);
  room[0] = 2;  // no such class
  pair.ends[0].on_packet(MutBytes(room).first(40), pair.now);
  room[0] = 0;
  room[1] = 255;  // the epoch before
  pair.ends[0].on_packet(MutBytes(room).first(40), pair.now);
  EXPECT_EQ(pair.ends[0].strays(), 4U);
  room[1] = 0;  // ours, but no QUIC packet
  pair.ends[0].on_packet(MutBytes(room).first(40), pair.now);
  EXPECT_TRUE(pair.both_up());
  EXPECT_EQ(pair.lost[0], 0);
}

TEST(PeerStreams, WhatIsWantedNoLongerEnds) {
  Pair pair;
  pair.want();
  ASSERT_TRUE(pair.run_until([&] { return pair.both_up(); }));
  pair.want(false);
  EXPECT_TRUE(pair.run_until([&] {
    return pair.ends[0].find(StreamClass::kUsual) == nullptr &&
           pair.ends[1].find(StreamClass::kUsual) == nullptr;
  }));
  EXPECT_EQ(pair.ends[0].next_deadline(), kNever);
}

}  // namespace
}  // namespace wormhole
