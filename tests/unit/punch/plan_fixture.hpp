// What tests of the planner begin with.
#pragma once

#include <gtest/gtest.h>

#include "unit/punch/reports.hpp"
#include "wormhole/punch/plan.hpp"

namespace wormhole::test {

struct PlanTest : testing::Test {
  PunchPlan plan(const NatReport& local, const NatReport& remote, std::uint32_t campaign = 1,
                 std::uint32_t held = 0) {
    return plan_punch(local, remote, campaign, settings, rng, held);
  }
  PunchSettings settings;
  SeededRng rng{1};
};

}  // namespace wormhole::test
