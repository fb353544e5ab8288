// Loss and jitter alone never end a path.
#include <cstdio>

#include "unit/path/pair.hpp"

namespace wormhole::path_test {
namespace {

/// Ten seeds each, so that they can run side by side.
class PathLoss : public testing::TestWithParam<std::uint64_t> {};

// Nothing but keepalives speaks for the path: an application packet each 20 s keeps it from being
// idle. Five hours each.
TEST_P(PathLoss, TenPercentAnd200MsWith50MsOfJitterEndNoPath) {
  Duration both{};
  Duration all{};
  std::size_t downs = 0;
  std::size_t silents = 0;
  for (std::uint64_t seed = GetParam() + 1; seed <= GetParam() + 10; ++seed) {
    const Link link{100ms, 50ms, 0.1, false};
    Pair pair(seed, link);
    pair.open(1, link);
    pair.run(30min, 20s);
    for (const std::size_t i : {0U, 1U}) {
      EXPECT_EQ(pair.end(i).ups.size(), 1U) << "seed " << seed;
      downs += pair.end(i).downs.size();
      silents += pair.end(i).silents.size();
    }
    both += pair.both_time;
    all += pair.all_time;
  }
  EXPECT_EQ(downs, 0U);
  const auto hours = static_cast<double>(all / 1s) / 3600;
  std::printf("both ways %.2f %% of %.0f hours, \"I hear nothing\" %.0f times an hour\n",
              100.0 * static_cast<double>(both / 1ms) / static_cast<double>(all / 1ms), hours,
              static_cast<double>(silents) / hours);
}

INSTANTIATE_TEST_SUITE_P(Seeds, PathLoss, testing::Range<std::uint64_t>(0, 100, 10));

}  // namespace
}  // namespace wormhole::path_test
