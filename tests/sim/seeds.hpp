// Runs a scenario over many seeds, and sums up what it measured.
//   WORMHOLE_SEED=17   only this seed
//   WORMHOLE_SEEDS=20  twenty times as many seeds as usual; 0.2: a fifth of them
//   WORMHOLE_EVENTS=4096  the last so many events in a failure's report, instead of 60
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "sim/world.hpp"

namespace wormhole::sim {

/// The seeds of a scenario that usually has `usual` of them.
std::vector<std::uint64_t> seeds(std::uint64_t usual);

/// Virtual durations of one kind, one or more a seed.
class Samples {
 public:
  explicit Samples(std::string name) : name_(std::move(name)) {}
  void add(Duration sample) { all_.push_back(sample); }
  /// Prints the median, the 99th percentile and the worst, for reports to quote.
  void print();

 private:
  std::string name_;
  std::vector<Duration> all_;
};

/// Calls `body(world)` for each seed; stops at the first that breaks an invariant or a check, and
/// prints its seed and last events.
template <typename Body>
void for_each_seed(std::uint64_t usual, Body body) {
  for (const auto seed : seeds(usual)) {
    World world(seed);
    body(world);
    if (world.ok() && !testing::Test::HasFailure()) continue;
    ADD_FAILURE() << world.report();
    return;
  }
}

}  // namespace wormhole::sim
