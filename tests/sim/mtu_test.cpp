// Paths of every size: what they carry is found, and nothing is lost for long when it shrinks.
#include <cstdio>

#include "sim/attacker.hpp"
#include "sim/chance.hpp"
#include "sim/tcp_rig.hpp"
#include "wormhole/path/path_mtu.hpp"

namespace wormhole::sim {
namespace {

constexpr Duration kRecovery = 3s;
constexpr std::size_t kLarge = 1400;  ///< a datagram that only an unimpaired path carries whole

/// Two clients that send large datagrams to each other, and small ones (video) from the drone.
class SizedPair {
 public:
  SizedPair(World& in, bool direct, LinkProfile link = {.delay = 10ms}, bool v6 = false)
      : world(in), stage(in, options(direct, link, v6)), direct_(direct) {}

  bool start() {
    if (!stage.start()) return false;
    return world.run_until([this] { return on_path(); }, 10s);
  }
  void send(Duration interval = 10ms) {
    stage.both_ways(interval, kLarge);
    stage.traffic("drone3", "video", interval, 1000);
  }
  bool on_path() {
    const auto wanted = direct_ ? PathKind::kDirect : PathKind::kRelay;
    for (const char* id : {"drone3", "gcs4"}) {
      const auto status = stage.client(id).status();
      if (status.peers.empty() || status.peers.front().path != wanted) return false;
    }
    return true;
  }
  /// Of the drone's link, both ways; too large is dropped without a word.
  void set_mtu(std::size_t mtu) {
    auto& host = stage.drone().host();
    host.up.profile.mtu = host.down.profile.mtu = mtu;
  }
  MtuStatus mtu(const std::string& id) {
    const auto status = stage.client(id).status();
    return status.peers.front().mtu.value_or(MtuStatus{});
  }
  std::size_t ip(const std::string& id) { return mtu(id).ip; }
  /// From `since` to the last datagram on a flow that was lost; 0: none was.
  Duration losing(const std::string& flow, TimePoint since, TimePoint until) {
    Duration last{};
    for (const auto& record : world.ledger().records()) {
      const bool counts = record.flow == flow && record.at >= since && record.at < until;
      if (counts && may_receive(record) && record.deliveries.empty()) last = record.at - since;
    }
    return last;
  }

  World& world;
  Stage stage;

 private:
  static StageOptions options(bool direct, LinkProfile link, bool v6) {
    StageOptions made;
    if (v6) made.servers = {"2001:db8::10"};
    made.link = link;
    made.p2p = direct;
    return made;
  }
  static bool may_receive(const Ledger::Record& record) {
    return record.flow == "mavlink" || record.from == "drone3";
  }

