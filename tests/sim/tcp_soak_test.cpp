// Everything at once: connections that come and go while paths change, vanish, lose and reorder,
// and applications reset and read slowly. Nothing may be corrupt, and nothing may be left.
#include <algorithm>

#include "sim/chance.hpp"
#include "sim/tcp_rig.hpp"

namespace wormhole::sim {
namespace {

constexpr Duration kBusy = 60s;
constexpr std::size_t kStreamsASeed = 600;

class Soak {
 public:
  explicit Soak(World& world) : world_(world), rig_(world, options()) {}

  void run() {
    ASSERT_TRUE(rig_.start());
    world_.every(kBusy / kStreamsASeed, [this] {
      if (busy_) begin();
      return busy_;
    });
    world_.every(1500ms, [this] {
      if (busy_) disturb();
      return busy_;
    });
    world_.every(50ms, [this] {
      read_slowly();
      return true;
    });
    world_.run_for(kBusy);
    busy_ = false;
    calm();
    EXPECT_TRUE(world_.run_until([this] { return all_over(); }, 180s)) << left();
    world_.run_for(5s);
    check();
  }
  std::size_t begun() const { return conversations_.size(); }
  std::size_t whole() const { return whole_; }
  std::size_t refused() const { return refused_; }

 private:
  struct Conversation {
    std::uint64_t number = 0;
    std::string from;
    std::string to;
    bool given_up = false;
    bool slow = false;
  };

  static StageOptions options() {
    StageOptions made;
    made.link = {.delay = 10ms, .bits_per_second = 50'000'000};
    auto flow = tcp_flow("talk", 7000, {"drone3"}, {"gcs4"});
    flow.routes.front().kind = Route::Kind::kBetween;
    made.more_flows = {flow};
    return made;
  }

  std::size_t size() {
    return TcpHost::kHello +
           (world_.rng().below(20) == 0 ? world_.rng().below(500'000) : world_.rng().below(20'000));
  }

  void begin() {
    const bool up = world_.rng().below(2) == 0;
    Conversation made{0, up ? "gcs4" : "drone3", up ? "drone3" : "gcs4"};
    made.number = rig_.talk(made.from, "talk", size(), size());
    made.slow = world_.rng().below(10) == 0;
    made.given_up = world_.rng().below(8) == 0;
    auto* talk = rig_.dialler(made.number);
    if (talk != nullptr) talk->reads = !made.slow;
    conversations_.push_back(made);
    if (!made.given_up) return;
    world_.after(up_to(world_.rng(), 500ms), [this, made, near = world_.rng().below(2) == 0] {
      auto* gone = near ? rig_.dialler(made.number) : rig_.server(made.number, made.to);
      if (gone != nullptr) rig_.stage.client(near ? made.from : made.to).tcp().reset(*gone);
    });
  }

  void disturb() {
    auto& rng = world_.rng();
    const std::string who = rng.below(2) == 0 ? "drone3" : "gcs4";
    auto& host = rig_.stage.client(who).host();
    switch (rng.below(6)) {
      case 0:
        rig_.set_up(who, false);
        world_.after(up_to(rng, 5s), [this, who] { rig_.set_up(who, true); });
        break;
      case 1:
        rig_.stage.nat_of(who)->forget_mappings();
        break;
      case 2:
        rig_.stage.nat_of(who)->set_external(
            IpAddress::v4(192, 0, 2, static_cast<std::uint8_t>(100 + rng.below(100))));
        break;
      case 3:
      case 4:
        for (auto* link : {&host.up, &host.down}) {
          link->profile.loss = rng.below(2) * 0.02;
          link->profile.reorder = rng.below(2) * 0.05;
          link->profile.reorder_by = 5ms;
          link->profile.duplicate = rng.below(2) * 0.01;
          link->profile.delay = 5ms + up_to(rng, 60ms);
        }
        break;
      default:
        rig_.stage.server().kill();
        world_.after(up_to(rng, 2s), [this] { rig_.stage.server().start(); });
        world_.after(2s, [] {});
    }
  }

  void calm() {
    world_.run_for(6s);  // the last disturbance ends by itself
    for (const char* who : {"drone3", "gcs4"}) {
      auto& host = rig_.stage.client(who).host();
      host.up.profile = host.down.profile = {.delay = 10ms, .bits_per_second = 50'000'000};
    }
  }

  void read_slowly() {
    for (const char* who : {"drone3", "gcs4"}) {
      auto& tcp = rig_.stage.client(who).tcp();
      for (auto& [number, talk] : tcp.talks) {
        if (!talk.reads && !talk.is_over()) tcp.read_some(talk, 3'000);
      }
    }
  }

  bool all_over() {
    return std::all_of(conversations_.begin(), conversations_.end(),
                       [this](const auto& one) { return rig_.is_over(one.number, one.to); });
  }

  std::string left() {
    std::string text;
    for (const auto& one : conversations_) {
      if (rig_.is_over(one.number, one.to)) continue;
      text += std::to_string(one.number) + (one.given_up ? " given up" : "") +
              (one.slow ? " slow" : "") + "; ";
    }
    return text;
  }

  void check() {
    for (const auto& one : conversations_) {
      if (one.given_up) continue;
      const auto* near = rig_.dialler(one.number);
      if ((near == nullptr || near->reset) && rig_.server(one.number, one.to) == nullptr) {
        ++refused_;  // the peer was offline
        continue;
      }
      EXPECT_TRUE(rig_.is_whole(one.number, one.to)) << one.number << " from " << one.from;
      ++whole_;
    }
    EXPECT_EQ(rig_.open_streams("gcs4") + rig_.open_streams("drone3"), 0U);
    for (const char* who : {"drone3", "gcs4"}) {
      for (const auto& flow : rig_.stage.client(who).status().flows) {
        if (!flow.tcp) continue;
        EXPECT_EQ(flow.tcp->open, 0U) << who;
      }
    }
  }

  World& world_;
  TcpRig rig_;
  bool busy_ = true;
  std::vector<Conversation> conversations_;
  std::size_t whole_ = 0;
  std::size_t refused_ = 0;
};

TEST(TcpSoak, NothingIsCorruptAndNothingIsLeft) {
  std::size_t begun = 0;
  std::size_t whole = 0;
  std::size_t refused = 0;
  for_each_seed(4, [&](World& world) {
    Soak soak(world);
    soak.run();
    begun += soak.begun();
    whole += soak.whole();
    refused += soak.refused();
  });
  std::printf("[ sim      ] %zu connections: %zu whole, %zu refused (offline), the others reset\n",
              begun, whole, refused);
  EXPECT_GT(whole, begun / 2);
}

}  // namespace
}  // namespace wormhole::sim
