// Impaired flows: what the receiver's application meets with, and that nobody else meets with it.
#include <algorithm>
#include <cmath>

#include "sim/seeds.hpp"
#include "sim/stage.hpp"

namespace wormhole::sim {
namespace {

constexpr Share share(double percent) { return static_cast<Share>(percent / 100 * kWhole); }

using Profile = std::shared_ptr<const ImpairProfile>;

template <typename Change>
Profile profile(Change change) {
  ImpairProfile made;
  change(made);
  return std::make_shared<const ImpairProfile>(std::move(made));
}

Profile delayed(std::uint32_t ms) {
  return profile([&](auto& p) { p.delay_us = ms * 1000; });
}

Flow& flow_of(wormhole::Network& network, const std::string& name) {
  return *std::find_if(network.flows.begin(), network.flows.end(),
                       [&](const auto& flow) { return flow.name == name; });
}

void put_in_force(Stage& stage, const wormhole::Network& network) {
  stage.world.ledger().set_network(network, stage.world.now());
  stage.server().set_network(network);
}

void impair(Stage& stage, const std::string& flow, Impairment impairment) {
  flow_of(stage.network, flow).impair = std::move(impairment);
  put_in_force(stage, stage.network);
}

std::optional<ImpairStatus> status_of(Stage& stage, const std::string& id,
                                      const std::string& flow) {
  for (const auto& row : stage.client(id).status().flows) {
    if (row.name == flow) return row.impair;
  }
  return std::nullopt;
}

/// How long the datagrams of `from` took that were sent in [since, until); to whoever came first.
std::vector<Duration> delays(World& world, const std::string& from, const std::string& flow,
                             TimePoint since, TimePoint until) {
  std::vector<Duration> all;
  for (const auto& record : world.ledger().records()) {
    const bool counts = record.from == from && record.flow == flow;
    if (!counts || record.at < since || record.at >= until || record.deliveries.empty()) continue;
    all.push_back(record.deliveries.front().at - record.at);
  }
  std::sort(all.begin(), all.end());
  return all;
}

double mean_ms(const std::vector<Duration>& all) {
  double sum = 0;
  for (const auto one : all) sum += std::chrono::duration<double, std::milli>(one).count();
  return sum / static_cast<double>(std::max<std::size_t>(1, all.size()));
}

TEST(SimImpair, TheReceiverMeetsWithItAndOtherFlowsDoNot) {
  double sent = 0;
  double lost = 0;
  double altered = 0;
  for_each_seed(4, [&](World& world) {
    Stage stage(world);
    world.ledger().expect_impaired("video");
    ASSERT_TRUE(stage.start());
    impair(stage, "video",
           {profile([](auto& p) {
              p.loss_model = ImpairProfile::Loss::kRandom;
              p.loss[0] = share(2);
              p.delay_us = 40'000;
              p.jitter_us = 10'000;
              p.corrupt.share = share(0.1);
              p.corrupt_from = 8;  // the ledger's number
            }),
            nullptr});
    stage.both_ways(5ms);
    stage.traffic("drone3", "video", 5ms, 1000);
    world.run_for(3s);
    ASSERT_TRUE(status_of(stage, "drone3", "video").has_value());
    const auto since = world.now();
    world.run_for(30s);
    const auto until = world.now();
    world.run_for(1s);
    auto& ledger = world.ledger();
    for (const auto* id : {"drone3", "gcs4"}) {
      EXPECT_EQ(ledger.delivered(id, "mavlink", since, until),
                ledger.sent(id, "mavlink", since, until));
    }
    const auto here = static_cast<double>(ledger.sent("drone3", "video", since, until));
    const auto came = static_cast<double>(ledger.delivered("drone3", "video", since, until));
    sent += here;
    lost += here - came;
    altered += static_cast<double>(ledger.altered());
    const auto impaired = delays(world, "drone3", "video", since, until);
    const auto usual = delays(world, "drone3", "mavlink", since, until);
    EXPECT_NEAR(mean_ms(impaired) - mean_ms(usual), 40, 1.0);
    EXPECT_GE(impaired.front(), usual.front() + 29ms);
    EXPECT_LE(impaired.back(), usual.back() + 51ms);
    const auto status = status_of(stage, "drone3", "video");
    ASSERT_TRUE(status);
    EXPECT_NEAR(static_cast<double>(to_ms(status->mean_delay)), 40, 1);
    EXPECT_EQ(status->corrupted, ledger.altered());
    EXPECT_FALSE(status_of(stage, "gcs4", "video")) << "who receives impairs nothing";
    EXPECT_FALSE(status_of(stage, "drone3", "mavlink"));
  });
  // Five standard deviations, and those altered before `since` and behind `until`.
  EXPECT_NEAR(lost, 0.02 * sent, 5 * std::sqrt(0.02 * sent));
  EXPECT_NEAR(altered, 0.001 * 34 / 30 * sent, 5 * std::sqrt(0.001 * sent) + 1);
}

TEST(SimImpair, EachWayHasItsOwn) {
  for_each_seed(10, [](World& world) {
    Stage stage(world);
    ASSERT_TRUE(stage.start());
    impair(stage, "mavlink", {delayed(200), profile([](auto& p) {
                                p.loss_model = ImpairProfile::Loss::kRandom;
                                p.loss[0] = kWhole;
                              })});
    world.run_for(1s);
    stage.both_ways(20ms);
    const auto since = world.now();
    world.run_for(5s);
    const auto until = world.now();
    world.run_for(1s);
    auto& ledger = world.ledger();
    EXPECT_EQ(ledger.delivered("drone3", "mavlink", since, until),
              ledger.sent("drone3", "mavlink", since, until));
    const auto forward = delays(world, "drone3", "mavlink", since, until);
    EXPECT_GE(forward.front(), Duration{200ms});
    EXPECT_LE(forward.back(), Duration{300ms});
    EXPECT_EQ(ledger.delivered("gcs4", "mavlink", since, until), 0U);
    EXPECT_GT(ledger.sent("gcs4", "mavlink", since, until), 200U);
  });
}

TEST(SimImpair, AnotherProfileLosesNothingAndDisturbsNobody) {
  for_each_seed(8, [](World& world) {
    Stage stage(world);
    ASSERT_TRUE(stage.start());
    stage.both_ways(5ms);
    stage.traffic("drone3", "video", 5ms, 1000);
    world.run_for(3s);
    const auto since = world.now();
    for (const std::uint32_t ms : {40U, 400U, 10U, 1000U}) {
      impair(stage, "video", {delayed(ms), nullptr});
      world.run_for(700ms);
      const auto status = status_of(stage, "drone3", "video");
      ASSERT_TRUE(status);
      EXPECT_GT(status->held, 0U);
    }
    impair(stage, "video", {});
    world.run_for(2s);
    EXPECT_FALSE(status_of(stage, "drone3", "video")) << "off, and nothing is held any more";
    const auto until = world.now();
    world.run_for(2s);
    auto& ledger = world.ledger();
    for (const auto& [id, flow] : {std::pair{"drone3", "video"}, std::pair{"drone3", "mavlink"},
                                   std::pair{"gcs4", "mavlink"}}) {
      EXPECT_EQ(ledger.delivered(id, flow, since, until), ledger.sent(id, flow, since, until))
          << id << ' ' << flow;
    }
    const auto after = delays(world, "drone3", "video", until - 500ms, until);
    EXPECT_LT(after.back(), Duration{100ms});
  });
}

TEST(SimImpair, ItOutlivesTheServerAndEndsWithWhatTheServerSaysNext) {
  for_each_seed(10, [](World& world) {
    Stage stage(world);
    ASSERT_TRUE(stage.start());
    stage.traffic("drone3", "video", 20ms, 500);
    impair(stage, "video", {delayed(300), nullptr});
    world.run_for(2s);
    stage.server().kill();
    world.run_for(2s);
    EXPECT_TRUE(status_of(stage, "drone3", "video"));
    stage.server().start();
    world.run_for(8s);
    EXPECT_TRUE(status_of(stage, "drone3", "video"));
    stage.server().kill();
    world.run_for(2s);
    flow_of(stage.network, "video").impair = {};
    put_in_force(stage, stage.network);
    stage.server().start();
    world.run_for(8s);
    EXPECT_FALSE(status_of(stage, "drone3", "video"));
  });
}

TEST(SimImpair, AFlowKeepsItWhenItsPortChanges) {
  for_each_seed(5, [](World& world) {
    Stage stage(world);
    ASSERT_TRUE(stage.start());
    impair(stage, "video", {delayed(300), nullptr});
    world.run_for(1s);
    flow_of(stage.network, "video").port = 5999;
    put_in_force(stage, stage.network);
    world.run_for(1s);
    EXPECT_TRUE(status_of(stage, "drone3", "video"));
  });
}

StageOptions fleet(std::size_t receivers) {
  StageOptions options;
  options.clients = {"drone3"};
  for (std::size_t i = 1; i <= receivers; ++i) options.clients.push_back("gcs" + std::to_string(i));
  options.p2p = false;
  return options;
}

std::size_t heard(World& world, const std::string& id, TimePoint since, TimePoint until) {
  std::size_t count = 0;
  for (const auto& record : world.ledger().records()) {
    if (record.flow != "video" || record.at < since || record.at >= until) continue;
    count += std::any_of(record.deliveries.begin(), record.deliveries.end(),
                         [&](const auto& delivery) { return delivery.id == id; });
  }
  return count;
}

TEST(SimImpair, SeveralReceiversStillShareAnUpload) {
  for_each_seed(5, [](World& world) {
    Stage stage(world, fleet(5));
    ASSERT_TRUE(stage.start());
    impair(stage, "video", {delayed(100), nullptr});
    stage.traffic("drone3", "video", 10ms, 1000);
    world.run_for(3s);
    const auto since = world.now();
    world.run_for(3s);
    const auto until = world.now();
    world.run_for(1s);
    for (const auto& flow : stage.drone().status().flows) {
      if (flow.name == "video") {
        EXPECT_EQ(flow.spread->uploads, 1U);
      }
    }
    for (int i = 1; i <= 5; ++i) {
      EXPECT_EQ(heard(world, "gcs" + std::to_string(i), since, until),
                world.ledger().sent("drone3", "video", since, until));
    }
  });
}

TEST(SimImpair, RoutesOfAFlowMayDiffer) {
  for_each_seed(5, [](World& world) {
    Stage stage(world, fleet(3));
    ASSERT_TRUE(stage.start());
    auto& video = flow_of(stage.network, "video");
    const Members sender{"drone3"};
    using Kind = Route::Kind;
    const auto none = profile([](auto& p) {
      p.loss_model = ImpairProfile::Loss::kRandom;
      p.loss[0] = kWhole;
    });
    video.routes.clear();
    video.routes.push_back({Kind::kFromTo, sender, {"gcs1"}, Impairment{none, nullptr}});
    video.routes.push_back({Kind::kFromTo, sender, {"gcs2"}, Impairment{delayed(300), nullptr}});
    video.routes.push_back({Kind::kFromTo, sender, {"gcs3"}, std::nullopt});
    put_in_force(stage, stage.network);
    world.run_for(1s);
    stage.traffic("drone3", "video", 20ms, 1000);
    world.run_for(1s);
    const auto since = world.now();
    world.run_for(3s);
    const auto until = world.now();
    world.run_for(1s);
    const auto sent = world.ledger().sent("drone3", "video", since, until);
    EXPECT_GT(sent, 100U);
    EXPECT_EQ(heard(world, "gcs1", since, until), 0U);
    EXPECT_EQ(heard(world, "gcs2", since, until), sent);
    EXPECT_EQ(heard(world, "gcs3", since, until), sent);
    for (const auto& record : world.ledger().records()) {
      if (record.flow != "video" || record.at < since || record.at >= until) continue;
      for (const auto& delivery : record.deliveries) {
        EXPECT_EQ(delivery.at - record.at >= 300ms, delivery.id == "gcs2");
      }
    }
  });
}

TEST(SimImpair, TheSameSeedLosesTheSameDatagrams) {
  const auto lost = [](std::uint64_t world_seed) {
    World world(world_seed);
    Stage stage(world);
    EXPECT_TRUE(stage.start());
    impair(stage, "video",
           {profile([](auto& p) {
              p.loss_model = ImpairProfile::Loss::kGemodel;
              p.loss = {share(5), share(30), kWhole, 0};
              p.seed = 7;
            }),
            nullptr});
    world.run_for(1s);
    const auto since = world.now();
    stage.traffic("drone3", "video", 20ms, 500);
    world.run_for(10s);
    std::vector<bool> fates;
    for (const auto& record : world.ledger().records()) {
      if (record.at >= since && record.flow == "video") fates.push_back(record.deliveries.empty());
    }
    fates.resize(400);
    return fates;
  };
  const auto first = lost(1);
  EXPECT_EQ(first, lost(2));
  EXPECT_GT(std::count(first.begin(), first.end(), true), 20);
}

}  // namespace
}  // namespace wormhole::sim
