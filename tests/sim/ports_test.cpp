// Relay ports: flows move to ports of their own and back, and lose nothing by it.
#include "sim/attacker.hpp"
#include "sim/chance.hpp"
#include "sim/seeds.hpp"
#include "sim/stage.hpp"

namespace wormhole::sim {
namespace {

NatProfile random_nat(Rng& rng) {
  constexpr Dependence kDependences[] = {Dependence::kEndpointIndependent,
                                         Dependence::kAddressDependent,
                                         Dependence::kAddressAndPortDependent};
  constexpr Allocation kAllocations[] = {Allocation::kPreserving, Allocation::kSequential,
                                         Allocation::kRandom, Allocation::kBlock};
  return {.mapping = kDependences[rng.below(3)],
          .filtering = kDependences[rng.below(3)],
          .allocation = kAllocations[rng.below(4)],
          .timeout = between(rng, 30s, 300s)};
}

StageOptions random_options(Rng& rng) {
  StageOptions options;
  options.p2p = false;
  options.nat_profile = random_nat(rng);
  options.link.delay = between(rng, 1ms, 60ms);
  return options;
}

FlowStatus flow_of(ClientNode& client, const std::string& name) {
  for (auto& flow : client.status().flows) {
    if (flow.name == name) return flow;
  }
  return {};
}

std::uint16_t port_of(ClientNode& client, const std::string& flow) {
  return flow_of(client, flow).relay_port;
}

std::uint64_t counter(ServerNode& server, const std::string& name) {
  for (const auto& [cause, count] : server.status().counters) {
    if (cause == name) return count;
  }
  return 0;
}

/// Everything runs and mavlink flows both ways; when that was. Ports come half a second later.
TimePoint fly(Stage& stage, Duration interval = 10ms) {
  EXPECT_TRUE(stage.start());
  stage.both_ways(interval);
  EXPECT_TRUE(stage.until_both_ways(1s));
  return stage.world.now();
}

bool by_ports(Stage& stage) {
  return port_of(stage.drone(), "mavlink") != 0 && port_of(stage.gcs(), "mavlink") != 0;
}

void expect_nothing_lost(Stage& stage, TimePoint since = {}, TimePoint until = kNever) {
  auto& ledger = stage.world.ledger();
  for (const char* id : {"drone3", "gcs4"}) {
    EXPECT_GT(ledger.sent(id, "mavlink", since, until), 0U);
    EXPECT_EQ(ledger.delivered(id, "mavlink", since, until),
              ledger.sent(id, "mavlink", since, until))
        << id << ' ' << ledger.missing(id, "mavlink", stage.world.now() - stage.world.age());
  }
}

/// Stops the traffic and waits for what is under way.
void settle(Stage& stage) {
  stage.stop_traffic();
  stage.world.run_for(1s);
}

TEST(SimPorts, AFlowMovesToItsPortsAndLosesNothing) {
  Samples samples("first datagram to ports of their own");
  for_each_seed(150, [&](World& world) {
    Stage stage(world, random_options(world.rng()));
    const auto start = fly(stage, 5ms);
    stage.traffic("drone3", "video", 5ms, 1200);
    ASSERT_TRUE(world.run_until([&] { return by_ports(stage); }, 3s));
    samples.add(world.now() - start);
    ASSERT_TRUE(world.run_until([&] { return port_of(stage.gcs(), "video") != 0; }, 1s));
    EXPECT_GE(port_of(stage.drone(), "mavlink"), 2000);  // a first side
    EXPECT_LE(port_of(stage.drone(), "mavlink"), 2999);
    EXPECT_GE(port_of(stage.gcs(), "mavlink"), 3000);  // a second side
    EXPECT_LE(port_of(stage.gcs(), "mavlink"), 3999);
    EXPECT_LE(port_of(stage.drone(), "video"), 2999);
    EXPECT_GE(port_of(stage.gcs(), "video"), 3000);
    world.run_for(2s);
    EXPECT_EQ(stage.server().relay_ports().size(), 4U);
    const auto before = counter(stage.server(), "relayed_by_port");
    world.run_for(1s);
    EXPECT_GT(counter(stage.server(), "relayed_by_port"), before + 500);
    settle(stage);
    expect_nothing_lost(stage, start);
    EXPECT_EQ(world.ledger().delivered("drone3", "video", start),
              world.ledger().sent("drone3", "video", start));
  });
  samples.print();
}

TEST(SimPorts, AFirewallThatOpensOnlyTheSharedPortCostsNothingAndIsNamed) {
  for_each_seed(30, [](World& world) {
    Stage stage(world, random_options(world.rng()));
    stage.server().host().open_ports = {7700};
    const auto start = fly(stage);
    const auto named = [&] {
      return !flow_of(stage.drone(), "mavlink").relay_hint.empty() &&
             !flow_of(stage.gcs(), "mavlink").relay_hint.empty();
    };
    ASSERT_TRUE(world.run_until(named, 2s));
    const auto hint = flow_of(stage.drone(), "mavlink").relay_hint;
    EXPECT_NE(hint.find("does not answer"), std::string::npos) << hint;
    EXPECT_NE(hint.find("7700"), std::string::npos) << hint;
    world.run_for(10s);
    EXPECT_EQ(counter(stage.server(), "relayed_by_port"), 0U);
    // It is opened: the next try, half a minute later, finds that.
    stage.server().host().open_ports.clear();
    ASSERT_TRUE(world.run_until([&] { return by_ports(stage); }, 301s));
    EXPECT_TRUE(flow_of(stage.drone(), "mavlink").relay_hint.empty());
    settle(stage);
    expect_nothing_lost(stage, start);
  });
}

TEST(SimPorts, AFirewallThatLetsOnlyTheSharedPortOutCostsNothing) {
  for_each_seed(40, [](World& world) {
    Stage stage(world, random_options(world.rng()));
    Attacker firewall(world);
    firewall.on_packet = [](Packet& p) { return !at_server(p.from) || p.from.port == 7700; };
    const auto start = fly(stage);
    world.run_for(5s);
    EXPECT_FALSE(flow_of(stage.drone(), "mavlink").relay_hint.empty());
    EXPECT_EQ(counter(stage.server(), "relayed_by_port"), 0U);
    settle(stage);
    expect_nothing_lost(stage, start);
  });
}

TEST(SimPorts, APortThatDiesUnderwayCostsItsWindowAndNoMore) {
  Samples samples("relay ports dead to delivery both ways");
  for_each_seed(60, [&](World& world) {
    Stage stage(world, random_options(world.rng()));
    fly(stage);
    ASSERT_TRUE(world.run_until([&] { return by_ports(stage); }, 3s));
    world.run_for(up_to(world.rng(), 2s));
    stage.server().host().open_ports = {7700};
    world.run_for(200ms);  // what was under way has passed
    const auto back = stage.until_both_ways(2s);
    ASSERT_TRUE(back);
    samples.add(*back);
    world.run_for(2s);
    const auto since = world.now();
    world.run_for(5s);
    settle(stage);
    expect_nothing_lost(stage, since);
    EXPECT_FALSE(flow_of(stage.drone(), "mavlink").relay_hint.empty());
  });
  samples.print();
}

TEST(SimPorts, ARebootOfTheNatOrAnotherNetworkCostsLessThanASecond) {
  Samples samples("NAT rebind or other network, by ports, to delivery both ways");
  for_each_seed(100, [&](World& world) {
    Stage stage(world, random_options(world.rng()));
    fly(stage);
    ASSERT_TRUE(world.run_until([&] { return by_ports(stage); }, 3s));
    world.run_for(up_to(world.rng(), 2s));
    if (world.rng().below(2) == 0) {
      stage.drone().host().nat->forget_mappings();
    } else {
      auto& nat = world.internet().add_nat(random_nat(world.rng()), IpAddress::v4(203, 0, 113, 7));
      world.internet().move(stage.drone().host(), {IpAddress::v4(192, 168, 7, 7)}, &nat);
    }
    const auto back = stage.until_both_ways(1s);
    ASSERT_TRUE(back);
    samples.add(*back);
    world.run_for(2s);
    EXPECT_TRUE(by_ports(stage));
    const auto since = world.now();
    world.run_for(3s);
    settle(stage);
    expect_nothing_lost(stage, since);
  });
  samples.print();
}

TEST(SimPorts, ARestartedServerGivesNewOnes) {
  for_each_seed(60, [](World& world) {
    Stage stage(world, random_options(world.rng()));
    fly(stage);
    ASSERT_TRUE(world.run_until([&] { return by_ports(stage); }, 3s));
    stage.server().kill();
    world.run_for(up_to(world.rng(), 2s));
    stage.server().start();
    ASSERT_TRUE(stage.until_both_ways(2s));
    ASSERT_TRUE(world.run_until([&] { return by_ports(stage); }, 3s));
    const auto since = world.now();
    world.run_for(2s);
    settle(stage);
    expect_nothing_lost(stage, since);
  });
}

TEST(SimPorts, AnotherAddressOfTheServerGetsItsOwn) {
  for_each_seed(40, [](World& world) {
    Stage stage(world, random_options(world.rng()));
    fly(stage);
    ASSERT_TRUE(world.run_until([&] { return by_ports(stage); }, 3s));
    auto& host = stage.server().host();
    world.internet().move(host, {host.addresses.back()}, nullptr);
    ASSERT_TRUE(stage.until_both_ways(1s));
    // Those of the old address are left first.
    ASSERT_TRUE(world.run_until([&] { return by_ports(stage); }, 5s));
    const auto since = world.now();
    world.run_for(3s);
    settle(stage);
    expect_nothing_lost(stage, since);
    EXPECT_EQ(stage.server().relay_ports().size(), 2U);  // those of the dead address are closed
  });
}

TEST(SimPorts, ANewProcessOfAClientGetsItsOwn) {
  for_each_seed(40, [](World& world) {
    Stage stage(world, random_options(world.rng()));
    fly(stage);
    ASSERT_TRUE(world.run_until([&] { return by_ports(stage); }, 3s));
    stage.drone().kill();
    world.run_for(up_to(world.rng(), 8s));
    stage.drone().start();
    ASSERT_TRUE(stage.until_both_ways(2s));
    ASSERT_TRUE(world.run_until([&] { return by_ports(stage); }, 3s));
    const auto since = world.now();
    world.run_for(2s);
    settle(stage);
    expect_nothing_lost(stage, since);
  });
}

TEST(SimPorts, OverRekeysNothingIsLost) {
  for_each_seed(8, [](World& world) {
    Stage stage(world, random_options(world.rng()));
    const auto start = fly(stage, 20ms);
    ASSERT_TRUE(world.run_until([&] { return by_ports(stage); }, 3s));
    for (int i = 0; i < 270; ++i) {
      world.run_for(1s);
      EXPECT_TRUE(by_ports(stage));
    }
    settle(stage);
    expect_nothing_lost(stage, start);
  });
}

TEST(SimPorts, AreReleasedWhenNothingIsRelayedForHalfAMinuteAndComeBack) {
  for_each_seed(30, [](World& world) {
    Stage stage(world, random_options(world.rng()));
    const auto start = fly(stage);
    ASSERT_TRUE(world.run_until([&] { return by_ports(stage); }, 3s));
    stage.stop_traffic();
    world.run_for(29s);
    EXPECT_EQ(stage.server().relay_ports().size(), 2U);
    // Somebody sends again at whatever moment of their release.
    world.run_for(up_to(world.rng(), 6s));
    stage.both_ways(10ms);
    world.run_for(5s);
    ASSERT_TRUE(world.run_until([&] { return by_ports(stage); }, 6s));
    stage.stop_traffic();
    world.run_for(36s);
    EXPECT_TRUE(stage.server().relay_ports().empty());
    EXPECT_FALSE(by_ports(stage));
    EXPECT_EQ(flow_of(stage.drone(), "mavlink").relay_hint, "");
    expect_nothing_lost(stage, start);
  });
}

TEST(SimPorts, AFullRangeIsShared) {
  for_each_seed(30, [](World& world) {
    auto options = random_options(world.rng());
    options.clients = {"drone3", "drone5", "gcs4", "gcs5"};
    options.relay_ports.from = {2000, 2000};
    options.relay_ports.to = {3000, 3000};
    Stage stage(world, options);
    const auto start = fly(stage);
    stage.traffic("drone5", "mavlink", 10ms);
    stage.traffic("gcs5", "mavlink", 10ms);
    stage.traffic("drone3", "video", 10ms);
    const auto moved = [&] {
      return port_of(stage.drone(), "mavlink") == 2000 && port_of(stage.drone(), "video") == 2000 &&
             port_of(stage.client("drone5"), "mavlink") == 2000 &&
             port_of(stage.gcs(), "mavlink") == 3000 && port_of(stage.gcs(), "video") == 3000 &&
             port_of(stage.client("gcs5"), "mavlink") == 3000;
    };
    ASSERT_TRUE(world.run_until(moved, 5s));
    EXPECT_EQ(stage.server().relay_ports(), (std::set<std::uint16_t>{2000, 3000}));
    EXPECT_GT(counter(stage.server(), "relay_ports_shared"), 4U);
    world.run_for(2s);
    settle(stage);
    expect_nothing_lost(stage, start);
    for (const char* id : {"drone5", "gcs5"}) {
      EXPECT_EQ(world.ledger().delivered(id, "mavlink", start),
                world.ledger().sent(id, "mavlink", start))
          << id;
    }
  });
}

TEST(SimPorts, TakenPortsArePassedOver) {
  for_each_seed(20, [](World& world) {
    Stage stage(world, random_options(world.rng()));
    for (std::uint16_t port = 2000; port < 2010; ++port) stage.server().taken_ports.insert(port);
    const auto start = fly(stage);
    ASSERT_TRUE(world.run_until([&] { return by_ports(stage); }, 3s));
    EXPECT_GE(port_of(stage.drone(), "mavlink"), 2010);
    EXPECT_EQ(counter(stage.server(), "relay_port_taken"), 10U);
    settle(stage);
    expect_nothing_lost(stage, start);
  });
}

TEST(SimPorts, WithoutDescriptorsTheSharedPortServesAlone) {
  for_each_seed(20, [](World& world) {
    Stage stage(world, random_options(world.rng()));
    stage.server().descriptors = 2;  // the two addresses
    const auto start = fly(stage);
    world.run_for(5s);
    EXPECT_EQ(counter(stage.server(), "relay_port_refused"), 2U);  // one each; then it rests
    EXPECT_FALSE(by_ports(stage));
    stage.server().descriptors = 65535;
    ASSERT_TRUE(world.run_until([&] { return by_ports(stage); }, 31s));
    settle(stage);
    expect_nothing_lost(stage, start);
  });
}

TEST(SimPorts, SymmetricNatsAtBothEndsAreNoObstacle) {
  for_each_seed(40, [](World& world) {
    StageOptions options;
    options.p2p = false;
    options.nat_profile = {.mapping = Dependence::kAddressAndPortDependent,
                           .filtering = Dependence::kAddressAndPortDependent,
                           .allocation = Allocation::kSequential,
                           .timeout = 30s};
    Stage stage(world, options);
    const auto start = fly(stage);
    ASSERT_TRUE(world.run_until([&] { return by_ports(stage); }, 3s));
    world.run_for(5s);
    EXPECT_GT(counter(stage.server(), "relayed_by_port"), 500U);
    // One way only: pings alone keep the silent end's binding.
    stage.stop_traffic();
    stage.traffic("drone3", "mavlink", 100ms);
    world.run_for(90s);
    EXPECT_TRUE(by_ports(stage));
    settle(stage);
    expect_nothing_lost(stage, start);
  });
}

TEST(SimPorts, TwoClientsBehindOneNatHaveTheirOwn) {
  for_each_seed(40, [](World& world) {
    auto options = random_options(world.rng());
    Stage stage(world, options);
    auto& nat = world.internet().add_nat(options.nat_profile, IpAddress::v4(203, 0, 113, 9));
    world.internet().move(stage.drone().host(), {IpAddress::v4(10, 9, 0, 2)}, &nat);
    world.internet().move(stage.gcs().host(), {IpAddress::v4(10, 9, 0, 3)}, &nat);
    const auto start = fly(stage);
    ASSERT_TRUE(world.run_until([&] { return by_ports(stage); }, 3s));
    world.run_for(2s);
    settle(stage);
    expect_nothing_lost(stage, start);
  });
}

TEST(SimPorts, SharedMeansThatNothingOfThisHappens) {
  for_each_seed(10, [](World& world) {
    auto options = random_options(world.rng());
    options.relay_ports.shared = true;
    Stage stage(world, options);
    const auto start = fly(stage);
    world.run_for(5s);
    EXPECT_TRUE(stage.server().relay_ports().empty());
    EXPECT_EQ(counter(stage.server(), "relay_port_none_left"), 0U);
    EXPECT_EQ(flow_of(stage.drone(), "mavlink").relay_hint, "");
    settle(stage);
    expect_nothing_lost(stage, start);
  });
}

TEST(SimPorts, OnALossyPathTheyStay) {
  double checks = 0;
  double in_use = 0;
  for_each_seed(40, [&](World& world) {
    auto options = random_options(world.rng());
    options.link.loss = 0.1;
    options.link.jitter = 20ms;
    Stage stage(world, options);
    ASSERT_TRUE(stage.start());
    stage.both_ways(20ms);
    ASSERT_TRUE(world.run_until([&] { return by_ports(stage); }, 40s));
    for (int i = 0; i < 60; ++i) {
      world.run_for(1s);
      in_use += by_ports(stage) ? 1 : 0;
      ++checks;
    }
  });
  EXPECT_GT(in_use, 0.99 * checks);  // 10 % loss each way is no reason to leave
}

TEST(SimPorts, ReloadsOfTheRoutesUnderLoadLoseNothing) {
  for_each_seed(40, [](World& world) {
    auto options = random_options(world.rng());
    options.clients = {"drone3", "gcs4", "gcs5"};
    Stage stage(world, options);
    const auto start = fly(stage);
    stage.traffic("drone3", "video", 10ms);
    ASSERT_TRUE(world.run_until([&] { return by_ports(stage); }, 3s));
    auto without = stage.network;
    std::erase_if(without.flows, [](const Flow& flow) { return flow.name == "video"; });
    for (int i = 0; i < 4; ++i) {
      stage.server().set_network(i % 2 == 0 ? without : stage.network);
      world.run_for(between(world.rng(), 500ms, 2s));
      EXPECT_TRUE(by_ports(stage));
    }
    settle(stage);
    expect_nothing_lost(stage, start);
  });
}

}  // namespace
}  // namespace wormhole::sim
