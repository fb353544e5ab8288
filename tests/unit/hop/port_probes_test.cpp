#include "wormhole/hop/port_probes.hpp"

#include <gtest/gtest.h>

namespace wormhole {
namespace {

constexpr FlowNo kFlow{3};
const Endpoint kServer = *Endpoint::parse("198.51.100.10:7700");

/// Probes with a clock: counts the pings, answers them after `rtt` while `answers`.
class Probing {
 public:
  Probing() {
    probes.set_server(kServer);
    probes.put(kFlow, 2003, now);
  }
  void run(Duration duration) {
    const auto until = now + duration;
    while (probes.next_deadline() <= until || (pong_at && *pong_at <= until)) {
      now = std::max(now, std::min(probes.next_deadline(), pong_at.value_or(kNever)));
      if (pong_at && *pong_at <= now) {
        pong_at.reset();
        probes.on_pong(2003, now - rtt, now, changes);
      }
      probes.on_timeout(
          now, rtt,
          [&](const Endpoint& to) {
            EXPECT_EQ(to, *Endpoint::parse("198.51.100.10:2003"));
            ++pings;
            if (answers && !pong_at) pong_at = now + rtt;
          },
          changes);
    }
    now = until;
  }
  std::vector<RelayPortChange::Kind> take_changes() {
    std::vector<RelayPortChange::Kind> kinds;
    for (const auto& change : std::exchange(changes, {})) kinds.push_back(change.kind);
    return kinds;
  }

  using Kind = RelayPortChange::Kind;
  PortProbes probes;
  TimePoint now{1000s};
  Duration rtt = 20ms;
  bool answers = true;
  int pings = 0;
  std::optional<TimePoint> pong_at;
  std::vector<RelayPortChange> changes;
};

TEST(PortProbes, APortIsUsedOnceItAnswersAndPingedTwiceASecond) {
  Probing p;
  EXPECT_EQ(p.probes.in_use(kFlow), 0);
  p.run(50ms);
  EXPECT_EQ(p.probes.in_use(kFlow), 2003);
  EXPECT_EQ(p.probes.in_use(FlowNo{4}), 0);
  EXPECT_EQ(p.take_changes(), std::vector{Probing::Kind::kAnswers});
  p.pings = 0;
  p.run(10s);
  EXPECT_GE(p.pings, 19);
  EXPECT_LE(p.pings, 21);
  EXPECT_TRUE(p.take_changes().empty());
}

TEST(PortProbes, ThreeTriesWithoutAnAnswerAndItRestsLongerEachTime) {
  Probing p;
  p.answers = false;
  p.run(300ms);
  EXPECT_EQ(p.pings, 3);
  EXPECT_EQ(p.take_changes(), std::vector{Probing::Kind::kSilent});
  for (const auto rest : {30s, 60s, 120s, 240s, 300s, 300s}) {
    p.pings = 0;
    p.run(rest - 1ms);
    EXPECT_EQ(p.pings, 0) << rest.count();
    p.run(301ms);
    EXPECT_EQ(p.pings, 3) << rest.count();
  }
  EXPECT_EQ(p.probes.in_use(kFlow), 0);
}

TEST(PortProbes, ALongPathHasTwoRoundTripsOfPatience) {
  Probing p;
  p.rtt = 450ms;
  p.run(899ms);
  EXPECT_EQ(p.take_changes(), std::vector{Probing::Kind::kAnswers});
  Probing longer;
  longer.rtt = 450ms;
  longer.answers = false;
  longer.run(899ms);
  EXPECT_TRUE(longer.take_changes().empty());
  longer.run(1ms);
  EXPECT_EQ(longer.take_changes(), std::vector{Probing::Kind::kSilent});
}

TEST(PortProbes, OneAndAHalfSecondsWithoutAnAnswerAndTheSharedPortIsBack) {
  Probing p;
  p.run(5s);
  p.take_changes();
  p.answers = false;
  p.pong_at.reset();
  p.run(900ms);
  EXPECT_EQ(p.probes.in_use(kFlow), 2003);
  for (int i = 0; i < 70 && p.probes.in_use(kFlow) != 0; ++i) p.run(10ms);
  EXPECT_EQ(p.probes.in_use(kFlow), 0);
  ASSERT_FALSE(p.changes.empty());
  EXPECT_EQ(p.changes.front().kind, Probing::Kind::kLost);
  p.answers = true;
  p.run(200ms);  // it is probed again at once
  EXPECT_EQ(p.probes.in_use(kFlow), 2003);
}

TEST(PortProbes, OldAnswersAndThoseFromTheFutureProveNothing) {
  Probing p;
  p.probes.on_pong(2003, p.now + 1ms, p.now, p.changes);
  p.probes.on_pong(2003, p.now - 1501ms, p.now, p.changes);
  p.probes.on_pong(2004, p.now, p.now, p.changes);
  EXPECT_TRUE(p.changes.empty());
  EXPECT_EQ(p.probes.in_use(kFlow), 0);
}

TEST(PortProbes, AnotherServerAddressForgetsThem) {
  Probing p;
  p.run(1s);
  p.probes.set_server(kServer);
  EXPECT_EQ(p.probes.in_use(kFlow), 2003);
  p.probes.set_server(*Endpoint::parse("198.51.100.11:7700"));
  EXPECT_EQ(p.probes.in_use(kFlow), 0);
  EXPECT_EQ(p.probes.next_deadline(), kNever);
}

TEST(PortProbes, TakenAwayOrReplacedTheFlowLeavesThePort) {
  Probing p;
  p.run(1s);
  p.probes.put(kFlow, 2003, p.now);  // said again: nothing new
  EXPECT_EQ(p.probes.in_use(kFlow), 2003);
  p.probes.put(kFlow, 2004, p.now);
  EXPECT_EQ(p.probes.in_use(kFlow), 0);
  EXPECT_TRUE(p.probes.knows(*Endpoint::parse("198.51.100.10:2004")));
  EXPECT_FALSE(p.probes.knows(*Endpoint::parse("198.51.100.10:2003")));
  EXPECT_FALSE(p.probes.knows(*Endpoint::parse("198.51.100.11:2004")));
  p.probes.put(kFlow, 0, p.now);
  EXPECT_FALSE(p.probes.knows(*Endpoint::parse("198.51.100.10:2004")));
}

}  // namespace
}  // namespace wormhole
