// A server that has the network's key files and lies. It can refuse service; it must not be able to
// put anybody else at the end of a flow.
#include "sim/attacker.hpp"
#include "sim/chance.hpp"
#include "sim/seeds.hpp"
#include "sim/stage.hpp"

namespace wormhole::sim {
namespace {

/// Somebody who calls himself gcs4 with a key of his own.
ClientNode& add_mallory(Stage& stage, const KeyPair& keys) {
  auto spec = stage.spec_of("gcs4");
  spec.keys = keys;
  return stage.add_client("mallory", spec);
}

/// Runs the drone and mallory on a server with that binding for gcs4; nothing may be delivered.
void expect_nothing_reaches_mallory(World& world, Stage& stage, const KeyPair& mallory_keys,
                                    const KeyBinding& lie) {
  stage.server().kill();
  stage.gcs().kill();
  stage.server().directory.clients["gcs4"].binding = lie;
  stage.server().start();
  auto& mallory = add_mallory(stage, mallory_keys);
  mallory.start();
  if (!stage.drone().running()) stage.drone().start();
  const auto since = world.now();
  stage.traffic("drone3", "mavlink", 20ms);
  stage.traffic("drone3", "video", 20ms);
  stage.traffic("mallory", "mavlink", 20ms);
  world.run_for(5s);
  EXPECT_TRUE(mallory.connected());  // the server is in league with him
  EXPECT_GT(world.ledger().sent("drone3", "mavlink", since), 0U);
  for (const char* flow : {"mavlink", "video"}) {
    EXPECT_EQ(world.ledger().delivered("drone3", flow, since), 0U);
  }
  EXPECT_EQ(world.ledger().delivered("gcs4", "mavlink", since), 0U);
}

TEST(SimDishonestServer, ABindingThatTheNetworkDidNotSignIsNotBelieved) {
  for_each_seed(20, [](World& world) {
    Stage stage(world);
    const auto keys = KeyPair::generate(world.rng());
    const auto own_signing = SigningKey::generate(world.rng());
    const auto once = SigningKey::generate(world.rng());
    const auto& id = stage.server_spec.network.network;
    const auto statement =
        make_statement(own_signing, id, "gcs4", once.public_key, 99, ~std::uint64_t{0});
    expect_nothing_reaches_mallory(world, stage, keys,
                                   make_binding(once.seed, id, statement, keys.public_key));
  });
}

TEST(SimDishonestServer, AGenuineBindingOfAnotherIdIsNotBelieved) {
  for_each_seed(20, [](World& world) {
    Stage stage(world);
    const auto keys = KeyPair::generate(world.rng());
    auto lie = stage.bind("gcs5", keys.public_key);  // the operator's own code, for gcs5
    lie.id = "gcs4";
    if (world.rng().below(2) == 0) lie.chain->statement.id = "gcs4";
    expect_nothing_reaches_mallory(world, stage, keys, lie);
  });
}

TEST(SimDishonestServer, AGenuineChainWithAnotherKeyIsNotBelieved) {
  for_each_seed(20, [](World& world) {
    Stage stage(world);
    const auto keys = KeyPair::generate(world.rng());
    auto lie = *stage.server().directory.clients["gcs4"].binding;
    lie.key = keys.public_key;
    expect_nothing_reaches_mallory(world, stage, keys, lie);
  });
}

TEST(SimDishonestServer, AKeyWithoutAChainIsNotBelievedOfAPeerNeverSeen) {
  for_each_seed(20, [](World& world) {
    Stage stage(world);
    const auto keys = KeyPair::generate(world.rng());
    expect_nothing_reaches_mallory(world, stage, keys, {"gcs4", keys.public_key, std::nullopt});
    EXPECT_EQ(stage.drone().pins.count("gcs4"), 0U);
  });
}

TEST(SimDishonestServer, AKeyWithoutAChainDoesNotReplaceAPinnedOne) {
  for_each_seed(20, [](World& world) {
    Stage stage(world);
    ASSERT_TRUE(stage.start());
    stage.both_ways(20ms);
    ASSERT_TRUE(stage.until_both_ways(2s));
    stage.stop_traffic();
    world.run_for(1s);
    ASSERT_EQ(stage.drone().pins.count("gcs4"), 1U);
    if (world.rng().below(2) == 0) stage.drone().kill();  // pins outlive the process
    const auto keys = KeyPair::generate(world.rng());
    expect_nothing_reaches_mallory(world, stage, keys, {"gcs4", keys.public_key, std::nullopt});
  });
}

TEST(SimDishonestServer, AnOlderBindingDoesNotComeBack) {
  for_each_seed(20, [](World& world) {
    Stage stage(world);
    const auto stolen = KeyPair::generate(world.rng());
    const auto old_binding = stage.bind("gcs4", stolen.public_key);
    const auto& current = stage.keys["gcs4"].public_key;
    stage.server().directory.clients["gcs4"].binding = stage.bind("gcs4", current);
    ASSERT_TRUE(stage.start());
    stage.both_ways(20ms);
    ASSERT_TRUE(stage.until_both_ways(2s));
    stage.stop_traffic();
    world.run_for(1s);
    if (world.rng().below(2) == 0) stage.drone().kill();
    expect_nothing_reaches_mallory(world, stage, stolen, old_binding);
  });
}

TEST(SimDishonestServer, ARenewedBindingIsTakenWithoutQuestions) {
  for_each_seed(20, [](World& world) {
    Stage stage(world);
    ASSERT_TRUE(stage.start());
    stage.both_ways(20ms);
    ASSERT_TRUE(stage.until_both_ways(2s));
    stage.gcs().kill();
    stage.server().kill();
    auto spec = stage.spec_of("gcs4");
    spec.keys = KeyPair::generate(world.rng());
    stage.server().directory.clients["gcs4"].binding = stage.bind("gcs4", spec.keys.public_key);
    stage.server().start();
    stage.add_client("gcs4 again", spec).start();
    stage.stop_traffic();
    stage.traffic("drone3", "mavlink", 20ms);
    EXPECT_TRUE(stage.until_delivery("drone3", "mavlink", 3s));
    EXPECT_EQ(stage.drone().pins["gcs4"].key, spec.keys.public_key);
  });
}

TEST(SimDishonestServer, SwappedFlowNumbersNeverMoveDataToAnotherFlow) {
  for_each_seed(20, [](World& world) {
    Stage stage(world);
    ASSERT_TRUE(stage.start());
    stage.both_ways(10ms);
    stage.traffic("drone3", "video", 10ms);
    ASSERT_TRUE(stage.until_both_ways(1s));
    auto& flows = stage.server().directory.flows;
    for (int i = 0; i < 3; ++i) {
      std::swap(flows["mavlink"], flows["video"]);
      stage.server().kill();
      stage.server().start();
      world.run_for(3s);  // the ledger judges every delivery by the flow's name
    }
  });
}

TEST(SimDishonestServer, FramesRewrittenByTheRelayDoNotOpen) {
  for_each_seed(30, [](World& world) {
    Stage stage(world, {.clients = {"drone3", "drone5", "gcs4"}, .p2p = false});
    ASSERT_TRUE(stage.start());
    stage.both_ways(20ms);
    stage.traffic("drone3", "video", 20ms);
    stage.traffic("drone5", "mavlink", 20ms);
    ASSERT_TRUE(stage.until_both_ways(1s));
    world.run_for(500ms);
    Attacker relay(world);
    relay.on_packet = [&](Packet& p) {
      if (!at_server(p.from) || (p.bytes[0] != 0x11 && p.bytes[0] != 0x13)) return true;
      switch (world.rng().below(4)) {
        case 0:
          p.bytes[2] ^= 3;
          break;  // flow 1 <-> 2
        case 1:
          p.bytes[4 + world.rng().below(4)] ^= 1;
          break;  // receiver index
        case 2:
          p.bytes[8 + world.rng().below(4)] ^= 1;
          break;  // counter
        default:
          p.bytes[1] ^= static_cast<std::uint8_t>(1U << world.rng().below(8));
          break;
      }
      return true;
    };
    world.run_for(200ms);  // what was under way behind the tap has arrived
    const auto since = world.now();
    world.run_for(2s);
    for (const char* id : {"drone3", "drone5", "gcs4"}) {
      EXPECT_GT(world.ledger().sent(id, "mavlink", since), 0U);
      EXPECT_EQ(world.ledger().delivered(id, "mavlink", since), 0U) << id;
    }
    relay.on_packet = nullptr;
    EXPECT_TRUE(stage.until_both_ways(1s));  // the sessions have lived through it
  });
}

TEST(SimDishonestServer, FramesSentToTheWrongClientAreNotDelivered) {
  for_each_seed(30, [](World& world) {
    Stage stage(world, {.clients = {"drone3", "drone5", "gcs4"}});
    ASSERT_TRUE(stage.start());
    stage.both_ways(20ms);
    stage.traffic("drone5", "mavlink", 20ms);
    ASSERT_TRUE(stage.until_both_ways(1s));
    Attacker relay(world);
    std::vector<Endpoint> clients;
    relay.on_packet = [&](Packet& p) {
      if (!at_server(p.from)) return true;
      if (std::find(clients.begin(), clients.end(), p.to) == clients.end()) clients.push_back(p.to);
      for (const auto& other : clients) relay.send(p.from, other, p.bytes);
      return true;
    };
    const auto since = world.now();
    world.run_for(2s);  // the ledger judges; reflections and strangers' frames are copies
    stage.stop_traffic();
    world.run_for(500ms);
    const auto sent = world.ledger().sent("drone3", "mavlink", since);
    EXPECT_EQ(world.ledger().delivered("drone3", "mavlink", since), sent);
  });
}

}  // namespace
}  // namespace wormhole::sim
