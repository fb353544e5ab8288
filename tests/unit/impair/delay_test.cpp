// How long datagrams wait, against the closed forms of the distributions.
#include "unit/impair/statistics.hpp"

namespace wormhole::impairing {
namespace {

constexpr double kDelayMs = 100;
constexpr double kJitterMs = 10;

ImpairProfile delaying(Spreading spreading, Share correlation = 0) {
  ImpairProfile profile;
  profile.delay_us = static_cast<std::uint32_t>(kDelayMs * 1000);
  profile.jitter_us = static_cast<std::uint32_t>(kJitterMs * 1000);
  profile.spreading = spreading;
  profile.delay_correlation = correlation;
  return profile;
}

/// A wait in units of jitter around the delay.
double jitters(Link& link) {
  const auto wait = link.wait();
  EXPECT_TRUE(wait.has_value());
  return (std::chrono::duration<double, std::milli>(*wait).count() - kDelayMs) / kJitterMs;
}

double normal_cdf(double x) { return std::erfc(-x / std::sqrt(2.0)) / 2; }
double pareto_cdf(double x) { return x <= -2.0 / 3 ? 0 : 1 - std::pow(0.75 * x + 1.5, -3); }

void expect_distribution(Spreading spreading, Distribution fit, double grain) {
  Link link(delaying(spreading));
  for (std::size_t i = 0; i < trials(); ++i) fit.add(jitters(link));
  fit.expect_fit(grain);
}

/// netem's tables, and ours, have 4,096 values.
constexpr double kGrain = 1.0 / 4096;
/// … and end at four times the jitter, where this much of Pareto's is left.
const double kParetoEnd = pareto_cdf(3.99);

TEST(ImpairDelay, EachDistributionHasItsForm) {
  expect_distribution(Spreading::kUniform, Distribution([](double x) { return (x + 1) / 2; }), 0);
  expect_distribution(Spreading::kNormal, Distribution(normal_cdf), kGrain);
  expect_distribution(Spreading::kPareto, Distribution(pareto_cdf, kParetoEnd), kGrain);
}

TEST(ImpairDelay, ParetoNormalIsAQuarterNormalAndThreeOfPareto) {
  // Quantiles of the normal distribution from tables of it; Pareto's by its formula.
  struct Quantile {
    double share, normal;
  };
  constexpr Quantile kQuantiles[] = {{0.01, -2.326348}, {0.05, -1.644854}, {0.25, -0.674490},
                                     {0.5, 0},          {0.75, 0.674490},  {0.95, 1.644854},
                                     {0.99, 2.326348}};
  std::vector<double> below(std::size(kQuantiles));
  Link link(delaying(Spreading::kParetoNormal));
  for (std::size_t i = 0; i < trials(); ++i) {
    const double value = jitters(link);
    for (std::size_t q = 0; q < std::size(kQuantiles); ++q) {
      const auto& [at, normal] = kQuantiles[q];
      const double pareto = std::min(4.0, (std::pow(1 - at, -1.0 / 3) - 1.5) * 4 / 3);
      below[q] += value < (normal + 3 * pareto) / 4 ? 1 : 0;
    }
  }
  const auto n = static_cast<double>(trials());
  for (std::size_t q = 0; q < std::size(kQuantiles); ++q) {
    const double at = kQuantiles[q].share;
    EXPECT_NEAR(below[q] / n, at, kSigmas * std::sqrt(at * (1 - at) / n) + kGrain) << at;
  }
}

TEST(ImpairDelay, ATableOfOnesOwnGivesEachValueItsShare) {
  auto profile = delaying(Spreading::kTable);
  profile.table.values = std::make_shared<const std::vector<std::int16_t>>(
      std::vector<std::int16_t>{-4096, 0, 0, 16384});
  Link link(profile);
  std::map<double, double> seen;
  for (std::size_t i = 0; i < trials(); ++i) seen[jitters(link)] += 1;
  ASSERT_EQ(seen.size(), 3U);
  const auto n = static_cast<double>(trials());
  expect_share(seen[-0.5], n, 0.25);
  expect_share(seen[0], n, 0.5);
  expect_share(seen[2], n, 0.25);
}

TEST(ImpairDelay, CorrelationIsNetemsRecursion) {
  for (const double rho : {0.25, 0.75}) {
    Link link(delaying(Spreading::kUniform, share(100 * rho)));
    std::vector<double> values(trials());
    double sum = 0;
    for (auto& value : values) sum += value = jitters(link);
    const auto n = static_cast<double>(values.size());
    const double mean = sum / n;
    const double variance = (1 - rho) / (1 + rho) / 3;  // a uniform one from -1 to 1 has 1/3
    EXPECT_NEAR(mean, 0, kSigmas * std::sqrt(1 / (3 * n)));
    for (std::size_t lag = 0; lag <= 4; ++lag) {
      double product = 0;
      for (std::size_t i = lag; i < values.size(); ++i) {
        product += (values[i] - mean) * (values[i - lag] - mean);
      }
      const double expected = std::pow(rho, static_cast<double>(lag));
      const double sigma = std::sqrt((1 + rho * rho) / (1 - rho * rho) / n);
      EXPECT_NEAR(product / n / variance, expected, kSigmas * sigma + 1e-4) << lag;
    }
  }
}

TEST(ImpairDelay, NothingLeavesBeforeItCame) {
  ImpairProfile profile;
  profile.delay_us = 1'000;
  profile.jitter_us = 10'000;
  profile.spreading = Spreading::kNormal;
  Link link(profile);
  std::size_t at_once = 0;
  for (std::size_t i = 0; i < trials() / 10; ++i) {
    const auto wait = link.wait();
    ASSERT_TRUE(wait && *wait >= Duration{});
    at_once += *wait == Duration{} ? 1 : 0;
  }
  const auto n = static_cast<double>(trials() / 10);
  const double expected = normal_cdf(-0.1);
  EXPECT_NEAR(static_cast<double>(at_once) / n, expected,
              kSigmas * std::sqrt(expected * (1 - expected) / n) + kGrain);
}

TEST(ImpairDelay, WithoutJitterAllWaitTheSame) {
  ImpairProfile profile;
  profile.delay_us = 40'000;
  Link link(profile);
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(link.wait(), Duration{40ms});
  EXPECT_EQ(link.machine.counts().delayed, 1000U);
  EXPECT_EQ(link.machine.counts().waited_us, 1000U * 40'000U);
}

}  // namespace
}  // namespace wormhole::impairing
