// Strangers on the path: replays, forgeries, noise and floods.
#include "sim/attacker.hpp"
#include "sim/chance.hpp"
#include "sim/seeds.hpp"
#include "sim/stage.hpp"
#include "wormhole/crypto/handshake.hpp"
#include "wormhole/crypto/seal.hpp"

namespace wormhole::sim {
namespace {

/// After the attack nothing may be missing: `body` runs while both ends send on clean links.
template <typename Attack>
void expect_no_loss_during(World& world, Stage& stage, Attack attack) {
  ASSERT_TRUE(stage.start());
  stage.both_ways(20ms);
  ASSERT_TRUE(stage.until_both_ways(2s));
  const auto since = world.now();
  attack();
  stage.stop_traffic();
  world.run_for(1s);
  for (const char* id : {"drone3", "gcs4"}) {
    const auto sent = world.ledger().sent(id, "mavlink", since);
    EXPECT_GT(sent, 0U);
    EXPECT_EQ(world.ledger().delivered(id, "mavlink", since), sent) << id;
  }
  EXPECT_TRUE(stage.drone().running() && stage.gcs().running());
}

TEST(SimAttack, EverythingReplayedFromElsewhereChangesNothing) {
  for_each_seed(40, [](World& world) {
    Stage stage(world);
    Attacker attacker(world);
    expect_no_loss_during(world, stage, [&] {
      world.run_for(1s);
      const auto taken = attacker.captured();  // from the first INIT on
      for (const auto& packet : taken) {
        world.after(up_to(world.rng(), 2s),
                    [&attacker, packet] { attacker.replay(packet, attacker.somewhere()); });
      }
      world.run_for(3s);
    });
  });
}

TEST(SimAttack, EverythingReplayedFromItsOwnAddressChangesNothing) {
  for_each_seed(40, [](World& world) {
    Stage stage(world);
    Attacker attacker(world);
    expect_no_loss_during(world, stage, [&] {
      world.run_for(1s);
      const auto taken = attacker.captured();
      for (const auto& packet : taken) {
        world.after(up_to(world.rng(), 2s),
                    [&attacker, packet] { attacker.replay(packet, packet.from); });
      }
      world.run_for(3s);
    });
  });
}

TEST(SimAttack, OldInitsDoNotComeBackAfterARestartOfTheServer) {
  for_each_seed(20, [](World& world) {
    Stage stage(world);
    Attacker attacker(world);
    ASSERT_TRUE(stage.start());
    stage.both_ways(20ms);
    ASSERT_TRUE(stage.until_both_ways(1s));
    const auto inits = attacker.captured_of(0x01);
    ASSERT_FALSE(inits.empty());
    stage.server().kill();
    stage.server().start();
    world.every(10ms, [&, inits] {
      const auto& one = inits[world.rng().below(static_cast<std::uint32_t>(inits.size()))];
      attacker.replay(one, world.rng().below(2) == 0 ? one.from : attacker.somewhere());
      return true;
    });
    EXPECT_TRUE(stage.until_both_ways(2s));
    const auto since = world.now();
    world.run_for(3s);
    stage.stop_traffic();
    const auto sent = world.ledger().sent("drone3", "mavlink", since);
    world.run_for(1s);
    EXPECT_EQ(world.ledger().delivered("drone3", "mavlink", since), sent);
  });
}

TEST(SimAttack, CopiesWithFlippedBitsBesideTheGenuineOnesChangeNothing) {
  for_each_seed(30, [](World& world) {
    Stage stage(world);
    Attacker attacker(world);
    attacker.on_packet = [&](Packet& packet) {
      auto forged = packet;
      forged.bytes[world.rng().below(static_cast<std::uint32_t>(forged.bytes.size()))] ^=
          static_cast<std::uint8_t>(1U << world.rng().below(8));
      attacker.replay(forged, forged.from);  // arrives first
      return true;
    };
    expect_no_loss_during(world, stage, [&] { world.run_for(3s); });
  });
}

TEST(SimAttack, TruncatedAndExtendedCopiesChangeNothing) {
  for_each_seed(20, [](World& world) {
    Stage stage(world);
    Attacker attacker(world);
    attacker.on_packet = [&](Packet& packet) {
      auto cut = packet;
      cut.bytes.resize(world.rng().below(static_cast<std::uint32_t>(cut.bytes.size())));
      attacker.replay(cut, cut.from);
      auto longer = packet;
      longer.bytes.resize(longer.bytes.size() + 1 + world.rng().below(40));
      attacker.replay(longer, longer.from);
      return true;
    };
    expect_no_loss_during(world, stage, [&] { world.run_for(2s); });
  });
}

TEST(SimAttack, NoiseIsNotAnsweredAndHurtsNobody) {
  for_each_seed(20, [](World& world) {
    Stage stage(world);
    Attacker attacker(world);
    const auto server = stage.server().endpoints();
    expect_no_loss_during(world, stage, [&] {
      const auto client_seen = attacker.captured().back();
      const auto begin = world.now();
      world.every(1ms, [&, client_seen, begin] {
        attacker.send(attacker.somewhere(), server[world.rng().below(2)], attacker.noise());
        attacker.send(client_seen.from, client_seen.to, attacker.noise());
        attacker.send(client_seen.to, client_seen.from, attacker.noise());
        return world.now() - begin < 2s;
      });
      world.run_for(2s);
      for (const auto& p : attacker.captured()) {
        EXPECT_NE(p.to.address.to_string().substr(0, 11), "203.0.113.2");  // somewhere()
      }
    });
  });
}

TEST(SimAttack, DroppedHandshakesOnlyDelay) {
  for_each_seed(30, [](World& world) {
    Stage stage(world);
    Attacker attacker(world);
    auto spared = 2 + world.rng().below(4);
    attacker.on_packet = [&](Packet& packet) {
      if (packet.bytes[0] != 0x01 && packet.bytes[0] != 0x02) return true;
      if (spared > 0 && world.rng().below(2) == 0) return --spared, false;
      return true;
    };
    EXPECT_TRUE(stage.start());
    stage.both_ways(20ms);
    EXPECT_TRUE(stage.until_both_ways(2s));
  });
}

/// INITs that pass MAC1, by somebody who knows the knock key but has no ID.
std::vector<std::vector<std::uint8_t>> make_inits(World& world, const Stage& stage,
                                                  std::size_t count) {
  const auto& network = stage.server_spec.network;
  HandshakeContext context;
  context.prologue = hop_prologue(network.network);
  context.knock = network.knock;
  const auto self = KeyPair::generate(world.rng());
  std::vector<std::vector<std::uint8_t>> inits;
  for (std::size_t i = 0; i < count; ++i) {
    std::array<std::uint8_t, kInitPayloadSize> payload{};
    payload[0] = payload[1] = 1;  // version
    store_le<std::uint32_t>(&payload[44], static_cast<std::uint32_t>(i + 1));
    Initiator initiator(self, network.server_key, context, world.rng());
    auto& init = inits.emplace_back(kInitSize);
    EXPECT_TRUE(initiator.write_init(world.rng().number<std::uint32_t>(), payload, {}, init));
  }
  return inits;
}

TEST(SimAttack, UnderAFloodOfInitsAnHonestClientStillGetsIn) {
  Samples samples("start to first delivery under 1,000 INITs a second");
  for_each_seed(4, [&](World& world) {
    Stage stage(world);
    Attacker attacker(world);
    const auto inits = make_inits(world, stage, 300);
    stage.server().start();
    stage.gcs().start();
    ASSERT_TRUE(world.run_until([&] { return stage.gcs().connected(); }, 2s));
    world.every(1ms, [&] {
      const auto& init = inits[world.rng().below(static_cast<std::uint32_t>(inits.size()))];
      attacker.send(attacker.somewhere(), stage.server().endpoints()[0], init);
      return true;
    });
    world.run_for(500ms);
    stage.drone().start();
    stage.traffic("drone3", "mavlink", 10ms);
    const auto first = stage.until_delivery("drone3", "mavlink", 2s);
    ASSERT_TRUE(first);
    samples.add(*first);
    world.run_for(1s);
    EXPECT_FALSE(attacker.captured_of(0x03).empty());  // the server asked for cookies
  });
  samples.print();
}

}  // namespace
}  // namespace wormhole::sim
