// The judge and the clock are judged first.
#include "sim/world.hpp"

#include <gtest/gtest.h>

namespace wormhole::sim {
namespace {

const Endpoint kApplication{IpAddress::v4(127, 0, 0, 1), 5600};

wormhole::Network one_way_network() {
  wormhole::Network network;
  network.clients = {{"a", {}}, {"b", {}}, {"c", {}}};
  Flow flow;
  flow.name = "video";
  flow.routes.push_back({Route::Kind::kFromTo, {"a"}, {"b"}, {}});
  network.flows = {flow};
  flow.name = "other";
  network.flows.push_back(flow);
  return network;
}

struct LedgerTest : testing::Test {
  LedgerTest() { ledger.set_network(one_way_network(), now); }
  bool fine(const std::string& to, const std::string& flow, Bytes bytes) {
    return !ledger.deliver(to, flow, kApplication, bytes, now);
  }
  TimePoint now{1h};
  Ledger ledger;
};

TEST_F(LedgerTest, OneExactDeliveryToAMemberIsFine) {
  const auto payload = ledger.make("a", "video", 100, now);
  EXPECT_TRUE(fine("b", "video", payload));
  EXPECT_EQ(ledger.delivered("a", "video"), 1U);
}

TEST_F(LedgerTest, EverythingElseIsAViolation) {
  const auto payload = ledger.make("a", "video", 100, now);
  auto altered = payload;
  altered[50] ^= 1;
  EXPECT_FALSE(fine("b", "video", altered));
  EXPECT_FALSE(fine("b", "video", Bytes(payload).first(99)));
  EXPECT_FALSE(fine("b", "video", Bytes(payload).first(4)));
  EXPECT_FALSE(fine("b", "other", payload));
  EXPECT_FALSE(fine("c", "video", payload));
  EXPECT_FALSE(fine("a", "video", payload));
  EXPECT_FALSE(fine("a", "video", ledger.make("b", "video", 100, now)));  // against the direction
  EXPECT_TRUE(fine("b", "video", payload));
  EXPECT_FALSE(fine("b", "video", payload));  // twice
}

TEST_F(LedgerTest, APermissionThatIsTakenAwayHoldsForWhatIsUnderWay) {
  const auto first = ledger.make("a", "video", 100, now);
  const auto second = ledger.make("a", "video", 100, now);
  ledger.set_network({}, now);
  now += 1s;
  EXPECT_TRUE(fine("b", "video", first));
  now += 1ms;
  EXPECT_FALSE(fine("b", "video", second));
}

/// Wakes up every `interval`; with 0, always again at once.
struct Ticker final : Node {
  Ticker(World& world, Duration every)
      : Node(world, "ticker"), interval(every), next(world.now()) {}
  TimePoint next_deadline() const override { return next; }
  void on_timeout() override {
    next = world_.now() + interval;
    ++ticks;
  }
  void check_bounds() override { ++checks; }
  Duration interval;
  TimePoint next;
  int ticks = 0;
  int checks = 0;
};

TEST(World, JumpsFromDeadlineToDeadline) {
  World world(1);
  Ticker ticker(world, 100ms);
  const auto begin = world.now();
  world.run_for(10s);
  EXPECT_EQ(world.now() - begin, 10s);
  EXPECT_EQ(ticker.ticks, 101);
  EXPECT_GE(ticker.checks, 9);
  EXPECT_TRUE(world.ok());
}

TEST(World, FindsABusyLoop) {
  World world(1);
  const Ticker ticker(world, 0s);
  world.run_for(1s);
  EXPECT_FALSE(world.ok());
  EXPECT_NE(world.report().find("busy loop"), std::string::npos);
  EXPECT_NE(world.report().find("WORMHOLE_SEED=1"), std::string::npos);
}

TEST(World, EventsAndConditions) {
  World world(1);
  int runs = 0;
  world.every(10ms, [&] { return ++runs < 5; });
  EXPECT_TRUE(world.run_until([&] { return runs == 3; }, 1s));
  EXPECT_EQ(world.age(), 30ms);
  EXPECT_FALSE(world.run_until([&] { return runs == 6; }, 1s));
  EXPECT_EQ(runs, 5);
}

}  // namespace
}  // namespace wormhole::sim
