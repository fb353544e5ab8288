// Processes that end and start: servers, clients, two at once, and those that may not.
#include <set>

#include "sim/attacker.hpp"
#include "sim/chance.hpp"
#include "sim/seeds.hpp"
#include "sim/stage.hpp"

namespace wormhole::sim {
namespace {

/// The receiver indices of relayed frames on their way to the server: one for each e2e session.
std::set<std::uint32_t> sessions_in(const Attacker& watcher) {
  std::set<std::uint32_t> found;
  for (const auto& p : watcher.captured_of(0x11)) {
    if (at_server(p.to)) found.insert(load_le<std::uint32_t>(&p.bytes[4]));
  }
  return found;
}

TEST(SimRestart, AKilledServerIsBackInTwoSecondsWithTheSameSessions) {
  Samples samples("server listening again to delivery both ways, after kill -9");
  for_each_seed(80, [&](World& world) {
    StageOptions options;
    options.link.delay = between(world.rng(), 1ms, 50ms);
    Stage stage(world, options);
    ASSERT_TRUE(stage.start());
    stage.both_ways(20ms);
    ASSERT_TRUE(stage.until_both_ways(1s));
    world.run_for(1s);
    Attacker watcher(world);
    world.run_for(1s);
    const auto before = sessions_in(watcher);
    stage.server().kill();
    world.run_for(up_to(world.rng(), 20s));
    stage.server().start();
    watcher.forget();
    const auto back = stage.until_both_ways(2s);
    ASSERT_TRUE(back);
    samples.add(*back);
    world.run_for(3s);
    EXPECT_EQ(sessions_in(watcher), before);  // the end-to-end sessions did not notice
  });
  samples.print();
}

TEST(SimRestart, AnAnnouncedRestartCostsLess) {
  Samples samples("announced restart (300 ms down) to delivery both ways");
  for_each_seed(40, [&](World& world) {
    Stage stage(world);
    ASSERT_TRUE(stage.start());
    stage.both_ways(20ms);
    ASSERT_TRUE(stage.until_both_ways(1s));
    stage.server().stop(200ms);
    world.run_for(300ms);
    stage.server().start();
    const auto back = stage.until_both_ways(1500ms);
    ASSERT_TRUE(back);
    samples.add(*back);
  });
  samples.print();
}

TEST(SimRestart, WhenOneAddressOfTheServerDiesTheNextIsUsed) {
  Samples samples("server address dead to delivery both ways over the next");
  for_each_seed(50, [&](World& world) {
    Stage stage(world);
    ASSERT_TRUE(stage.start());
    stage.both_ways(20ms);
    ASSERT_TRUE(stage.until_both_ways(1s));
    world.run_for(up_to(world.rng(), 2s));
    auto& host = stage.server().host();
    world.internet().move(host, {host.addresses.back()}, nullptr);
    const auto back = stage.until_both_ways(1s);
    ASSERT_TRUE(back);
    samples.add(*back);
  });
  samples.print();
}

TEST(SimRestart, AKilledClientIsBackAtOnce) {
  Samples samples("client's restart to delivery both ways");
  for_each_seed(60, [&](World& world) {
    StageOptions options;
    options.link.delay = between(world.rng(), 1ms, 50ms);
    Stage stage(world, options);
    ASSERT_TRUE(stage.start());
    stage.both_ways(20ms);
    ASSERT_TRUE(stage.until_both_ways(1s));
    auto& victim = world.rng().below(2) == 0 ? stage.drone() : stage.gcs();
    victim.kill();
    world.run_for(up_to(world.rng(), 10s));
    victim.start();
    const auto back = stage.until_both_ways(2s);
    ASSERT_TRUE(back);
    samples.add(*back);
  });
  samples.print();
}

TEST(SimRestart, TheNewerOfTwoProcessesTakesOver) {
  for_each_seed(40, [](World& world) {
    Stage stage(world);
    ASSERT_TRUE(stage.start());
    stage.both_ways(20ms);
    ASSERT_TRUE(stage.until_both_ways(1s));
    auto& newer = stage.add_client("drone3 again", stage.spec_of("drone3"));
    newer.start();
    ASSERT_TRUE(world.run_until([&] { return stage.drone().refused().has_value(); }, 2s));
    EXPECT_EQ(stage.drone().refused()->reason, Refused::Reason::kReplaced);
    EXPECT_FALSE(stage.drone().refused()->message.empty());
    stage.stop_traffic();
    stage.traffic("drone3 again", "mavlink", 20ms);
    stage.traffic("gcs4", "mavlink", 20ms);
    ASSERT_TRUE(stage.until_both_ways(2s));
    world.run_for(5s);
    EXPECT_TRUE(newer.running());
  });
}

TEST(SimRestart, StrangersAreRefusedWithTheReason) {
  for_each_seed(20, [](World& world) {
    Stage stage(world);
    ASSERT_TRUE(stage.start());
    auto impostor = stage.spec_of("drone3");
    impostor.keys = KeyPair::generate(world.rng());
    impostor.genuine = false;
    auto ghost = impostor;
    ghost.id = "ghost";
    auto& wrong_key = stage.add_client("impostor", impostor);
    auto& unknown = stage.add_client("ghost", ghost);
    wrong_key.start();
    unknown.start();
    stage.both_ways(20ms);
    world.run_for(3s);
    ASSERT_TRUE(wrong_key.refused() && unknown.refused());
    EXPECT_EQ(wrong_key.refused()->reason, Refused::Reason::kWrongKey);
    EXPECT_EQ(unknown.refused()->reason, Refused::Reason::kUnknownId);
    EXPECT_TRUE(stage.until_both_ways(100ms));  // nobody else noticed
  });
}

TEST(SimRestart, WithoutTheKnockKeyThereIsNoAnswer) {
  for_each_seed(10, [](World& world) {
    Stage stage(world);
    ASSERT_TRUE(stage.start());
    auto spec = stage.spec_of("drone3");
    world.rng().fill(spec.network.knock);
    spec.genuine = false;
    auto& stranger = stage.add_client("stranger", spec);
    std::size_t answers = 0;
    Attacker watcher(world);
    watcher.on_packet = [&](Packet& p) {
      answers += p.to.address == stranger.host().nat->external() ? 1 : 0;
      return true;
    };
    stranger.start();
    world.run_for(5s);
    EXPECT_EQ(answers, 0U);
    EXPECT_TRUE(stranger.running());  // it can't know: it goes on trying
  });
}

TEST(SimRestart, ARemovedIdIsCutOffWithinASecond) {
  for_each_seed(40, [](World& world) {
    Stage stage(world, {.clients = {"drone3", "gcs4", "gcs5"}});
    ASSERT_TRUE(stage.start());
    stage.both_ways(20ms);
    stage.traffic("gcs5", "mavlink", 20ms);
    ASSERT_TRUE(stage.until_both_ways(1s));
    auto without = stage.network;
    std::erase_if(without.clients, [](const auto& c) { return c.id == "gcs5"; });
    for (auto& flow : without.flows) std::erase(flow.routes[0].second, "gcs5");
    stage.server().directory.clients.erase("gcs5");
    stage.server().set_network(without);
    world.ledger().set_network(without, world.now());  // judges deliveries after one second
    auto& removed = stage.client("gcs5");
    ASSERT_TRUE(world.run_until([&] { return removed.refused().has_value(); }, 1s));
    EXPECT_EQ(removed.refused()->reason, Refused::Reason::kRemoved);
    removed.start();
    world.run_for(3s);
    ASSERT_TRUE(removed.refused());
    EXPECT_EQ(removed.refused()->reason, Refused::Reason::kUnknownId);
    EXPECT_TRUE(stage.until_both_ways(100ms));
  });
}

}  // namespace
}  // namespace wormhole::sim
