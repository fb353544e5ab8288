// Candidates, their validation, and which path is chosen.
#include "wormhole/path/path_set.hpp"

#include "unit/path/pair.hpp"

namespace wormhole::path_test {
namespace {

template <typename T>
std::vector<T> only(const std::vector<PathAction>& actions) {
  std::vector<T> found;
  for (const PathAction& action : actions) {
    if (const auto* it = std::get_if<T>(&action)) found.push_back(*it);
  }
  return found;
}

/// One end alone; the test is its peer.
class PathSetTest : public testing::Test {
 protected:
  /// What is told until `time` has passed.
  std::vector<PathAction> run(Duration time) {
    std::vector<PathAction> all;
    const TimePoint until = now + time;
    while (set.next_deadline() <= until) {
      now = std::max(now, set.next_deadline());
      set.on_timeout(now, all);
      EXPECT_GT(set.next_deadline(), now);
    }
    now = until;
    return all;
  }
  void answer(const SendChallenge& challenge) {
    set.on_response(challenge.path, challenge.token, now, actions);
  }
  PathAddress validate(std::uint16_t number, Strategy strategy = Strategy::kCone,
                       Duration rtt = 10ms) {
    const PathAddress path{SocketNo{number}, place(1, number)};
    EXPECT_TRUE(set.add_candidate(path, strategy, now));
    for (const auto& challenge : only<SendChallenge>(run(0s))) {
      if (challenge.path != path) continue;
      now += rtt;
      answer(challenge);
    }
    return path;
  }

