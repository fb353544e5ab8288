// Everything at once: hundreds of streams a seed, paths that change and vanish, resets, slow
// readers. WORMHOLE_SEEDS=17 makes it 30,000 streams (see sim/seeds.hpp).
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>

#include "sim/seeds.hpp"
#include "unit/stream/rig.hpp"

namespace wormhole::stream_test {
namespace {

/// Opens streams at both ends for a while and disturbs them; then waits for what is left.
class Soak {
 public:
  explicit Soak(std::uint64_t seed) : rig_(seed), rng_(seed + 1000) {
    rig_.on_opened = [this](int, StreamId, Talk& talk) { choose(talk); };
  }

  void run() {
    ASSERT_TRUE(rig_.connect());
    begin_streams();
    disturb_path();
    read_slowly();
    rig_.run_for(60s);
    busy_ = false;
    rig_.run_for(10s);  // the last disturbance is over
    rig_.set_way({.delay = 10ms, .bits_per_second = 100'000'000});
    rig_.path_back();
    EXPECT_TRUE(rig_.run_until([this] { return is_clean(); }, 120s));
    check();
    rig_.run_for(10s);  // the longest backoff of an acknowledgement of nothing
    for (int side = 0; side < 2; ++side) EXPECT_EQ(rig_.end(side).next_deadline(), kNever);
  }
  std::size_t opened() const { return opened_; }

 private:
  void choose(Talk& talk) {
    talk.to_write = rng_.below(10) == 0 ? rng_.below(1'000'000) : rng_.below(40'000);
    talk.reads = rng_.below(10) != 0;
  }

  void begin_streams() {
    if (!busy_) return;
    for (std::uint32_t count = rng_.below(4); count > 0; --count) begin_stream();
    rig_.after(std::chrono::milliseconds(20 + rng_.below(200)), [this] { begin_streams(); });
  }

  void begin_stream() {
    Talk plan;
    choose(plan);
    const int side = static_cast<int>(rng_.below(2));
    const StreamId stream = rig_.start(side, plan.to_write);
    rig_.talk(side, stream).reads = plan.reads;
    ++opened_;
    if (rng_.below(8) > 0) return;
    const int who = static_cast<int>(rng_.below(2));
    rig_.after(std::chrono::milliseconds(rng_.below(500)), [this, who, stream] {
      given_up_.push_back(stream);
      rig_.end(who).reset(stream, 5);
      rig_.service(who);
    });
  }

  void disturb_path() {
    if (!busy_) return;
    constexpr std::array<double, 4> kLosses{0, 0, 0.01, 0.05};
    Way way{.delay = std::chrono::milliseconds(1 + rng_.below(100)),
            .loss = kLosses[rng_.below(4)],
            .duplicate = rng_.below(2) * 0.01,
            .reorder = rng_.below(2) * 0.05,
            .bits_per_second = rng_.below(2) == 0 ? 20'000'000u : 100'000'000u};
    way.up = rng_.below(5) > 0;
    rig_.set_way(way);
    if (way.up) notice_path();
    rig_.after(std::chrono::milliseconds(200 + rng_.below(6'000)), [this] { disturb_path(); });
  }

  /// Both ends hear of it at their own time, as a path that is back or as another.
  void notice_path() {
    const bool other = rng_.below(2) == 0;
    for (int side = 0; side < 2; ++side) {
      rig_.after(std::chrono::milliseconds(rng_.below(300)), [this, side, other] {
        other ? rig_.end(side).on_path_change() : rig_.end(side).on_path_back();
        rig_.service(side);
      });
    }
  }

  void read_slowly() {
    for (int side = 0; side < 2; ++side) {
      for (auto& [id, talk] : rig_.talks[static_cast<std::size_t>(side)]) {
        if (!talk.reads && !talk.closed) rig_.read(side, StreamId{id}, 20'000);
      }
    }
    rig_.after(50ms, [this] { read_slowly(); });
  }

  bool is_clean() {
    return std::ranges::all_of(std::array{0, 1}, [this](int side) {
      const StreamStatistics now = rig_.end(side).statistics();
      return now.open + now.send_memory + now.receive_memory == 0;
    });
  }

  void check() {
    EXPECT_GT(opened_, 400u);
    EXPECT_EQ(rig_.end(0).state(), StreamState::kUp);
    std::size_t whole = 0;
    for (int side = 0; side < 2; ++side) {
      for (const auto& [id, talk] : rig_.talks[static_cast<std::size_t>(side)]) {
        ASSERT_FALSE(talk.corrupt) << id;
        if (std::ranges::count(given_up_, StreamId{id}) > 0) continue;
        ASSERT_FALSE(talk.reset) << id;
        ASSERT_TRUE(talk.ended) << id;
        ASSERT_EQ(talk.read, rig_.talk(1 - side, StreamId{id}).to_write) << id;
        ++whole;
      }
    }
    EXPECT_GT(whole, opened_);  // both directions of most
  }

  Rig rig_;
  SeededRng rng_;
  bool busy_ = true;
  std::size_t opened_ = 0;
  std::vector<StreamId> given_up_;
};

TEST(StreamSoak, NothingIsCorruptAndNothingIsLeft) {
  std::size_t opened = 0;
  for (const std::uint64_t seed : sim::seeds(4)) {
    SCOPED_TRACE(seed);
    Soak soak(seed);
    soak.run();
    if (HasFailure()) return;
    opened += soak.opened();
  }
  std::printf("[ soak     ] %zu streams\n", opened);
}

}  // namespace
}  // namespace wormhole::stream_test
