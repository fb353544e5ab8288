#include "shell/deadline_timer.hpp"

#include <gtest/gtest.h>

#include "loop.hpp"
#include "shell/clock.hpp"

namespace wormhole {
namespace {

TEST(DeadlineTimer, FiresAtTheDeadlineAndNotBefore) {
  Loop loop;
  TimePoint fired{};
  DeadlineTimer timer(loop.io, [&] { fired = core_now(); });
  const auto deadline = core_now() + 20ms;
  timer.set(deadline);
  ASSERT_TRUE(loop.run_until([&] { return fired != TimePoint{}; }));
  EXPECT_GE(fired, deadline);
}

TEST(DeadlineTimer, FiresAtOnceForThePast) {
  Loop loop;
  int fired = 0;
  DeadlineTimer timer(loop.io, [&] { ++fired; });
  for (const auto past : {core_now() - 1h, TimePoint{}, TimePoint{} - 1s}) {
    timer.set(past);
    const int before = fired;
    ASSERT_TRUE(loop.run_until([&] { return fired > before; }));
  }
}

TEST(DeadlineTimer, TheLatestSettingCounts) {
  Loop loop;
  std::vector<TimePoint> fired;
  DeadlineTimer timer(loop.io, [&] { fired.push_back(core_now()); });
  const auto now = core_now();
  timer.set(now + 5ms);
  timer.set(now + 40ms);  // later than what is armed
  ASSERT_TRUE(loop.run_until([&] { return !fired.empty(); }));
  EXPECT_GE(fired[0], now + 40ms);
  timer.set(core_now() + 1h);
  timer.set(core_now() + 1ms);  // earlier
  ASSERT_TRUE(loop.run_until([&] { return fired.size() == 2; }));
}

TEST(DeadlineTimer, NeverMeansNever) {
  Loop loop;
  int fired = 0;
  bool control_fired = false;
  DeadlineTimer timer(loop.io, [&] { ++fired; });
  DeadlineTimer control(loop.io, [&] { control_fired = true; });
  timer.set(core_now() + 1ms);
  timer.set(kNever);
  control.set(core_now() + 10ms);
  ASSERT_TRUE(loop.run_until([&] { return control_fired; }));
  EXPECT_EQ(fired, 0);
}

}  // namespace
}  // namespace wormhole
