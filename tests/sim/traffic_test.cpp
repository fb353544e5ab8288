// Datagrams under way: on bad links, over rekeys, over the server's absence.
#include <cstdio>
#include <set>

#include "sim/attacker.hpp"
#include "sim/chance.hpp"
#include "sim/seeds.hpp"
#include "sim/stage.hpp"

namespace wormhole::sim {
namespace {

LinkProfile random_impairments(Rng& rng) {
  LinkProfile link;
  link.delay = between(rng, 2ms, 50ms);
  link.jitter = up_to(rng, 20ms);
  link.loss = share_up_to(rng, 0.1);
  link.burst_begin = share_up_to(rng, 0.01);
  link.duplicate = share_up_to(rng, 1.0);
  link.reorder = share_up_to(rng, 0.25);
  link.reorder_by = up_to(rng, 500ms);
  link.corrupt = share_up_to(rng, 0.01);
  return link;
}

/// The share of datagrams of which at least one copy crosses two such links unaltered.
double survival(const LinkProfile& link) {
  const double in_burst = link.burst_begin / (link.burst_begin + link.burst_end);
  const double enters = (1 - link.loss) * (1 - in_burst);
  const auto one_of_the_copies = [&](double each) {
    return (1 - link.duplicate) * each + link.duplicate * (1 - (1 - each) * (1 - each));
  };
  const double second = enters * one_of_the_copies(1 - link.corrupt);
  return enters * one_of_the_copies((1 - link.corrupt) * second);
}

TEST(SimTraffic, OnBadLinksWhatArrivesIsExactAndNoMoreIsLostThanTheLinksLose) {
  double sent = 0;
  double expected = 0;
  double delivered = 0;
  for_each_seed(200, [&](World& world) {
    StageOptions options;
    options.link = random_impairments(world.rng());
    Stage stage(world, options);
    ASSERT_TRUE(stage.start());
    stage.both_ways(10ms, 8 + world.rng().below(1200));
    ASSERT_TRUE(stage.until_both_ways(10s));
    world.run_for(1s);
    const auto since = world.now();
    world.run_for(4s);
    stage.stop_traffic();
    world.run_for(2s);
    for (const char* id : {"drone3", "gcs4"}) {
      const auto here = static_cast<double>(world.ledger().sent(id, "mavlink", since));
      const auto came = static_cast<double>(world.ledger().delivered(id, "mavlink", since));
      EXPECT_GT(came, 0.5 * here) << id;
      sent += here;
      expected += here * survival(options.link);
      delivered += came;
    }
  });
  std::printf("[ sim      ] bad links: %.0f sent, %.2f %% delivered, the links' share is %.2f %%\n",
              sent, 100 * delivered / sent, 100 * expected / sent);
  // One seed alone is too few for the bursts; 200 of them have a deviation of 0.2 %.
  EXPECT_GT(delivered, expected - 0.01 * sent);
}

TEST(SimTraffic, OnCleanLinksEverythingArrives) {
  for_each_seed(40, [](World& world) {
    Stage stage(world);
    ASSERT_TRUE(stage.start());
    stage.both_ways(5ms, 8 + world.rng().below(1193));
    ASSERT_TRUE(stage.until_both_ways(1s));
    const auto begin = world.now();
    world.every(15ms, [&stage, &world, begin] {
      stage.drone().send("video", 1200, 1 + world.rng().below(16));  // an encoder's bursts
      return world.now() - begin < 3s;
    });
    world.run_for(3s);
    stage.stop_traffic();
    world.run_for(1s);
    auto& ledger = world.ledger();
    const auto start = world.now() - world.age();
    for (const auto& [from, flow] : {std::pair{"drone3", "mavlink"}, std::pair{"gcs4", "mavlink"},
                                     std::pair{"drone3", "video"}}) {
      EXPECT_EQ(ledger.delivered(from, flow), ledger.sent(from, flow))
          << ledger.missing(from, flow, start);
    }
    EXPECT_EQ(stage.drone().undeliverable + stage.gcs().undeliverable, 0U);
  });
}

TEST(SimTraffic, AOneWayFlowCarriesNothingBack) {
  for_each_seed(10, [](World& world) {
    Stage stage(world);
    ASSERT_TRUE(stage.start());
    stage.both_ways(20ms);
    ASSERT_TRUE(stage.until_both_ways(1s));
    stage.traffic("gcs4", "video", 10ms);
    world.run_for(2s);
    EXPECT_GT(world.ledger().sent("gcs4", "video"), 100U);
    EXPECT_EQ(world.ledger().delivered("gcs4", "video"), 0U);
  });
}

TEST(SimTraffic, AnApplicationOnAnotherPortGetsItsAnswersThere) {
  for_each_seed(10, [](World& world) {
    Stage stage(world);
    ASSERT_TRUE(stage.start());
    const Endpoint application{IpAddress::v4(127, 0, 0, 1), 40123};
    stage.drone().send("mavlink", 50, 1, application);
    const auto number = world.ledger().records().size();
    stage.gcs().send("mavlink", 50);
    world.run_for(1s);
    bool got = false;
    for (const auto& delivery : world.ledger().records().at(number).deliveries) {
      got = got || delivery.application == application;
    }
    EXPECT_TRUE(got);
  });
}

TEST(SimTraffic, RekeyingUnderLoadLosesNothing) {
  for_each_seed(8, [](World& world) {
    StageOptions options;
    options.link.delay = between(world.rng(), 1ms, 80ms);
    options.p2p = false;  // the watcher stands at the server
    Stage stage(world, options);
    std::set<std::pair<Endpoint, std::uint32_t>> sessions;  // sender and receiver index
    Attacker watcher(world);
    watcher.on_packet = [&](Packet& p) {
      if (at_server(p.to) && p.bytes[0] == 0x11) {
        sessions.emplace(p.from, load_le<std::uint32_t>(&p.bytes[4]));
      }
      return true;
    };
    ASSERT_TRUE(stage.start());
    stage.both_ways(50ms);
    world.run_for(270s);
    stage.stop_traffic();
    world.run_for(1s);
    EXPECT_GE(sessions.size(), 6U);  // two rekeys make three sessions, each way
    for (const char* id : {"drone3", "gcs4"}) {
      EXPECT_EQ(world.ledger().delivered(id, "mavlink"), world.ledger().sent(id, "mavlink")) << id;
    }
  });
}

TEST(SimTraffic, ThreeMinutesWithoutTheServerAreRecoveredFrom) {
  Samples samples("server back after 1-3 minutes to delivery both ways");
  for_each_seed(12, [&](World& world) {
    Stage stage(world);
    ASSERT_TRUE(stage.start());
    stage.both_ways(100ms);
    ASSERT_TRUE(stage.until_both_ways(1s));
    world.run_for(up_to(world.rng(), 119s));  // some keys come of age meanwhile
    stage.server().kill();
    world.run_for(between(world.rng(), 60s, 180s));
    stage.server().start();
    const auto back = stage.until_both_ways(2s);
    ASSERT_TRUE(back);
    samples.add(*back);
  });
  samples.print();
}

}  // namespace
}  // namespace wormhole::sim
