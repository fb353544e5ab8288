// Which datagrams are lost, against the closed forms of netem's models.
#include "unit/impair/statistics.hpp"

namespace wormhole::impairing {
namespace {

ImpairProfile losing(ImpairProfile::Loss model, std::array<Share, 5> loss) {
  ImpairProfile profile;
  profile.loss_model = model;
  profile.loss = loss;
  return profile;
}

struct Outcome {
  double lost = 0;
  double lost_twice = 0;  ///< and the one before, too
  Runs runs;
};

Outcome run(const ImpairProfile& profile) {
  Link link(profile);
  Outcome outcome;
  bool before = false;
  for (std::size_t i = 0; i < trials(); ++i) {
    const bool lost = !link.passes();
    outcome.runs.add(lost);
    outcome.lost += lost ? 1 : 0;
    outcome.lost_twice += lost && before ? 1 : 0;
    before = lost;
  }
  EXPECT_EQ(static_cast<double>(link.machine.counts().lost), outcome.lost);
  EXPECT_EQ(link.machine.counts().offered, trials());
  return outcome;
}

const auto kTrials = static_cast<double>(trials());

TEST(ImpairLoss, RandomLossIsIndependent) {
  for (const double percent : {0.01, 0.5, 2.0, 20.0}) {
    const double p = percent / 100;
    const auto outcome = run(losing(ImpairProfile::Loss::kRandom, {share(percent)}));
    expect_share(outcome.lost, kTrials, p);
    expect_share(outcome.lost_twice, kTrials, p * p);
    outcome.runs.expect([p](auto n) { return (1 - p) * std::pow(p, static_cast<double>(n - 1)); },
                        4);
  }
}

TEST(ImpairLoss, AllAndNothing) {
  EXPECT_EQ(run(losing(ImpairProfile::Loss::kRandom, {kWhole})).lost, kTrials);
  EXPECT_EQ(run(losing(ImpairProfile::Loss::kRandom, {0})).lost, 0);
}

/// The stationary distribution of netem's recursion x' = (1 - rho) u + rho x, by its own equation
/// F(x) = ∫ F((x - (1 - rho) u) / rho) du over u in [0, 1].
double chance_below(double threshold, double rho) {
  constexpr std::size_t kGrid = 20'000;
  std::vector<double> cdf(kGrid + 1);
  for (std::size_t i = 0; i <= kGrid; ++i) cdf[i] = static_cast<double>(i) / kGrid;
  std::vector<double> sum(kGrid + 1);  // ∫ F up to i / kGrid
  const auto integral = [&](double x) {
    if (x <= 0) return 0.0;
    if (x >= 1) return sum[kGrid] + x - 1;
    const auto i = static_cast<std::size_t>(x * kGrid);
    const double rest = x * kGrid - static_cast<double>(i);
    return sum[i] + (sum[i + 1] - sum[i]) * rest;
  };
  for (int round = 0; round < 60; ++round) {
    for (std::size_t i = 1; i <= kGrid; ++i)
      sum[i] = sum[i - 1] + (cdf[i - 1] + cdf[i]) / 2 / kGrid;
    for (std::size_t i = 0; i <= kGrid; ++i) {
      const double x = static_cast<double>(i) / kGrid;
      cdf[i] = rho / (1 - rho) * (integral(x / rho) - integral((x - 1 + rho) / rho));
    }
  }
  return cdf[static_cast<std::size_t>(std::lround(threshold * kGrid))];
}

TEST(ImpairLoss, CorrelationMakesLossRarerAsInNetem) {
  for (const double rho : {0.25, 0.5}) {
    const auto outcome = run(losing(ImpairProfile::Loss::kRandom, {share(20), share(rho * 100)}));
    const double expected = chance_below(0.2, rho);
    EXPECT_LT(expected, 0.18);
    expect_share(outcome.lost, kTrials, expected, std::sqrt((1 + rho) / (1 - rho)));
    EXPECT_GT(outcome.lost_twice / outcome.lost, 1.3 * expected) << "losses come together";
  }
}

TEST(ImpairLoss, FourStatesLoseAsTheirChainSays) {
  const double p13 = 0.01;
  const double p31 = 0.25;
  const double p32 = 0.15;
  const double p23 = 0.3;
  const double p14 = 0.005;
  const auto outcome =
      run(losing(ImpairProfile::Loss::kState, {share(100 * p13), share(100 * p31), share(100 * p32),
                                               share(100 * p23), share(100 * p14)}));
  // Weights relative to state 1, by balance.
  const double w3 = p13 / p31;
  const double w2 = w3 * p32 / p23;
  const double w4 = p14;
  const double all = 1 + w2 + w3 + w4;
  expect_share(outcome.lost, kTrials, (w3 + w4) / all, 4);
  // A burst begins in 1 or 2 and goes on with what is left of p31 and p32; a single loss is 4.
  const double bursts = p13 + w2 * p23;
  const double alone = p14;
  const double goes_on = 1 - p31 - p32;
  outcome.runs.expect(
      [&](std::size_t n) {
        const double burst = (1 - goes_on) * std::pow(goes_on, static_cast<double>(n - 1));
        return (bursts * burst + (n == 1 ? alone : 0)) / (bursts + alone);
      },
      12);
  expect_share(static_cast<double>(outcome.runs.count()), kTrials, (bursts + alone) / all, 2);
}

TEST(ImpairLoss, GilbertsBurstsAreGeometric) {
  const double p = 0.01;
  const double r = 0.2;
  const auto outcome =
      run(losing(ImpairProfile::Loss::kGemodel, {share(100 * p), share(100 * r), share(100), 0}));
  expect_share(outcome.lost, kTrials, p / (p + r), std::sqrt((2 - p - r) / (p + r)));
  outcome.runs.expect([r](auto n) { return r * std::pow(1 - r, static_cast<double>(n - 1)); }, 20);
}

TEST(ImpairLoss, GilbertAndElliottLoseInBothStates) {
  const double p = 0.02;
  const double r = 0.1;
  const double bad = 0.7;
  const double good = 0.01;
  const auto outcome =
      run(losing(ImpairProfile::Loss::kGemodel,
                 {share(100 * p), share(100 * r), share(100 * bad), share(100 * good)}));
  const double in_bad = p / (p + r);
  const double spread = std::sqrt((2 - p - r) / (p + r));
  expect_share(outcome.lost, kTrials, in_bad * bad + (1 - in_bad) * good, spread);
  const double twice =
      (1 - in_bad) * good * ((1 - p) * good + p * bad) + in_bad * bad * (r * good + (1 - r) * bad);
  expect_share(outcome.lost_twice, kTrials, twice, spread);
}

}  // namespace
}  // namespace wormhole::impairing
