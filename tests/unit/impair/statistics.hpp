// Samples against closed forms. All bounds are five standard deviations (a right one fails once in
// 1.7 million seeds) or Kolmogorov and Smirnov at 10^-6; seeds are fixed, so a test that passes
// passes always.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <functional>
#include <optional>
#include <vector>

#include "wormhole/impair/impairer.hpp"

namespace wormhole::impairing {

inline constexpr double kSigmas = 5;

/// 10^6 datagrams, scaled by WORMHOLE_SEEDS as the simulator's seeds are, at most by ten.
inline std::size_t trials() {
  const char* factor = std::getenv("WORMHOLE_SEEDS");
  const double times = factor != nullptr ? std::min(10.0, std::strtod(factor, nullptr)) : 1;
  return static_cast<std::size_t>(1e6 * std::max(0.01, times));
}

constexpr Share share(double percent) { return static_cast<Share>(percent / 100 * kWhole); }

/// `hits` of `trials` are what `expected` gives; `spread`: how much wider correlation makes it.
inline void expect_share(double hits, double trials, double expected, double spread = 1) {
  const double sigma = std::sqrt(trials * expected * (1 - expected)) * spread;
  EXPECT_NEAR(hits, trials * expected, kSigmas * sigma + 1) << "of " << trials;
}

/// Kolmogorov and Smirnov on values that `cdf` maps to [0, 1]; `grain`: by how much the source is
/// coarser than the distribution.
class Distribution {
 public:
  explicit Distribution(std::function<double(double)> cdf, double until = 1)
      : cdf_(std::move(cdf)), until_(until), bins_(kBins) {}
  void add(double value) {
    const auto at = static_cast<std::size_t>(std::clamp(cdf_(value), 0.0, 0.999999) * kBins);
    ++bins_[at];
    ++count_;
  }
  void expect_fit(double grain = 0) const {
    const auto n = static_cast<double>(count_);
    const double bound = std::sqrt(-std::log(1e-6 / 2) / 2 / n) + grain;
    double below = 0;
    double worst = 0;
    for (std::size_t i = 0; i < kBins && static_cast<double>(i + 1) / kBins < until_; ++i) {
      below += static_cast<double>(bins_[i]);
      worst = std::max(worst, std::abs(below / n - static_cast<double>(i + 1) / kBins));
    }
    EXPECT_LT(worst, bound);
  }

 private:
  static constexpr std::size_t kBins = 10'000;
  std::function<double(double)> cdf_;
  double until_;
  std::vector<std::size_t> bins_;
  std::size_t count_ = 0;
};

/// Lengths of runs of losses.
class Runs {
 public:
  static constexpr std::size_t kMost = 64;
  void add(bool lost) {
    if (lost) ++run_;
    if (lost || run_ == 0) return;
    ++lengths_[std::min(run_, kMost - 1)];
    ++count_;
    run_ = 0;
  }
  /// `chance` of a run's length, for lengths up to `longest`.
  void expect(const std::function<double(std::size_t)>& chance, std::size_t longest) const {
    for (std::size_t length = 1; length <= longest; ++length) {
      expect_share(static_cast<double>(lengths_[length]), static_cast<double>(count_),
                   chance(length));
    }
  }
  std::size_t count() const { return count_; }

 private:
  std::size_t run_ = 0;
  std::size_t count_ = 0;
  std::array<std::size_t, kMost> lengths_{};
};

/// One link with its memory, and one datagram after the other.
class Link {
 public:
  explicit Link(ImpairProfile profile, std::uint64_t seed = 1)
      : machine(std::move(profile), pool, seed) {}

  /// Whether a datagram that comes now leaves now; what is held otherwise is thrown away.
  bool passes() {
    const bool leaves = machine.on_datagram(datagram, 0, now);
    while (machine.next_due(kFar)) machine.drop(kFar);
    return leaves;
  }
  /// How long a datagram waits that comes alone; nothing: it is lost.
  std::optional<Duration> wait() {
    if (machine.on_datagram(datagram, 0, now)) return Duration{};
    const auto at = machine.next_deadline();
    if (at == kNever) return std::nullopt;
    EXPECT_TRUE(machine.next_due(at).has_value());
    machine.drop(at);
    return at - now;
  }

  static constexpr TimePoint kFar{std::chrono::hours(10'000)};
  HeldPool pool;
  Impairer machine;
  std::vector<std::uint8_t> datagram = std::vector<std::uint8_t>(100);
  TimePoint now{1s};
};

}  // namespace wormhole::impairing
