#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <set>

#include "wormhole/base/rng.hpp"
#include "wormhole/crypto/seal.hpp"

namespace wormhole {
namespace {

constexpr auto kSize = ReplayWindow::kSize;
constexpr auto kLast = std::numeric_limits<std::uint64_t>::max();

TEST(ReplayWindow, TakesEachCounterOnceFromZero) {
  ReplayWindow window;
  EXPECT_EQ(window.highest(), 0U);
  for (std::uint64_t i = 0; i < 3 * kSize; ++i) {
    ASSERT_TRUE(window.check(i));
    ASSERT_TRUE(window.commit(i));
    ASSERT_FALSE(window.check(i));
    ASSERT_FALSE(window.commit(i));
    ASSERT_EQ(window.highest(), i);
  }
}

TEST(ReplayWindow, CheckingChangesNothing) {
  ReplayWindow window;
  EXPECT_TRUE(window.check(kLast));
  EXPECT_TRUE(window.check(kLast));
  EXPECT_EQ(window.highest(), 0U);
  EXPECT_TRUE(window.commit(0));
}

/// The highest counter stands at every position within its word: the edge is always the same.
TEST(ReplayWindow, IsExactlyItsSizeWideAtEveryPosition) {
  for (std::uint64_t top = 4 * kSize; top < 4 * kSize + 130; ++top) {
    ReplayWindow window;
    ASSERT_TRUE(window.commit(top));
    for (std::uint64_t age = 1; age < kSize; ++age) ASSERT_TRUE(window.check(top - age)) << age;
    EXPECT_FALSE(window.check(top - kSize));
    EXPECT_FALSE(window.commit(top - kSize));
    EXPECT_TRUE(window.commit(top - kSize + 1));
    EXPECT_FALSE(window.commit(top - kSize + 1));
  }
}

/// After a full window, a jump of any length forgets what fell out and keeps what did not.
TEST(ReplayWindow, EveryJumpForgetsExactlyWhatFellOut) {
  for (const std::uint64_t start : {kSize, kSize + 17, kSize + 63}) {
    for (std::uint64_t jump = 1; jump < kSize + 200; jump += 37) {
      ReplayWindow window;
      for (std::uint64_t i = 0; i <= start; ++i) ASSERT_TRUE(window.commit(i));
      const auto top = start + jump;
      ASSERT_TRUE(window.commit(top));
      for (std::uint64_t age = 1; age < kSize; ++age) {
        const auto counter = top - age;
        ASSERT_EQ(window.check(counter), counter > start) << start << ' ' << jump << ' ' << age;
      }
    }
  }
}

TEST(ReplayWindow, FarJumpsUpToTheLastCounter) {
  ReplayWindow window;
  for (const std::uint64_t far :
       {std::uint64_t{1}, kSize * 257, kSize * 257 * 64 + 1, std::uint64_t{1} << 32,
        std::uint64_t{1} << 63, kLast - kSize, kLast - 1, kLast}) {
    ASSERT_TRUE(window.commit(far));
    ASSERT_FALSE(window.commit(far));
    ASSERT_EQ(window.highest(), far);
  }
  EXPECT_FALSE(window.check(0));
  EXPECT_TRUE(window.commit(kLast - 2));
  EXPECT_FALSE(window.check(kLast - kSize));
  EXPECT_TRUE(window.check(kLast - kSize + 1));
}

TEST(ReplayWindow, AgreesWithASet) {
  SeededRng rng(42);
  for (int round = 0; round < 20; ++round) {
    ReplayWindow window;
    std::set<std::uint64_t> seen;
    for (int i = 0; i < 20000; ++i) {
      const auto top = window.highest();
      const std::uint64_t ahead = rng.below(100) == 0 ? rng.below(40000) : rng.below(4);
      const std::uint64_t behind = rng.below(rng.below(10) == 0 ? 20000 : 100);
      const auto counter = rng.below(2) == 0 ? top + ahead : top - std::min(top, behind);
      const bool fresh = counter + kSize > top && !seen.contains(counter);
      ASSERT_EQ(window.check(counter), fresh) << counter << " at " << top;
      ASSERT_EQ(window.commit(counter), fresh) << counter << " at " << top;
      seen.insert(counter);
    }
  }
}

}  // namespace
}  // namespace wormhole
