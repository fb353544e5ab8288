// What a client knows of its links by its peers' reports: verdicts, capacities, and what they cost.
#include <algorithm>

#include "sim/seeds.hpp"
#include "sim/uplink_rig.hpp"

namespace wormhole::sim {
namespace {

constexpr double kUplink = 3e6;
/// The goal's ±10 %, of the median over some seconds.
constexpr double kNear = 0.10;

double median_capacity(UplinkRig& rig, PathKind way, const std::string& peer) {
  std::vector<double> seen;
  for (int i = 0; i < 40; ++i) {
    rig.world.run_for(103ms);
    if (const auto link = rig.link(way, peer)) seen.push_back(link->capacity_bps);
  }
  if (seen.empty()) return 0;
  std::nth_element(seen.begin(), seen.begin() + static_cast<std::ptrdiff_t>(seen.size() / 2),
                   seen.end());
  return seen[seen.size() / 2];
}

/// Never in so much time.
testing::AssertionResult never(UplinkRig& rig, LinkVerdict verdict, PathKind way, Duration time,
                               const std::string& peer = "gcs1") {
  if (!rig.world.run_until([&] { return rig.is(verdict, way, peer); }, time)) {
    return testing::AssertionSuccess();
  }
  const auto link = rig.link(way, peer);
  return testing::AssertionFailure() << "queue " << to_ms(link->queue_delay) << " ms, loss "
                                     << link->loss << ", delivered " << link->delivered_bps;
}

void all_verdicts(World& world, PathKind way) {
  UplinkRig rig(world, 1, way == PathKind::kDirect);
  ASSERT_TRUE(rig.begin(way));
  rig.limit(kUplink);
  rig.offer(0.6 * kUplink);
  EXPECT_TRUE(never(rig, LinkVerdict::kLimit, way, 6s));
  ASSERT_TRUE(rig.link(way));
  EXPECT_NEAR(rig.link(way)->delivered_bps, 0.6 * kUplink, 0.1 * kUplink);
  rig.offer(1.25 * kUplink);
  EXPECT_TRUE(world.run_until([&] { return rig.is(LinkVerdict::kLimit, way); }, 1500ms));
  world.run_for(3s);
  EXPECT_NEAR(median_capacity(rig, way, "gcs1"), kUplink, kNear * kUplink);
  EXPECT_TRUE(rig.is(LinkVerdict::kLimit, way)) << "it waits in the client now";
  ASSERT_TRUE(rig.video());
  EXPECT_EQ(rig.video()->verdict, LinkVerdict::kLimit);
  EXPECT_NEAR(rig.video()->capacity_bps, kUplink, 0.15 * kUplink);
  EXPECT_NEAR(rig.video()->offered_bps, 1.25 * kUplink, 0.1 * kUplink);
  rig.offer(0.4 * kUplink);
  EXPECT_TRUE(world.run_until([&] { return !rig.is(LinkVerdict::kLimit, way); }, 8s));
  EXPECT_TRUE(never(rig, LinkVerdict::kLimit, way, 4s));
  rig.stage.drone().host().up.profile.loss = 0.03;
  EXPECT_TRUE(world.run_until([&] { return rig.is(LinkVerdict::kLossy, way); }, 10s));
  EXPECT_TRUE(never(rig, LinkVerdict::kLimit, way, 10s));
}

TEST(SimCongestion, EachVerdictAppearsByTheRelay) {
  for_each_seed(5, [](World& world) { all_verdicts(world, PathKind::kRelay); });
}

TEST(SimCongestion, EachVerdictAppearsOnADirectPath) {
  for_each_seed(5, [](World& world) { all_verdicts(world, PathKind::kDirect); });
}

TEST(SimCongestion, OneUploadForSeveralHasALimitToo) {
  for_each_seed(5, [](World& world) {
    UplinkRig rig(world, 3, false);
    ASSERT_TRUE(rig.begin(PathKind::kRelay));
    rig.limit(kUplink);
    rig.offer(1.25 * kUplink);
    for (const auto* peer : {"gcs1", "gcs2", "gcs3"}) {
      EXPECT_TRUE(world.run_until(
          [&] { return rig.is(LinkVerdict::kLimit, PathKind::kRelay, peer); }, 1500ms))
          << peer;
    }
    world.run_for(3s);
    for (const auto* peer : {"gcs1", "gcs2", "gcs3"}) {
      EXPECT_NEAR(median_capacity(rig, PathKind::kRelay, peer), kUplink, kNear * kUplink) << peer;
    }
  });
}

TEST(SimCongestion, OneWeakReceiverIsItsOwnLimit) {
  for_each_seed(5, [](World& world) {
    UplinkRig rig(world, 3, false);
    ASSERT_TRUE(rig.begin(PathKind::kRelay));
    auto& down = rig.stage.client("gcs2").host().down.profile;
    down.bits_per_second = 1'000'000;
    down.queue = 300ms;
    rig.offer(2e6);
    EXPECT_TRUE(world.run_until(
        [&] { return rig.is(LinkVerdict::kLimit, PathKind::kRelay, "gcs2"); }, 1500ms));
    world.run_for(3s);
    EXPECT_NEAR(median_capacity(rig, PathKind::kRelay, "gcs2"), 1e6, 0.15e6);
    for (const auto* peer : {"gcs1", "gcs3"}) {
      EXPECT_FALSE(rig.is(LinkVerdict::kLimit, PathKind::kRelay, peer)) << peer;
      ASSERT_TRUE(rig.link(PathKind::kRelay, peer));
      EXPECT_NEAR(rig.link(PathKind::kRelay, peer)->delivered_bps, 2e6, 0.2e6) << peer;
    }
  });
}

TEST(SimCongestion, ReportsCostAHundredthAndAnIdleFlowNone) {
  for_each_seed(3, [](World& world) {
    UplinkRig rig(world, 1, false);
    ASSERT_TRUE(rig.begin(PathKind::kRelay));
    // Of what gcs1 sends: its own keepalives are shorter, its path MTU probes longer.
    constexpr std::size_t kShort = 80;
    constexpr std::size_t kLong = 160;
    std::size_t reports = 0;
    std::size_t bytes = 0;
    const auto from = rig.stage.nat_of("gcs1");
    ASSERT_NE(from, nullptr);
    world.internet().set_tap([&](Packet& packet) {
      const bool is_relayed =
          !packet.bytes.empty() && packet.bytes[0] == 0x11 && packet.to.port == 7700;
      if (is_relayed && ip_size(packet) > kShort && ip_size(packet) < kLong) {
        ++reports;
        bytes += ip_size(packet);
      }
      return true;
    });
    rig.offer(4e6);
    world.run_for(10s);
    const double carried = 4e6 / 8 * 10;
    EXPECT_GE(reports, 150U);  // one each 50 ms or so
    EXPECT_LE(static_cast<double>(bytes), 0.0105 * carried);
    rig.offer(10e3);  // a packet each second: 10 s for the next report
    world.run_for(1s);
    reports = 0;
    world.run_for(25s);
    EXPECT_LE(reports, 5U);  // two were earned before
  });
}

TEST(SimCongestion, TheServerHearsOfEachLink) {
  for_each_seed(2, [](World& world) {
    UplinkRig rig(world, 1, false);
    ASSERT_TRUE(rig.begin(PathKind::kRelay));
    rig.limit(kUplink);
    rig.offer(1.25 * kUplink);
    world.run_for(6s);
    const auto known = rig.stage.server().links();
    const auto* link = [&]() -> const LinkReport* {
      for (const auto& client : known) {
        for (const auto& one : client.links) {
          if (client.id == "drone3" && one.peer == "gcs1" && !one.direct) return &one;
        }
      }
      return nullptr;
    }();
    ASSERT_NE(link, nullptr);
    EXPECT_EQ(link->newest.state.verdict, LinkVerdict::kLimit);
    EXPECT_NEAR(link->newest.state.capacity_bps, kUplink, 0.2 * kUplink);
    EXPECT_GE(link->history.size(), 2U);
    const bool told =
        std::any_of(rig.stage.drone().link_changes.begin(), rig.stage.drone().link_changes.end(),
                    [](const LinkChange& change) {
                      return change.what == LinkChange::What::kLink && change.peer == "gcs1" &&
                             change.state.verdict == LinkVerdict::kLimit;
                    });
    EXPECT_TRUE(told) << "applications hear of it as well";
  });
}

}  // namespace
}  // namespace wormhole::sim
