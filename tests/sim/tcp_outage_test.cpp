// TCP connections over paths that change, vanish and come back.
#include "sim/chance.hpp"
#include "sim/tcp_rig.hpp"

namespace wormhole::sim {
namespace {

constexpr Duration kRoundTrip = 40ms;  ///< four links of 10 ms
/// After the first authentic packet between the clients: its answer, what was lost again, and
/// 100 ms for timers.
constexpr Duration kBackAfter = 2 * kRoundTrip + 100ms;

/// Two connections with bulk both ways, and what becomes of them.
class Outage {
 public:
  explicit Outage(World& world, bool p2p, std::uint64_t bits_per_second = 8'000'000)
      : world_(world), rig_(world, options(p2p, bits_per_second)) {}

  bool begin() {
    if (!rig_.start()) return false;
    talk_ = rig_.talk("gcs4", "ssh", kMuch, kMuch);
    world_.run_for(2s + up_to(world_.rng(), 500ms));
    auto* near = rig_.dialler(talk_);
    auto* far = rig_.server(talk_, "drone3");
    return near != nullptr && far != nullptr && near->read > 100'000 && far->read > 100'000;
  }

  void cut() { rig_.set_up("drone3", false); }
  /// Both directions have moved again; the slower one's time since the first frame between the
  /// clients arrived.
  Duration mend(Duration limit) {
    const std::array before{rig_.dialler(talk_)->read, rig_.server(talk_, "drone3")->read};
    rig_.set_up("drone3", true);
    first_ = kNever;
    const auto mended = world_.now();
    note_first_frame(rig_.stage.drone());
    note_first_frame(rig_.stage.gcs());
    EXPECT_TRUE(world_.run_until(
        [&] {
          return rig_.dialler(talk_)->read > before[0] &&
                 rig_.server(talk_, "drone3")->read > before[1];
        },
        limit));
    since_mended_ = world_.now() - mended;
    return world_.now() - first_;
  }
  Duration since_mended() const { return since_mended_; }
  /// The rest arrives, byte for byte.
  void finish() {
    for (auto* end : {rig_.dialler(talk_), rig_.server(talk_, "drone3")}) {
      end->to_write = end->written;
    }
    rig_.stage.gcs().tcp().go_on(*rig_.dialler(talk_));
    rig_.stage.drone().tcp().go_on(*rig_.server(talk_, "drone3"));
    EXPECT_TRUE(world_.run_until(
        [&] { return rig_.dialler(talk_)->closed && rig_.server(talk_, "drone3")->closed; }, 60s));
    EXPECT_EQ(rig_.dialler(talk_)->read, rig_.server(talk_, "drone3")->written);
    EXPECT_EQ(rig_.server(talk_, "drone3")->read, rig_.dialler(talk_)->written);
    world_.run_for(3s);
    EXPECT_EQ(rig_.open_streams("gcs4") + rig_.open_streams("drone3"), 0U);
  }
  Stage& stage() { return rig_.stage; }

 private:
  /// A frame of the other client has arrived.
  void note_first_frame(ClientNode& node) {
    auto& host = node.host();
    host.receive = [this, receive = host.receive](Packet packet) {
      const bool by_server = packet.from.port == 7700;
      const bool from_peer = packet.bytes[0] == (by_server ? 0x11 : 0x10);
      if (from_peer) first_ = std::min(first_, world_.now());
      receive(std::move(packet));
    };
  }

  static constexpr std::size_t kMuch = std::size_t{1} << 40;
  static StageOptions options(bool p2p, std::uint64_t bits_per_second) {
    auto made = with_ssh({.delay = 10ms, .bits_per_second = bits_per_second});
    made.p2p = p2p;
    return made;
  }

