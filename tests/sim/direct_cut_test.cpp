// A direct path that breaks: the relay takes over within 700 ms, and the path comes back.
#include "sim/chance.hpp"
#include "sim/direct_rig.hpp"

namespace wormhole::sim {
namespace {

constexpr Duration kMostGap = 700ms;
constexpr Duration kDirectAgain = 3s;

/// Breaks the path of a pair by `harm`; asserts on the gap and, unless `stays_relayed`, on the way
/// back.
template <typename Harm>
void survives(const std::string& what, const Site& gcs, const Site& drone, Harm harm,
              bool stays_relayed = false) {
  SCOPED_TRACE(what + ", " + gcs.name + " and " + drone.name);
  Samples gaps(what + ": application gap");
  Samples returns(what + ": direct again");
  for_each_seed(20, [&](World& world) {
    DirectPair pair(world, gcs, drone);
    ASSERT_TRUE(pair.start());
    world.run_for(2s + up_to(world.rng(), 500ms));
    const auto cut = world.now();
    harm(pair);
    // The path ends a second after its last sign of life; what counts is the one after that.
    world.run_for(1200ms);
    const bool back = world.run_until([&] { return pair.both_direct(); }, kDirectAgain - 1200ms);
    if (stays_relayed) {
      EXPECT_FALSE(pair.both_direct());
    } else {
      EXPECT_TRUE(back);
      returns.add(world.now() - cut);
    }
    world.run_for(500ms);
    const auto gap = pair.longest_gap(cut);
    EXPECT_LE(to_ms(gap), to_ms(kMostGap));
    gaps.add(gap);
  });
  gaps.print();
  if (!stays_relayed) returns.print();
}

TEST(DirectCut, BothDirections) {
  survives(
      "cut both ways", port_restricted(), port_restricted(),
      [](DirectPair& pair) { pair.cut(true, true); }, true);
}

TEST(DirectCut, OneDirection) {
  survives(
      "cut from the drone", port_restricted(), port_restricted(),
      [](DirectPair& pair) { pair.cut(true, false); }, true);
  survives(
      "cut from the ground", port_restricted(), full_cone(),
      [](DirectPair& pair) { pair.cut(false, true); }, true);
}

TEST(DirectCut, ForAMoment) {
  survives("cut for 600 ms", port_restricted(), port_restricted(), [](DirectPair& pair) {
    pair.cut(true, true);
    pair.world.after(600ms, [&pair] { pair.mend(); });
  });
}

TEST(DirectCut, NatRebooted) {
  for (const auto& site : cones()) {
    survives("NAT rebooted", port_restricted(), site,
             [](DirectPair& pair) { pair.stage.nat_of("drone3")->forget_mappings(); });
  }
}

TEST(DirectCut, NatRebootedWithANewAddress) {
  for (const auto& site : cones()) {
    survives("NAT rebooted, new address", port_restricted(), site, [](DirectPair& pair) {
      pair.stage.nat_of("drone3")->set_external(IpAddress::v4(192, 0, 2, 77));
    });
  }
}

TEST(DirectCut, ServerDown) {
  for_each_seed(20, [&](World& world) {
    DirectPair pair(world, port_restricted(), full_cone());
    ASSERT_TRUE(pair.start());
    world.run_for(1s);
    const auto down = world.now();
    pair.stage.server().kill();
    world.run_for(10s);
    pair.stage.server().start();
    world.run_for(5s);
    pair.stage.stop_traffic();
    const auto until = world.now();
    world.run_for(1s);
    EXPECT_EQ(pair.lost(down, until), 0U);
    EXPECT_TRUE(pair.both_direct());
  });
}

}  // namespace
}  // namespace wormhole::sim