  bool direct_;
};

const char* name(bool direct) { return direct ? "direct" : "relayed"; }

TEST(Mtu, WhatAPathCarriesIsFoundAndNothingIsLostMeanwhile) {
  for (const bool direct : {true, false}) {
    for (const std::size_t mtu : {1500U, 1492U, 1420U, 1400U, 1280U}) {
      SCOPED_TRACE(std::string(name(direct)) + ' ' + std::to_string(mtu));
      for_each_seed(10, [&](World& world) {
        SizedPair pair(world, direct, {.delay = between(world.rng(), 1ms, 60ms), .mtu = mtu});
        ASSERT_TRUE(pair.start());
        const auto begin = world.now();
        pair.send();
        world.run_for(6s);
        pair.stage.stop_traffic();
        const auto end = world.now();
        world.run_for(1s);
        for (const char* id : {"drone3", "gcs4"}) {
          EXPECT_EQ(pair.ip(id), mtu) << id;
          EXPECT_FALSE(pair.mtu(id).searching) << id;
          EXPECT_EQ(pair.mtu(id).black_holes, 0U) << id;
        }
        EXPECT_EQ(to_ms(pair.losing("mavlink", begin, end)), 0);
        EXPECT_EQ(to_ms(pair.losing("video", begin, end)), 0);
      });
    }
  }
}

TEST(Mtu, ByIpv6WithItsLargerHeader) {
  for (const std::size_t mtu : {1500U, 1492U, 1420U, 1280U}) {
    SCOPED_TRACE(mtu);
    for_each_seed(5, [&](World& world) {
      SizedPair pair(world, false, {.delay = 10ms, .mtu = mtu}, true);
      ASSERT_TRUE(pair.start());
      const auto begin = world.now();
      pair.send();
      world.run_for(6s);
      EXPECT_EQ(pair.ip("drone3"), mtu);
      pair.set_mtu(1280);
      const auto shrunk = world.now();
      world.run_for(5s);
      pair.stage.stop_traffic();
      const auto end = world.now();
      world.run_for(1s);
      // On 1,420 bytes the datagrams travel in two small halves: its size is not in use.
      const std::size_t known = mtu == 1420 ? 1420 : 1280;
      EXPECT_EQ(pair.ip("drone3"), known);
      EXPECT_EQ(pair.ip("gcs4"), known);
      EXPECT_EQ(to_ms(pair.losing("mavlink", begin, shrunk - 100ms)), 0);
      EXPECT_LE(to_ms(pair.losing("mavlink", shrunk, end)), to_ms(kRecovery));
      EXPECT_EQ(to_ms(pair.losing("video", begin, end)), 0);
    });
  }
}

/// A path that suddenly carries 1,280 bytes and says nothing about it.
void shrinks(bool direct, bool one_way, std::uint64_t usual) {
  Samples samples(std::string("black hole, ") + name(direct) + ": to the last lost datagram");
  for_each_seed(usual, [&](World& world) {
    SizedPair pair(world, direct, {.delay = between(world.rng(), 1ms, 60ms)});
    ASSERT_TRUE(pair.start());
    pair.send();
    world.run_for(2s + up_to(world.rng(), 1500ms));
    ASSERT_EQ(pair.ip("drone3"), 1500U);
    ASSERT_EQ(pair.ip("gcs4"), 1500U);
    const auto begin = world.now();
    if (one_way) {
      pair.stage.drone().host().up.profile.mtu = 1280;
    } else {
      pair.set_mtu(1280);
    }
    world.run_for(6s);
    pair.stage.stop_traffic();
    const auto end = world.now();
    world.run_for(1s);
    const auto took = pair.losing("mavlink", begin, end);
    EXPECT_LE(to_ms(took), to_ms(kRecovery));
    EXPECT_GT(took, 0s);
    EXPECT_EQ(to_ms(pair.losing("video", begin, end)), 0);
    EXPECT_EQ(pair.ip("drone3"), 1280U);
    EXPECT_EQ(pair.ip("gcs4"), one_way ? 1500U : 1280U);
    EXPECT_TRUE(pair.on_path());
    EXPECT_EQ(pair.mtu("drone3").black_holes, 1U);
    samples.add(took);
  });
  samples.print();
}

TEST(Mtu, ADirectPathThatShrinks) { shrinks(true, false, 100); }
TEST(Mtu, ARelayedPathThatShrinks) { shrinks(false, false, 100); }
TEST(Mtu, ADirectPathThatShrinksOneWay) { shrinks(true, true, 10); }
TEST(Mtu, ARelayedPathThatShrinksOneWay) { shrinks(false, true, 10); }

TEST(Mtu, APathThatGrowsIsUsedAfterTenMinutes) {
  for (const bool direct : {true, false}) {
    for_each_seed(3, [&](World& world) {
      SizedPair pair(world, direct, {.delay = 10ms, .mtu = 1280});
      ASSERT_TRUE(pair.start());
      pair.send(100ms);
      world.run_for(10s);
      ASSERT_EQ(pair.ip("drone3"), 1280U);
      for (const char* id : {"drone3", "gcs4"}) {
        auto& host = pair.stage.client(id).host();
        host.up.profile.mtu = host.down.profile.mtu = 1500;
      }
      world.run_for(PathMtu::kRaise + 5s);
      EXPECT_EQ(pair.ip("drone3"), 1500U) << name(direct);
      EXPECT_EQ(pair.ip("gcs4"), 1500U) << name(direct);
    });
  }
}

/// 5 % on each link, 19 % of all questions: that a path is taken for a black hole is rare, and over
/// after a round trip.
TEST(Mtu, LossIsNoReasonToSendFragments) {
  for (const bool direct : {true, false}) {
    std::uint64_t black_holes = 0;
    std::uint64_t fragmented = 0;
    std::uint64_t datagrams = 0;
    for_each_seed(5, [&](World& world) {
      SizedPair pair(world, direct, {.delay = 10ms, .jitter = 5ms, .loss = 0.05});
      ASSERT_TRUE(pair.start());
      pair.send(20ms);
      world.run_for(5min);
      for (const char* id : {"drone3", "gcs4"}) {
        const auto mtu = pair.mtu(id);
        black_holes += mtu.black_holes;
        fragmented += mtu.fragmented;
        datagrams += mtu.datagrams;
      }
    });
    std::printf("[ sim      ] 5 %% loss, %s: %u black holes in %u s, %.2f %% in fragments\n",
                name(direct), static_cast<unsigned>(black_holes),
                static_cast<unsigned>(2 * 300 * seeds(5).size()),
                100.0 * static_cast<double>(fragmented) / static_cast<double>(datagrams));
    EXPECT_LE(static_cast<double>(fragmented), 0.02 * static_cast<double>(datagrams));
  }
}

/// Who is idle asks nothing: no packet larger than the base is seen.
TEST(Mtu, AnIdlePairAsksNothing) {
  for_each_seed(5, [](World& world) {
    SizedPair pair(world, world.rng().below(2) == 0);
    ASSERT_TRUE(pair.start());
    pair.send();
    world.run_for(3s);
    pair.stage.stop_traffic();
    world.run_for(5s);
    std::size_t large = 0;
    world.internet().set_tap([&](Packet& packet) {
      if (packet.bytes.size() > PathMtu::kBase) ++large;
      return true;
    });
    world.run_for(20min);
    world.internet().set_tap(nullptr);
    EXPECT_EQ(large, 0U);
  });
}

/// The server is away for a while: nothing is answered, and the size stands.
TEST(Mtu, AnOutageSaysNothingAboutThePath) {
  for_each_seed(20, [](World& world) {
    SizedPair pair(world, false);
    ASSERT_TRUE(pair.start());
    pair.send();
    world.run_for(3s);
    pair.stage.server().kill();
    world.run_for(std::chrono::seconds(2 + world.rng().below(20)));
    pair.stage.server().start();
    ASSERT_TRUE(pair.stage.until_both_ways(5s));
    world.run_for(3s);
    EXPECT_EQ(pair.ip("drone3"), 1500U);
    EXPECT_EQ(pair.ip("gcs4"), 1500U);
  });
}

/// Bulk both ways over a path that shrinks: it goes on within the bound, byte for byte.
void tcp_survives(bool direct) {
  Samples samples(std::string("TCP through a black hole, ") + name(direct) + ": bytes both ways");
  for_each_seed(20, [&](World& world) {
    auto options = with_ssh({.delay = 10ms, .bits_per_second = 8'000'000});
    options.p2p = direct;
    TcpRig rig(world, options);
    ASSERT_TRUE(rig.start());
    constexpr std::size_t kMuch = std::size_t{1} << 40;
    const auto talk = rig.talk("gcs4", "ssh", kMuch, kMuch);
    world.run_for(3s + up_to(world.rng(), 1s));
    auto* near = rig.dialler(talk);
    auto* far = rig.server(talk, "drone3");
    ASSERT_TRUE(near != nullptr && far != nullptr);
    auto& host = rig.stage.drone().host();
    host.up.profile.mtu = host.down.profile.mtu = 1280;
    const auto shrunk = world.now();
    // What was under way on the links still arrives.
    world.run_for(300ms);
    const std::array before{near->read, far->read};
    ASSERT_TRUE(world.run_until(
        [&] { return near->read > before[0] + 100'000 && far->read > before[1] + 100'000; }, 10s));
    EXPECT_LE(to_ms(world.now() - shrunk), to_ms(kRecovery));
    samples.add(world.now() - shrunk);
    near->to_write = near->written;
    far->to_write = far->written;
    rig.stage.gcs().tcp().go_on(*near);
    rig.stage.drone().tcp().go_on(*far);
    EXPECT_TRUE(world.run_until([&] { return near->closed && far->closed; }, 60s));
    EXPECT_EQ(near->read, far->written);
    EXPECT_EQ(far->read, near->written);
  });
  samples.print();
}

TEST(Mtu, TcpGoesOnThroughABlackHoleDirect) { tcp_survives(true); }
TEST(Mtu, TcpGoesOnThroughABlackHoleRelayed) { tcp_survives(false); }

}  // namespace
}  // namespace wormhole::sim
