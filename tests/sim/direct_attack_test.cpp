// Somebody on the way tries to take a direct path over, or to make clients answer him.
#include <algorithm>

#include "sim/attacker.hpp"
#include "sim/direct_rig.hpp"

namespace wormhole::sim {
namespace {

constexpr std::uint8_t kFrame = 0x10;
constexpr std::uint8_t kOpenerType = 0x20;
/// A challenge: 12 header, 11 item, 16 tag. Data frames of these tests are longer.
constexpr std::size_t kChallengeSize = 39;

/// Two public clients, so that no NAT keeps the attacker's datagrams out, with packets both ways.
class Scene {
 public:
  explicit Scene(World& in) : world(in), stage(in, options()), attacker(in) {}

  bool start() {
    if (!stage.start()) return false;
    stage.both_ways(5ms);
    const bool direct = world.run_until([this] { return both_direct(); }, 5s);
    world.run_for(1s);
    attacker.forget();
    return direct;
  }
  bool both_direct() {
    for (const char* id : {"drone3", "gcs4"}) {
      const auto status = stage.client(id).status();
      if (status.peers.empty() || status.peers.front().path != PathKind::kDirect) return false;
    }
    return true;
  }
  static bool is_between(const Packet& packet) {
    return packet.bytes.front() == kFrame && !at_server(packet.to) && !at_server(packet.from);
  }
  /// Datagrams of clients to `where` that are longer than `size`.
  std::size_t sent_to(const Endpoint& where, std::size_t size = 0) const {
    const auto& all = attacker.captured();
    return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](const Packet& p) {
      return p.to == where && p.bytes.size() > size;
    }));
  }

  World& world;
  Stage stage;
  Attacker attacker;

 private:
  static StageOptions options() {
    StageOptions made;
    made.nats = {{"gcs4", std::nullopt}, {"drone3", std::nullopt}};
    return made;
  }
};

TEST(DirectAttack, AForwarderGetsNothing) {
  for_each_seed(10, [](World& world) {
    Scene scene(world);
    ASSERT_TRUE(scene.start());
    const auto his = scene.attacker.somewhere();
    // His copies cross the core at the same moment, half of them before the originals.
    scene.attacker.on_packet = [&](Packet& packet) {
      if (Scene::is_between(packet)) scene.attacker.replay(packet, his);
      return true;
    };
    const auto from = world.now();
    for (int i = 0; i < 50; ++i) {
      world.run_for(100ms);
      ASSERT_TRUE(scene.both_direct());
    }
    scene.stage.stop_traffic();
    const auto until = world.now();
    world.run_for(1s);
    EXPECT_EQ(scene.sent_to(his), 0U);
    for (const char* id : {"drone3", "gcs4"}) {
      EXPECT_EQ(world.ledger().sent(id, "mavlink", from, until),
                world.ledger().delivered(id, "mavlink", from, until));
    }
  });
}

TEST(DirectAttack, NorOneBehindThePeersAddress) {
  for_each_seed(10, [](World& world) {
    Scene scene(world);
    ASSERT_TRUE(scene.start());
    const Endpoint his{scene.stage.drone().host().addresses.front(), 31337};
    scene.attacker.on_packet = [&](Packet& packet) {
      const bool of_drone = packet.from.address == his.address && packet.from != his;
      if (Scene::is_between(packet) && of_drone) scene.attacker.replay(packet, his);
      return true;
    };
    for (int i = 0; i < 50; ++i) {
      world.run_for(100ms);
      ASSERT_TRUE(scene.both_direct());
    }
    // Challenges go there, and nothing else.
    EXPECT_EQ(scene.sent_to(his, kChallengeSize), 0U);
  });
}

TEST(DirectAttack, WhoRewritesTheSourceCutsThePathAndNoMore) {
  for_each_seed(10, [](World& world) {
    Scene scene(world);
    ASSERT_TRUE(scene.start());
    const auto his = scene.attacker.somewhere();
    const auto from = world.now();
    scene.attacker.on_packet = [&](Packet& packet) {
      if (Scene::is_between(packet)) packet.from = his;
      return true;
    };
    world.run_for(5s);
    EXPECT_EQ(scene.sent_to(his), 0U);
    for (const char* id : {"drone3", "gcs4"}) {
      // What is authentic is delivered, whoever carries it; so nothing need be missing at all.
      const auto late = world.ledger().delivered(id, "mavlink", from + 1s);
      EXPECT_GT(late, 700U);
    }
  });
}

TEST(DirectAttack, ForgedAndReplayedOpenersAreCountedAndNotAnswered) {
  for_each_seed(10, [](World& world) {
    Scene scene(world);
    ASSERT_TRUE(scene.stage.start());
    world.run_for(200ms);
    const auto openers = scene.attacker.captured_of(kOpenerType);
    ASSERT_FALSE(openers.empty());
    const auto his = scene.attacker.somewhere();
    for (int round = 0; round < 20; ++round) {
      for (const auto& packet : openers) {
        scene.attacker.replay(packet, his);
        auto forged = packet.bytes;
        forged[12] ^= 1;
        scene.attacker.send(his, packet.to, forged);
      }
      world.run_for(50ms);
    }
    EXPECT_EQ(scene.sent_to(his), 0U);
    EXPECT_GT(
        scene.stage.drops("drone3", "forged_opener") + scene.stage.drops("gcs4", "forged_opener"),
        0U);
    EXPECT_GT(scene.stage.drops("drone3", "peer_foreign_address") +
                  scene.stage.drops("gcs4", "peer_foreign_address"),
              0U);
  });
}

TEST(DirectAttack, ReplayedFramesMoveNothing) {
  for_each_seed(10, [](World& world) {
    Scene scene(world);
    ASSERT_TRUE(scene.start());
    world.run_for(500ms);
    const auto frames = scene.attacker.captured_of(kFrame);
    const auto his = scene.attacker.somewhere();
    for (const auto& packet : frames) {
      if (Scene::is_between(packet)) scene.attacker.replay(packet, his);
    }
    for (int i = 0; i < 20; ++i) {
      world.run_for(100ms);
      ASSERT_TRUE(scene.both_direct());
    }
    EXPECT_EQ(scene.sent_to(his), 0U);
    EXPECT_GT(scene.stage.drops("drone3", "peer_replayed"), 0U);
  });
}

}  // namespace
}  // namespace wormhole::sim