  World& world_;
  TcpRig rig_;
  std::uint64_t talk_ = 0;
  TimePoint first_ = kNever;
  Duration since_mended_{};
};

void survives(const std::string& what, Duration outage, bool p2p, std::uint64_t usual) {
  Samples after(what + ": bytes both ways after the first frame");
  Samples since(what + ": … after the link is up");
  for_each_seed(usual, [&](World& world) {
    Outage pair(world, p2p);
    ASSERT_TRUE(pair.begin());
    pair.cut();
    world.run_for(outage);
    const auto took = pair.mend(10s);
    EXPECT_LE(to_ms(took), to_ms(kBackAfter));
    after.add(took);
    since.add(pair.since_mended());
    pair.finish();
  });
  after.print();
  since.print();
}

TEST(TcpOutage, ThreeSecondsOnTheRelay) { survives("3 s, relay", 3s, false, 10); }
TEST(TcpOutage, ThreeSecondsDirect) { survives("3 s, direct", 3s, true, 10); }
TEST(TcpOutage, ThirtySeconds) { survives("30 s, direct", 30s, true, 10); }

TEST(TcpOutage, TenMinutes) {
  Samples since("10 min: bytes both ways after the link is up");
  for_each_seed(12, [&](World& world) {
    Outage pair(world, world.rng().below(2) == 0);
    ASSERT_TRUE(pair.begin());
    pair.cut();
    world.run_for(600s);
    pair.mend(10s);
    EXPECT_LE(to_ms(pair.since_mended()), 2'000);
    since.add(pair.since_mended());
    pair.finish();
  });
  since.print();
}

TEST(TcpOutage, BackUnderANewAddress) {
  Samples after("30 s, new address: bytes both ways after the first frame");
  for_each_seed(10, [&](World& world) {
    Outage pair(world, true);
    ASSERT_TRUE(pair.begin());
    pair.cut();
    world.run_for(std::chrono::seconds(1 + world.rng().below(30)));
    pair.stage().nat_of("drone3")->set_external(IpAddress::v4(192, 0, 2, 77));
    const auto took = pair.mend(10s);
    EXPECT_LE(to_ms(took), to_ms(kBackAfter));
    after.add(took);
    pair.finish();
  });
  after.print();
}

TEST(TcpOutage, TheServerRestarts) {
  for_each_seed(10, [](World& world) {
    Outage pair(world, world.rng().below(2) == 0);
    ASSERT_TRUE(pair.begin());
    pair.stage().server().kill();
    world.run_for(std::chrono::seconds(1 + world.rng().below(10)));
    pair.stage().server().start();
    world.run_for(3s);
    pair.finish();
  });
}

/// A shell that nobody has typed into for a while: keys have changed meanwhile.
TEST(TcpOutage, AnIdleConnectionAnswersAfterALongRest) {
  Samples samples("first key after 10 min: to the other end");
  for_each_seed(10, [&](World& world) {
    TcpRig rig(world, with_ssh());
    rig.diallers_finish = rig.services_finish = false;
    ASSERT_TRUE(rig.start());
    const auto talk = rig.talk("gcs4", "ssh", 100, 100);
    world.run_for(600s);
    const bool from_dialler = world.rng().below(2) == 0;
    auto* near = from_dialler ? rig.dialler(talk) : rig.server(talk, "drone3");
    auto* far = from_dialler ? rig.server(talk, "drone3") : rig.dialler(talk);
    ASSERT_TRUE(near != nullptr && far != nullptr);
    ++near->to_write;
    const auto typed = world.now();
    rig.stage.client(from_dialler ? "gcs4" : "drone3").tcp().go_on(*near);
    EXPECT_TRUE(world.run_until([&] { return far->read == 101U; }, 2 * kRoundTrip));
    samples.add(world.now() - typed);
  });
  samples.print();
}

TEST(TcpOutage, SessionsAreRekeyed) {
  World world(1);
  Outage pair(world, true, 1'000'000);
  ASSERT_TRUE(pair.begin());
  world.run_for(300s);  // twice
  pair.finish();
}

}  // namespace
}  // namespace wormhole::sim
