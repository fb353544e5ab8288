// The path in use: silence, doubt, death, idle times.
#include "unit/path/pair.hpp"

namespace wormhole::path_test {
namespace {

class PathLife : public testing::Test {
 protected:
  void SetUp() override {
    pair.open(1);
    pair.run(2s);
    for (const std::size_t i : {0U, 1U}) ASSERT_EQ(way(i), Way::kDirect);
  }
  Way way(std::size_t i) { return pair.set(i).way(pair.now()); }
  /// Challenges and keepalives of both ends.
  std::size_t frames() {
    std::size_t sum = 0;
    for (const std::size_t i : {0U, 1U}) sum += pair.end(i).keepalives + pair.end(i).challenges;
    return sum;
  }
  Pair pair;
};

TEST_F(PathLife, KeepalivesGoEvery250MsUnlessSomethingElseDoes) {
  const std::size_t before = pair.end(0).keepalives;
  pair.run(10s);
  EXPECT_NEAR(static_cast<double>(pair.end(0).keepalives - before), 40, 1);
  const std::size_t quiet = pair.end(0).keepalives;
  pair.run(10s, 100ms);
  EXPECT_EQ(pair.end(0).keepalives, quiet);
}

TEST_F(PathLife, AfterACutPacketsGoBothWaysAt400MsAndByTheRelayAt1S) {
  const TimePoint cut_at = pair.now();
  pair.cut(1);
  TimePoint both = kNever;
  TimePoint relay = kNever;
  while (pair.now() < cut_at + 2s) {
    pair.run(1ms);
    if (way(0) == Way::kBoth) both = std::min(both, pair.now());
    if (way(0) == Way::kRelay) relay = std::min(relay, pair.now());
  }
  EXPECT_LE(both - cut_at, 420ms);
  EXPECT_LE(relay - cut_at, 1020ms);
  EXPECT_GE(relay - both, 590ms);
  ASSERT_EQ(pair.end(0).downs.size(), 1U);
  EXPECT_NE(pair.end(0).downs.front().second.find("nothing was heard by it for 1"),
            std::string::npos)
      << pair.end(0).downs.front().second;
  EXPECT_EQ(pair.end(0).silents.size(), 3U);  // at 400, 600, 800 ms
}

TEST_F(PathLife, ChallengesGoEvery50MsWhileItIsSilent) {
  pair.run(1s, 10ms);
  pair.cut(1);
  const std::size_t before = pair.end(0).challenges;
  pair.run(950ms);
  EXPECT_NEAR(static_cast<double>(pair.end(0).challenges - before), 11, 1);
}

TEST_F(PathLife, TheApplicationsGapIsShortHoweverThePathIsCut) {
  for (const bool both : {false, true}) {
    Pair cut_pair;
    cut_pair.open(1);
    cut_pair.run(3s, 5ms);
    cut_pair.cut(1, both);
    cut_pair.run(3s, 5ms);
    for (const std::size_t i : {0U, 1U}) {
      EXPECT_LE(cut_pair.end(i).longest_gap, 500ms) << "both " << both;
      EXPECT_EQ(cut_pair.end(i).downs.size(), 1U) << "both " << both;
      EXPECT_EQ(cut_pair.set(i).way(cut_pair.now()), Way::kRelay);
    }
  }
}

TEST_F(PathLife, ACutInOneDirectionIsToldByThePeer) {
  pair.cut(1, false);  // from end 0 to end 1
  pair.run(2s);
  ASSERT_EQ(pair.end(0).downs.size(), 1U);
  EXPECT_EQ(pair.end(0).downs.front().second, "the peer hears nothing by it");
  EXPECT_LE(pair.end(0).downs.front().first - kStart, 2s + 1500ms);
}

TEST_F(PathLife, AShortCutEndsNothing) {
  pair.cut(1);
  pair.run(600ms);
  EXPECT_EQ(way(0), Way::kBoth);
  pair.link(1) = {Link{}, Link{}};
  pair.run(100ms);
  EXPECT_EQ(way(0), Way::kDirect);
  EXPECT_EQ(way(1), Way::kDirect);
  EXPECT_TRUE(pair.end(0).downs.empty());
}

TEST_F(PathLife, CopiesThatArriveByThePathProveNothing) {
  pair.cut(1);
  pair.run(500ms);
  ASSERT_EQ(way(0), Way::kBoth);
  pair.run(600ms, 5ms);  // each end still receives by the relay
  EXPECT_EQ(way(0), Way::kRelay);
}

TEST_F(PathLife, AfterANetworkChangeThePathProvesItselfAtOnce) {
  std::vector<PathAction> actions;
  pair.set(0).suspect(pair.now(), actions);
  EXPECT_EQ(way(0), Way::kBoth);
  ASSERT_FALSE(actions.empty());
  const auto* challenge = std::get_if<SendChallenge>(&actions.front());
  ASSERT_NE(challenge, nullptr);
  pair.run(100ms);
  EXPECT_EQ(way(0), Way::kDirect);
  pair.cut(1, false);
  pair.set(0).suspect(pair.now(), actions);
  pair.run(1s);
  EXPECT_EQ(way(0), Way::kRelay);
}

TEST_F(PathLife, AnIdlePathIsKeptWithAChallengeEach15S) {
  pair.run(70s);
  const std::size_t before = frames();
  pair.run(10min);
  EXPECT_NEAR(static_cast<double>(frames() - before), 80, 2);
  EXPECT_EQ(way(0), Way::kDirect);
  EXPECT_TRUE(pair.end(0).silents.empty());
  EXPECT_TRUE(pair.end(1).silents.empty());
}

TEST_F(PathLife, TheMappingsLifetimeBoundsTheIdleInterval) {
  for (const auto& [lifetime, interval] : {std::pair{10s, 7.0}, std::pair{300s, 25.0}}) {
    PathSettings settings;
    settings.mapping_lifetime = lifetime;
    pair.settings(settings);
    pair.run(100s);
    const std::size_t before = frames();
    pair.run(20min);
    EXPECT_NEAR(static_cast<double>(frames() - before), 2 * 1200 / interval, 4);
  }
}

TEST_F(PathLife, StrictKeepalivesNeverStretch) {
  PathSettings settings;
  settings.strict_keepalive = true;
  pair.settings(settings);
  pair.run(5min);
  const std::size_t before = pair.end(0).keepalives;
  pair.run(10s);
  EXPECT_NEAR(static_cast<double>(pair.end(0).keepalives - before), 40, 1);
}

TEST_F(PathLife, AnIdlePathThatDiesIsNoticedWithinOneInterval) {
  pair.run(100s);
  pair.cut(1);
  pair.run(17s);
  for (const std::size_t i : {0U, 1U}) {
    EXPECT_EQ(way(i), Way::kRelay);
    ASSERT_EQ(pair.end(i).downs.size(), 1U);
  }
}

TEST_F(PathLife, TheFirstPacketsAfterAnIdleTimeGoBothWaysUntilThePathAnswers) {
  pair.run(100s);
  const std::size_t challenges = pair.end(0).challenges;
  pair.set(0).on_traffic(pair.now());
  EXPECT_EQ(way(0), Way::kBoth);
  EXPECT_LE(pair.set(0).next_deadline(), pair.now());
  pair.run(30ms);
  EXPECT_GE(pair.end(0).challenges, challenges + 1);
  EXPECT_EQ(way(0), Way::kDirect);
}

TEST_F(PathLife, APacketAfterAnIdleTimeIsNotLostWhenThePathHasDied) {
  pair.run(100s);
  pair.cut(1);
  const std::size_t before = pair.end(1).received;
  pair.run(500ms, 10ms);
  EXPECT_GE(pair.end(1).received - before, 45U);
}

TEST_F(PathLife, EndsThatDisagreeAboutTheLastPacketDoNotFallBack) {
  // The peer never saw the last packet: it falls silent earlier than is expected of it.
  pair.run(45s);
  pair.set(0).on_traffic(pair.now());
  pair.run(5min);
  EXPECT_TRUE(pair.end(0).downs.empty());
  EXPECT_TRUE(pair.end(1).downs.empty());
  EXPECT_LE(pair.end(0).silents.size(), 2U) << "told once, the peer sends again";
}

TEST_F(PathLife, LongWaysGetMoreTimeAndNoFalseAlarm) {
  Pair far;
  far.open(1, Link{600ms, 100ms});  // 1.2 s of round trip and more
  far.run(10s);
  EXPECT_EQ(far.set(0).way(far.now()), Way::kDirect);
  far.run(30min, 10s);
  EXPECT_TRUE(far.end(0).downs.empty());
  const TimePoint cut_at = far.now();
  far.cut(1);
  far.run(10s);
  ASSERT_EQ(far.end(0).downs.size(), 1U);
  EXPECT_LE(far.end(0).downs.front().first - cut_at, 600ms + 4500ms);
}

}  // namespace
}  // namespace wormhole::path_test
