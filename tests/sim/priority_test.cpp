// The control link stays fast while video fills the uplink, and who shares a bottleneck shares it.
#include <algorithm>

#include "sim/seeds.hpp"
#include "sim/uplink_rig.hpp"

namespace wormhole::sim {
namespace {

constexpr double kUplink = 3e6;
constexpr Duration kQueue = 1s;
constexpr Duration kOnset = 3s;
constexpr Duration kWatch = 20s;
/// The goal: path delay and this.
constexpr Duration kAllowance = 60ms;

struct Heard {
  std::size_t lost = 0;
  Duration p99{};
};

/// What became of a flow of drone3's, sent in [since, until).
Heard heard(World& world, const std::string& flow, TimePoint since, TimePoint until,
            const std::string& sender = "drone3") {
  std::vector<Duration> delays;
  Heard found;
  for (const auto& record : world.ledger().records()) {
    if (record.from != sender || record.flow != flow || record.at < since || record.at >= until) {
      continue;
    }
    found.lost += record.deliveries.empty();
    for (const auto& delivery : record.deliveries) delays.push_back(delivery.at - record.at);
  }
  if (delays.empty()) return found;
  std::sort(delays.begin(), delays.end());
  found.p99 = delays[delays.size() * 99 / 100];
  return found;
}

struct Case {
  std::size_t receivers = 1;
  bool direct = false;
  Members video = {"gcs1"};
  Members control = {"gcs1"};
};

void control_beside_video(World& world, const Case& with, Samples& samples) {
  const Duration delay = std::chrono::milliseconds(10 + world.rng().below(71));
  UplinkRig rig(world, with.receivers, with.direct, delay / 2);
  ASSERT_TRUE(rig.begin(with.direct ? PathKind::kDirect : PathKind::kRelay));
  rig.route(with.video, with.control);
  rig.limit(kUplink, kQueue);
  rig.stage.traffic("drone3", "mavlink", 19'970us, 60);  // 50 a second
  rig.offer(2 * kUplink);
  world.run_for(kOnset);
  const auto since = world.now();
  world.run_for(kWatch);
  const auto until = world.now();
  world.run_for(2s);
  const auto control = heard(world, "mavlink", since, until);
  EXPECT_EQ(control.lost, 0U);
  const auto jitter = 2 * rig.stage.options.link.jitter;
  EXPECT_LE(control.p99, delay + jitter + kAllowance);
  samples.add(control.p99 - delay);
  const auto used = world.ledger().delivered("drone3", "video", since, until) *
                    (UplinkRig::kVideo + UplinkRig::kAround) * 8;
  EXPECT_GE(static_cast<double>(used),
            0.8 * kUplink * std::chrono::duration<double>(kWatch).count());
}

void run_case(const Case& with, const std::string& name) {
  Samples samples("control beside video at 200 %, p99 over the path, " + name);
  for_each_seed(3, [&](World& world) { control_beside_video(world, with, samples); });
  samples.print();
}

TEST(SimPriority, ControlToTheSamePeerByTheRelay) { run_case({}, "relayed"); }

TEST(SimPriority, ControlToTheSamePeerOnADirectPath) {
  Case with;
  with.direct = true;
  run_case(with, "direct");
}

TEST(SimPriority, ControlToAnotherPeer) {
  Case with;
  with.receivers = 2;
  with.control = {"gcs2"};
  run_case(with, "to another peer");
}

TEST(SimPriority, ControlToOneOfThreeThatHearTheVideo) {
  Case with;
  with.receivers = 3;
  with.video = {"gcs1", "gcs2", "gcs3"};
  with.control = {"gcs2"};
  run_case(with, "one upload for three");
}

TEST(SimPriority, VideoThatFitsIsNotShapedAndLosesNothing) {
  for_each_seed(3, [](World& world) {
    UplinkRig rig(world, 1, false);
    ASSERT_TRUE(rig.begin(PathKind::kRelay));
    rig.limit(kUplink, kQueue);
    rig.offer(0.7 * kUplink);
    const auto since = world.now();
    world.run_for(20s);
    const auto until = world.now();
    world.run_for(2s);
    EXPECT_EQ(heard(world, "video", since, until).lost, 0U);
    for (const auto& flow : rig.stage.drone().status().flows) {
      EXPECT_EQ(flow.queue.packets, 0U) << flow.name;
    }
  });
}

/// Jain's index of what two senders get.
double jain(double a, double b) { return (a + b) * (a + b) / (2 * (a * a + b * b)); }

TEST(SimPriority, TwoClientsShareABottleneck) {
  for_each_seed(3, [](World& world) {
    StageOptions options;
    options.clients = {"drone1", "drone2", "gcs1"};
    options.p2p = false;
    options.link.jitter = 3ms;
    Stage stage(world, options);
    ASSERT_TRUE(stage.start());
    auto& down = stage.client("gcs1").host().down.profile;
    down.bits_per_second = 4'000'000;
    down.queue = 500ms;
    stage.traffic("drone1", "video", 1'671us, 1200);  // 6 Mbit/s
    world.run_for(7s);
    stage.traffic("drone2", "video", 2'017us, 1200);  // 5 Mbit/s
    world.run_for(3s);
    const auto since = world.now();
    world.run_for(60s);
    const auto one = world.ledger().delivered("drone1", "video", since);
    const auto two = world.ledger().delivered("drone2", "video", since);
    EXPECT_GE(jain(static_cast<double>(one), static_cast<double>(two)), 0.9)
        << one << " and " << two;
  });
}

}  // namespace
}  // namespace wormhole::sim
