// Clients behind one NAT punch one after the other, and all get their paths.
#include <algorithm>
#include <map>
#include <utility>

#include "sim/direct_rig.hpp"
#include "wormhole/wire/opener.hpp"

namespace wormhole::sim {
namespace {

/// Two drones behind one symmetric NAT, each with a path to make to both of two ground stations
/// behind NATs of their own.
class Fleet {
 public:
  Fleet(World& in, const Site& drones, const Site& ground, unsigned at_a_time = 1,
        LinkProfile link = {.delay = 10ms})
      : world(in), stage(in, options(drones, ground, link)) {
    auto& second = stage.client("drone7").host();
    world.internet().move(second, second.addresses, stage.nat_of("drone3"));
    stage.network.p2p.campaigns_per_address = static_cast<std::uint16_t>(at_a_time);
    world.internet().set_tap([this](Packet& packet) {
      note(packet);
      return true;
    });
  }
  ~Fleet() { world.internet().set_tap(nullptr); }

  bool start(Duration limit) {
    stage.server().start();
    stage.server().set_network(stage.network);
    for (const auto& id : stage.options.clients) stage.client(id).start();
    for (const auto& id : stage.options.clients) stage.traffic(id, "mavlink", 20ms);
    return world.run_until([this] { return all_direct(); }, limit);
  }
  bool all_direct() {
    for (const auto& id : stage.options.clients) {
      const auto status = stage.client(id).status();
      if (status.peers.size() != 2) return false;
      for (const auto& peer : status.peers) {
        if (!peer.reason.empty()) reasons[peer.reason] = true;
        if (peer.path != PathKind::kDirect) return false;
      }
    }
    return true;
  }
  /// How many times a campaign of one pair sent from a public address while that of another did.
  std::size_t overlaps() const {
    std::size_t count = 0;
    for (auto a = campaigns_.begin(); a != campaigns_.end(); ++a) {
      for (auto b = std::next(a); b != campaigns_.end(); ++b) {
        if (a->first.address != b->first.address || a->second.packets <= kLight ||
            b->second.packets <= kLight) {
          continue;
        }
        count += a->second.first <= b->second.last && b->second.first <= a->second.last;
      }
    }
    return count;
  }
  /// Campaigns of more than the openers of main sockets.
  std::size_t heavy() const {
    return static_cast<std::size_t>(
        std::count_if(campaigns_.begin(), campaigns_.end(),
                      [](const auto& item) { return item.second.packets > kLight; }));
  }

  World& world;
  Stage stage;
  std::map<std::string, bool> reasons;  ///< that were seen

 private:
  static constexpr std::size_t kLight = 4;
  /// Openings and probes leave 10 ms apart at most, the few openers of main sockets at least 20 ms,
  /// and the latter may come from before the campaign or after it.
  static constexpr Duration kDense = 12ms;
  struct Key {
    IpAddress address;
    std::uint16_t low = 0, high = 0;  ///< clients
    std::uint32_t campaign = 0;
    auto operator<=>(const Key&) const = default;
  };
  struct Span {
    TimePoint newest{};         ///< packet, whichever
    TimePoint first{}, last{};  ///< of those that came close together
    std::size_t packets = 0;
  };

  static StageOptions options(const Site& drones, const Site& ground, LinkProfile link) {
    StageOptions made;
    made.link = link;
    made.clients = {"drone3", "drone7", "gcs4", "gcs8"};
    made.nats = {
        {"drone3", drones.nat}, {"drone7", drones.nat}, {"gcs4", ground.nat}, {"gcs8", ground.nat}};
    return made;
  }
  void note(const Packet& packet) {
    const auto opener = read_opener(packet.bytes);
    if (!opener || opener->campaign == 0) return;
    const auto [low, high] = std::minmax(opener->from.value, opener->to.value);
    auto& span = campaigns_[{packet.from.address, low, high, opener->campaign}];
    const auto before = std::exchange(span.newest, world.now());
    if (world.now() - before > kDense) return;
    if (span.packets++ == 0) span.first = before;
    span.last = world.now();
  }

  std::map<Key, Span> campaigns_;
};

TEST(Turns, TwoClientsBehindOneSymmetricNatNeverPunchAtOnce) {
  std::size_t waited = 0;
  Samples samples("two drones behind one symmetric NAT, four paths");
  for_each_seed(10, [&](World& world) {
    Fleet fleet(world, symmetric_random(), port_restricted());
    const auto start = world.now();
    ASSERT_TRUE(fleet.start(60s));
    samples.add(world.now() - start);
    EXPECT_EQ(fleet.overlaps(), 0U);
    EXPECT_GE(fleet.heavy(), 4U);
    waited += fleet.reasons.contains("waits: another client behind 192.0.2.1 is punching");
  });
  samples.print();
  EXPECT_GT(waited, 0U);
}

TEST(Turns, SeveralAtATimeWhereTheNetworkAllowsIt) {
  std::size_t overlaps = 0;
  // Every second seed has one; a fifth of them, as under sanitizers, must have one, too.
  for_each_seed(40, [&](World& world) {
    Fleet fleet(world, symmetric_random(), port_restricted(), 16);
    ASSERT_TRUE(fleet.start(60s));
    overlaps += fleet.overlaps();
  });
  EXPECT_GT(overlaps, 0U);
}

TEST(Turns, SequentialNatsAreSharedInTurn) {
  for_each_seed(10, [&](World& world) {
    Fleet fleet(world, symmetric_sequential(), port_restricted());
    ASSERT_TRUE(fleet.start(60s));
    EXPECT_EQ(fleet.overlaps(), 0U);
  });
}

/// Questions, answers and words of the end are lost and overtake each other.
TEST(Turns, BadLinksDelayThemAndNothingElse) {
  const LinkProfile bad{.delay = 40ms, .jitter = 15ms, .loss = 0.05, .reorder = 0.1};
  Samples samples("the same on links that lose 5 % each way");
  for_each_seed(10, [&](World& world) {
    Fleet fleet(world, symmetric_random(), port_restricted(), 1, bad);
    const auto start = world.now();
    ASSERT_TRUE(fleet.start(120s));
    samples.add(world.now() - start);
    EXPECT_EQ(fleet.overlaps(), 0U);
  });
  samples.print();
}

/// A server that starts anew knows nothing of turns: nobody waits for one that is forgotten.
TEST(Turns, ARestartOfTheServerLosesNobodysTurn) {
  for_each_seed(5, [&](World& world) {
    Fleet fleet(world, symmetric_random(), port_restricted());
    EXPECT_FALSE(fleet.start(400ms));
    fleet.stage.server().kill();
    world.run_for(1s);
    fleet.stage.server().start();
    fleet.stage.server().set_network(fleet.stage.network);
    EXPECT_TRUE(world.run_until([&] { return fleet.all_direct(); }, 60s));
  });
}

TEST(Turns, OneSeedGivesOneTrace) {
  const auto trace = [](std::uint64_t seed) {
    World world(seed);
    Fleet fleet(world, symmetric_random(), port_restricted());
    EXPECT_TRUE(fleet.start(60s));
    return world.trace().hash();
  };
  for (const auto seed : seeds(2)) EXPECT_EQ(trace(seed), trace(seed)) << "WORMHOLE_SEED=" << seed;
}

}  // namespace
}  // namespace wormhole::sim
