// Encoders that follow the reports: how much of a changing uplink they use, and how they share it.
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "sim/adaptive_video.hpp"
#include "sim/seeds.hpp"

namespace wormhole::sim {
namespace {

/// IP packets by the relay.
constexpr double kBits = 8.0 * (AdaptiveVideo::kSize + 60);
constexpr double kMbit = 1e6;

LinkVerdict verdict_of(const std::string& state) {
  if (state == "limit") return LinkVerdict::kLimit;
  if (state == "lossy") return LinkVerdict::kLossy;
  return state == "clear" ? LinkVerdict::kClear : LinkVerdict::kAppLimited;
}

TEST(SimAdaptive, TheRuleIsThatOfTheExample) {
  std::ifstream file(WORMHOLE_TEST_DATA "/vectors/bitrate.txt");
  BitrateControl control({});
  std::size_t ticks = 0;
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    double time = 0;
    std::string state;
    LinkState link;
    double rate = 0;
    if (!(words >> time >> state >> link.capacity_bps >> rate)) continue;  // a remark
    if (state == "begin") {
      control = BitrateControl({.start = rate});
    } else if (state == "tick") {
      ++ticks;
      ASSERT_NEAR(control.on_tick(time), rate, 1) << line;
    } else {
      link.verdict = verdict_of(state);
      link.delivered_bps = 900e3;
      control.on_state(link, time);
    }
  }
  EXPECT_GT(ticks, 100U);
}

struct Got {
  double bps = 0;   ///< that arrived
  double loss = 0;  ///< of what applications sent
  double p95 = 0;   ///< milliseconds above the quickest
};

Got got(World& world, const std::string& from, TimePoint since, TimePoint until) {
  std::vector<Duration> delays;
  for (const auto& record : world.ledger().records()) {
    if (record.from != from || record.flow != "video") continue;
    if (record.at < since || record.at >= until || record.deliveries.empty()) continue;
    delays.push_back(record.deliveries[0].at - record.at);
  }
  if (delays.empty()) return {};
  std::sort(delays.begin(), delays.end());
  const auto arrived = static_cast<double>(delays.size());
  const auto sent = static_cast<double>(world.ledger().sent(from, "video", since, until));
  Got found;
  found.bps = arrived * kBits / std::chrono::duration<double>(until - since).count();
  found.loss = 1 - arrived / sent;
  found.p95 = static_cast<double>(to_ms(delays[delays.size() * 95 / 100] - delays.front()));
  return found;
}

double median(std::vector<double> all) {
  std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2),
                   all.end());
  return all[all.size() / 2];
}

/// RFC 8867, 5.1: bits a second, for so long.
struct Phase {
  double rate;
  Duration time;
};
constexpr Phase kSchedule[] = {
    {1.0 * kMbit, 40s}, {2.5 * kMbit, 20s}, {0.6 * kMbit, 20s}, {1.0 * kMbit, 20s}};

/// How much of it was used, instead of a rate.
Got run_schedule(World& world) {
  StageOptions options;
  options.p2p = world.seed() % 2 == 0;
  options.link.delay = 25ms;
  options.link.jitter = 1ms;
  Stage stage(world, options);
  if (!stage.start()) return {};
  auto& up = stage.drone().host().up.profile;
  up.queue = 300ms;
  AdaptiveVideo video(stage, "drone3", {});
  const auto since = world.now();
  video.begin();
  double room = 0;
  for (const auto& phase : kSchedule) {
    up.bits_per_second = static_cast<std::uint64_t>(phase.rate);
    room += phase.rate * std::chrono::duration<double>(phase.time).count();
    world.run_for(phase.time);
  }
  const auto until = world.now();
  world.run_for(1s);
  auto found = got(world, "drone3", since, until);
  found.bps *= std::chrono::duration<double>(until - since).count() / room;
  return found;
}

/// The goals (85 %, 150 ms, 1 %) are those of the median; no seed is far from it.
TEST(SimAdaptive, AnEncoderUsesAChangingUplink) {
  std::vector<double> used;
  std::vector<double> p95;
  std::vector<double> loss;
  for_each_seed(5, [&](World& world) {
    const auto found = run_schedule(world);
    EXPECT_GE(found.bps, 0.78);
    EXPECT_LE(found.p95, 200);
    EXPECT_LE(found.loss, 0.02);
    used.push_back(found.bps);
    p95.push_back(found.p95);
    loss.push_back(found.loss);
  });
  std::printf(
      "[ sim      ] RFC 8867's schedule, medians: %.3f used, p95 %.0f ms, %.2f %% lost (%zu)\n",
      median(used), median(p95), 100 * median(loss), used.size());
  if (used.size() < 5) return;  // too few for a median
  EXPECT_GE(median(used), 0.85);
  EXPECT_LE(median(p95), 150);
  EXPECT_LE(median(loss), 0.01);
}

/// Jain's index of what two senders get.
double jain(double a, double b) { return (a + b) * (a + b) / (2 * (a * a + b * b)); }

TEST(SimAdaptive, TwoEncodersShareABottleneck) {
  constexpr double kRate = 3 * kMbit;
  for_each_seed(5, [](World& world) {
    StageOptions options;
    options.clients = {"drone1", "drone2", "gcs1"};
    options.p2p = false;
    options.link.jitter = 1ms;
    Stage stage(world, options);
    ASSERT_TRUE(stage.start());
    auto& down = stage.client("gcs1").host().down.profile;
    down.bits_per_second = static_cast<std::uint64_t>(kRate);
    down.queue = 300ms;
    AdaptiveVideo one(stage, "drone1", {});
    AdaptiveVideo two(stage, "drone2", {.start = 1.6 * kMbit});
    const auto since = world.now();
    one.begin();
    two.begin();
    world.run_for(60s);
    const auto until = world.now();
    world.run_for(1s);
    const auto a = got(world, "drone1", since, until);
    const auto b = got(world, "drone2", since, until);
    EXPECT_GE(jain(a.bps, b.bps), 0.9) << a.bps << " and " << b.bps;
    EXPECT_GE(a.bps + b.bps, 0.8 * kRate);
  });
}

}  // namespace
}  // namespace wormhole::sim