  SeededRng rng{7};
  PathSet set{rng};
  TimePoint now = kStart;
  std::vector<PathAction> actions;
  const PathAddress main{SocketNo{0}, place(1, 0)};
};

TEST_F(PathSetTest, ACandidateIsChallengedAtOnceSixTimesAndThenGone) {
  set.on_session(now, actions);
  ASSERT_TRUE(set.add_candidate(main, Strategy::kCone, now));
  EXPECT_EQ(set.next_deadline(), now);
  EXPECT_EQ(only<SendChallenge>(run(0s)).size(), 1U);
  EXPECT_EQ(only<SendChallenge>(run(1500ms)).size(), 5U);
  EXPECT_EQ(set.size(), 1U);
  EXPECT_TRUE(run(10s).empty());
  EXPECT_EQ(set.size(), 0U);
  EXPECT_EQ(set.next_deadline(), kNever);
}

TEST_F(PathSetTest, NothingGoesByAPathThatHasNotAnswered) {
  set.on_session(now, actions);
  set.add_candidate(main, Strategy::kCone, now);
  set.on_heard(main, Heard::kUse, now);
  run(0s);
  EXPECT_EQ(set.way(now), Way::kRelay);
  EXPECT_EQ(set.in_use(), nullptr);
}

TEST_F(PathSetTest, AnAnswerMakesThePath) {
  set.on_session(now, actions);
  set.add_candidate(main, Strategy::kBirthday, now);
  const auto challenges = only<SendChallenge>(run(0s));
  ASSERT_EQ(challenges.size(), 1U);
  now += 30ms;
  answer(challenges.front());
  const auto ups = only<PathUp>(actions);
  ASSERT_EQ(ups.size(), 1U);
  EXPECT_EQ(ups.front().path, main);
  EXPECT_EQ(ups.front().strategy, Strategy::kBirthday);
  EXPECT_EQ(set.way(now), Way::kDirect);
  EXPECT_EQ(*set.in_use(), main);
  EXPECT_EQ(set.rtt(), Duration{30ms});
  answer(challenges.front());  // once only
  EXPECT_EQ(only<PathUp>(actions).size(), 1U);
}

TEST_F(PathSetTest, AnAnswerCountsByItsOwnPathAlone) {
  set.on_session(now, actions);
  set.add_candidate(main, Strategy::kCone, now);
  const auto challenge = only<SendChallenge>(run(0s)).at(0);
  const PathAddress other_port{main.socket, place(1, 9)};
  const PathAddress other_socket{SocketNo{1}, main.remote};
  set.on_response(other_port, challenge.token, now, actions);
  set.on_response(other_socket, challenge.token, now, actions);
  set.on_response(main, challenge.token + 1, now, actions);
  EXPECT_TRUE(actions.empty());
  set.add_candidate(other_port, Strategy::kCone, now);
  run(0s);
  set.on_response(other_port, challenge.token, now, actions);
  EXPECT_TRUE(actions.empty());
  EXPECT_EQ(set.way(now), Way::kRelay);
}

TEST_F(PathSetTest, AnAnswerToAnEarlierTryCounts) {
  set.on_session(now, actions);
  set.add_candidate(main, Strategy::kCone, now);
  const auto challenges = only<SendChallenge>(run(600ms));
  ASSERT_GE(challenges.size(), 3U);
  answer(challenges.front());
  EXPECT_EQ(set.rtt(), Duration{600ms});
}

TEST_F(PathSetTest, CandidatesWaitForTheSessionForTenSeconds) {
  set.add_candidate(main, Strategy::kCone, now);
  EXPECT_TRUE(run(9s).empty());
  set.on_session(now, actions);
  EXPECT_EQ(only<SendChallenge>(actions).size(), 1U);
}

TEST_F(PathSetTest, WithoutASessionCandidatesGoAndSaySo) {
  set.add_candidate({kFirstExtraSocket, place(1, 1)}, Strategy::kCone, now);
  EXPECT_EQ(only<SocketUnused>(run(10s)).size(), 1U);
  EXPECT_EQ(set.size(), 0U);
}

TEST_F(PathSetTest, FourNewOnesASecondAndEightInAll) {
  set.on_session(now, actions);
  for (std::uint16_t i = 0; i < 6; ++i) {
    EXPECT_EQ(set.add_candidate({SocketNo{0}, place(1, i)}, Strategy::kCone, now), i < 4);
  }
  EXPECT_EQ(set.drops().too_many, 2U);
  now += 1s;
  for (std::uint16_t i = 10; i < 14; ++i) {
    EXPECT_TRUE(set.add_candidate({SocketNo{0}, place(1, i)}, Strategy::kCone, now));
  }
  now += 1s;
  EXPECT_FALSE(set.add_candidate({SocketNo{0}, place(1, 20)}, Strategy::kCone, now));
  EXPECT_TRUE(set.add_candidate({SocketNo{0}, place(1, 10)}, Strategy::kCone, now)) << "known";
  EXPECT_EQ(set.size(), PathSet::kMostPaths);
}

TEST_F(PathSetTest, TheFirstFrameFromThePeerGivesACandidateNewTries) {
  set.on_session(now, actions);
  set.add_candidate(main, Strategy::kCone, now);
  run(2400ms);  // all tries died at the peer's filter
  set.on_heard(main, Heard::kProof, now);
  EXPECT_EQ(set.next_deadline(), now);
  EXPECT_EQ(only<SendChallenge>(run(1500ms)).size(), 6U);
  set.on_heard(main, Heard::kProof, now);  // only once: nobody may make us send for ever
  EXPECT_EQ(only<SendChallenge>(run(5s)).size(), 0U);
}

TEST_F(PathSetTest, ExtraSocketsAreGivenBackOnce) {
  const SocketNo extra{0x200};
  set.on_session(now, actions);
  set.add_candidate({extra, place(1, 1)}, Strategy::kBirthday, now);
  run(200ms);
  set.add_candidate({extra, place(1, 2)}, Strategy::kBirthday, now);
  set.add_candidate(main, Strategy::kCone, now);
  EXPECT_TRUE(only<SocketUnused>(run(2300ms)).empty()) << "the other path still has it";
  const auto unused = only<SocketUnused>(run(1s));
  ASSERT_EQ(unused.size(), 1U);
  EXPECT_EQ(unused.front().socket, extra);
}

TEST_F(PathSetTest, ClearTellsOfAllAndAsksForANewSession) {
  set.on_session(now, actions);
  validate(0x200);
  validate(0x201);
  actions.clear();
  set.clear("drone3 is gone", actions);
  ASSERT_EQ(only<PathDown>(actions).size(), 1U);
  EXPECT_EQ(only<PathDown>(actions).front().reason, "drone3 is gone");
  EXPECT_EQ(only<SocketUnused>(actions).size(), 2U);
  EXPECT_EQ(set.way(now), Way::kRelay);
  EXPECT_EQ(set.next_deadline(), kNever);
  now += 2s;
  set.add_candidate(main, Strategy::kCone, now);
  EXPECT_TRUE(only<SendChallenge>(run(1s)).empty());
  actions.clear();
  set.on_session(now, actions);
  EXPECT_EQ(only<SendChallenge>(actions).size(), 1U);
}

TEST(PathScores, KindFirstThenRoundTripButOnlyAMarginMovesALivePath) {
  const auto reachable = path_score(Strategy::kDirect, 200ms);
  const auto punched = path_score(Strategy::kCone, 20ms);
  EXPECT_LT(reachable, punched);
  EXPECT_FALSE(much_better(reachable, punched));
  EXPECT_FALSE(much_better(punched, reachable));
  EXPECT_LT(path_score(Strategy::kCone, 15ms), punched);
  EXPECT_FALSE(much_better(path_score(Strategy::kCone, 15ms), punched));
  EXPECT_TRUE(much_better(punched, path_score(Strategy::kCone, 100ms)));
  EXPECT_TRUE(much_better(punched, path_score(Strategy::kCone, std::nullopt)));
}

TEST(PathChoice, BothEndsUseOnePathWhicheverAnsweredFirst) {
  Pair pair;
  // The first answer comes by path 1 at one end and by path 2 at the other.
  pair.link(1) = {Link{10ms}, Link{10ms}};
  pair.link(2) = {Link{10ms}, Link{10ms}};
  pair.session();
  pair.set(0).add_candidate(address(0, 1), Strategy::kCone, pair.now());
  pair.set(1).add_candidate(address(1, 2), Strategy::kCone, pair.now());
  pair.run(2s);
  ASSERT_NE(pair.set(0).in_use(), nullptr);
  EXPECT_EQ(*pair.set(0).in_use(), address(0, 1));
  EXPECT_EQ(*pair.set(1).in_use(), address(1, 1));
  EXPECT_EQ(pair.set(0).way(pair.now()), Way::kDirect);
  EXPECT_EQ(pair.set(1).way(pair.now()), Way::kDirect);
}

TEST(PathChoice, AMuchShorterPathTakesOverAfterFiveSecondsWithoutLoss) {
  Pair pair;
  pair.open(1, {100ms});
  pair.run(2s, 10ms);
  pair.open(2, {10ms});
  pair.run(4s, 10ms);
  EXPECT_EQ(*pair.set(0).in_use(), address(0, 1));
  pair.run(5s, 10ms);
  for (const std::size_t i : {0U, 1U}) {
    EXPECT_EQ(*pair.set(i).in_use(), address(i, 2));
    EXPECT_EQ(pair.end(i).ups.size(), 2U);
    EXPECT_EQ(pair.end(i).downs.size(), 1U);
    EXPECT_LE(pair.end(i).longest_gap, 150ms);
  }
}

TEST(PathChoice, ASlightlyBetterPathMovesNothing) {
  Pair pair;
  pair.open(1, {20ms});
  pair.run(2s);
  pair.open(2, {12ms});
  pair.run(10min, 1s);
  EXPECT_EQ(*pair.set(0).in_use(), address(0, 1));
  EXPECT_EQ(*pair.set(1).in_use(), address(1, 1));
  EXPECT_EQ(pair.end(0).ups.size() + pair.end(1).ups.size(), 2U);
}

TEST(PathChoice, OneStandbyStaysTheOthersAreClosed) {
  Pair pair;
  pair.open(0x201, {10ms});
  pair.open(0x202, {12ms});
  pair.open(0x203, {50ms});
  pair.run(3s);
  EXPECT_EQ(pair.set(0).size(), 3U);
  pair.run(4s);
  EXPECT_EQ(pair.set(0).size(), 2U);
  ASSERT_EQ(pair.end(0).unused.size(), 1U);
  EXPECT_EQ(pair.end(0).unused.front(), SocketNo{0x203});
}

TEST(PathChoice, TheStandbyTakesOverFromADeadPath) {
  Pair pair;
  pair.open(1, {10ms});
  pair.open(2, {12ms});
  pair.run(10s, 10ms);
  pair.cut(1);
  pair.run(3s, 10ms);
  for (const std::size_t i : {0U, 1U}) {
    EXPECT_EQ(*pair.set(i).in_use(), address(i, 2));
    EXPECT_EQ(pair.set(i).way(pair.now()), Way::kDirect);
    EXPECT_LE(pair.end(i).longest_gap, 700ms);
  }
}

// A forwarder hands on what it sees from another address; its path even answers challenges, as
// both ends do so by it. The old path lives, so nothing moves.
TEST(PathChoice, AForwarderMovesNothingWhileTheOldPathLives) {
  for (const bool traffic : {false, true}) {
    Pair pair;
    pair.open(1, {20ms});
    pair.run(2s);
    pair.link(66) = {Link{19ms}, Link{19ms}};
    // Each copy is there before the original.
    pair.tap = [&pair](std::size_t from, std::uint16_t path, Heard what) {
      if (path != 1) return;
      pair.set(1 - from).add_candidate(address(1 - from, 66), Strategy::kDirect, pair.now());
      pair.set(1 - from).on_heard(address(1 - from, 66), what, pair.now());
    };
    pair.run(5min, traffic ? 20ms : 0s);
    for (const std::size_t i : {0U, 1U}) {
      EXPECT_EQ(*pair.set(i).in_use(), address(i, 1));
      EXPECT_EQ(pair.end(i).ups.size(), 1U);
      EXPECT_GE(pair.set(i).size(), 2U) << "the forwarder's path was not even valid";
    }
  }
}

}  // namespace
}  // namespace wormhole::path_test
