// What punching achieves against NATs, over thousands of seeds, held against the exact formulas.
// The times count from the start of the campaign; 20 ms one way, the ends begin 20 ms apart.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "sim/punch_pair.hpp"
#include "sim/seeds.hpp"
#include "wormhole/model/network.hpp"
#include "wormhole/punch/chance.hpp"

namespace wormhole::sim {
namespace {

constexpr auto kEither = Dependence::kEndpointIndependent;
constexpr auto kAddress = Dependence::kAddressDependent;
constexpr auto kPort = Dependence::kAddressAndPortDependent;
constexpr std::uint32_t kPorts = 64512;

NatProfile cone(Dependence filtering = kPort) {
  return {.mapping = kEither, .filtering = filtering, .allocation = Allocation::kPreserving};
}
NatProfile symmetric(Allocation allocation = Allocation::kRandom) {
  return {.mapping = kPort, .filtering = kPort, .allocation = allocation};
}
NatProfile block(std::uint16_t size) {
  auto nat = symmetric(Allocation::kBlock);
  nat.block_size = size;
  return nat;
}
NatProfile sequential(std::uint16_t step = 1) {
  auto nat = symmetric(Allocation::kSequential);
  nat.step = step;
  return nat;
}

struct Outcome {
  std::size_t tries = 0;
  std::vector<Duration> met;
  std::array<std::uint32_t, 2> most_mapped{};
  Strategy strategy = Strategy::kRelay;
  double rate() const { return static_cast<double>(met.size()) / static_cast<double>(tries); }
  Duration at(std::size_t percent) const { return met[(met.size() - 1) * percent / 100]; }
};

/// Runs both roles in turn, and prints the line that the documentation quotes.
Outcome run(const char* name, PunchTrial trial, std::uint64_t usual) {
  Outcome outcome;
  for (const auto seed : seeds(usual)) {
    const auto result = PunchPair(trial, seed).run();
    EXPECT_EQ(result.here.strategy, result.there.strategy);
    outcome.strategy = result.here.strategy;
    ++outcome.tries;
    if (result.met) outcome.met.push_back(*result.met);
    for (std::size_t i = 0; i < 2; ++i) {
      outcome.most_mapped[i] = std::max(outcome.most_mapped[i], result.mapped[i]);
    }
  }
  std::sort(outcome.met.begin(), outcome.met.end());
  std::printf("[ punch    ] %-44s %-10s %5.1f %% of %zu", name,
              std::string(words(outcome.strategy)).c_str(), outcome.rate() * 100, outcome.tries);
  if (!outcome.met.empty()) {
    std::printf(", median %lld ms, p90 %lld ms", static_cast<long long>(to_ms(outcome.at(50))),
                static_cast<long long>(to_ms(outcome.at(90))));
  }
  std::printf("\n");
  return outcome;
}

/// The rate is what the formula says, within four standard deviations: a right program fails once
/// in 15,000 draws, and the seeds are the same each time.
void expect_rate(const Outcome& outcome, double expected) {
  const auto n = static_cast<double>(outcome.tries);
  const auto margin = 4 * std::sqrt(expected * (1 - expected) / n) + 1 / n;
  EXPECT_NEAR(outcome.rate(), expected, margin);
}

/// One miss is always allowed: where few seeds are run, it weighs too much.
void expect_at_least(const Outcome& outcome, double least) {
  EXPECT_GE(outcome.rate() + 1.0 / static_cast<double>(outcome.tries), least);
}

TEST(Punch, ConesMeetWhateverTheyFilter) {
  for (const auto here : {kEither, kAddress, kPort}) {
    for (const auto there : {kEither, kAddress, kPort}) {
      const auto outcome = run("cone, cone", {.here = cone(here), .there = cone(there)}, 100);
      EXPECT_EQ(outcome.rate(), 1);
      EXPECT_LE(outcome.at(90), 100ms);
    }
  }
}

TEST(Punch, APublicHostIsReachedFromBehindEveryNat) {
  for (const auto& nat : {cone(), symmetric(), sequential(), block(1024)}) {
    const auto outcome =
        run("public, any", {.here = cone(kEither), .there = nat, .here_is_public = true}, 100);
    EXPECT_EQ(outcome.strategy, Strategy::kDirect);
    EXPECT_EQ(outcome.rate(), 1);
    EXPECT_LE(outcome.at(90), 100ms);
  }
}

TEST(Punch, AFilterThatLetsTheAddressInNeedsNoLuck) {
  for (const auto filtering : {kEither, kAddress}) {
    const auto outcome = run("full or restricted cone, random",
                             {.here = cone(filtering), .there = symmetric()}, 200);
    EXPECT_EQ(outcome.strategy, Strategy::kCone);
    EXPECT_EQ(outcome.rate(), 1);
    EXPECT_LE(outcome.at(90), 100ms);
  }
}

/// Before the filter is known, the campaign is a birthday one; its probes open a restricted cone's
/// filter, and the openers of the symmetric end's main socket come in.
TEST(Punch, AnUnknownFilterCostsNoTime) {
  const auto outcome =
      run("restricted cone (not yet known), random",
          {.here = cone(kAddress), .there = symmetric(), .filtering_known = false}, 200);
  EXPECT_EQ(outcome.strategy, Strategy::kBirthday);
  EXPECT_EQ(outcome.rate(), 1);
  EXPECT_LE(outcome.at(90), 150ms);
}

TEST(Punch, BirthdayMeetsAsOftenAsTheFormulaSays) {
  struct Case {
    std::uint16_t sockets;
    std::uint16_t probes;
    std::uint64_t tries;
  };
  for (const auto& c :
       {Case{64, 512, 1000}, Case{256, 256, 1000}, Case{256, 1024, 1000}, Case{256, 2048, 2000}}) {
    PunchTrial trial{.here = cone(), .there = symmetric()};
    trial.settings.most_sockets = c.sockets;
    trial.settings.most_probes = c.probes;
    const auto name = "port-restricted cone, random: " + std::to_string(c.sockets) + " × " +
                      std::to_string(c.probes);
    const auto outcome = run(name.c_str(), trial, c.tries);
    EXPECT_EQ(outcome.strategy, Strategy::kBirthday);
    // One mapping more: the main socket's openers. One probe less: the port that the server sees.
    expect_rate(outcome, chance_distinct(kPorts - 1, c.sockets + 1U, c.probes - 1U));
    EXPECT_LE(outcome.most_mapped[1], c.sockets + 1U);
    EXPECT_LE(outcome.most_mapped[0], 1U);
    if (c.probes == 2048) {
      EXPECT_LE(outcome.at(50), 1000ms);
      EXPECT_LE(outcome.at(90), 2500ms);
    }
  }
}

/// Fresh sockets of Linux have ports within 28,232.
TEST(Punch, PreservedPortsAreWhereSocketsAre) {
  PunchTrial trial{.here = cone(), .there = symmetric(Allocation::kPreserving)};
  trial.settings.most_probes = 256;
  const auto outcome = run("port-restricted cone, port-preserving: 256 × 256", trial, 1000);
  EXPECT_EQ(outcome.strategy, Strategy::kBirthday);
  expect_rate(outcome, chance_distinct(28232, 256, 255));
}

PunchSettings polite() {
  return {.most_sockets = kPoliteP2p.sockets,
          .most_probes = kPoliteP2p.probes,
          .opens_per_s = kPoliteP2p.open_rate,
          .probes_per_s_first = kPoliteP2p.probe_rate_from,
          .probes_per_s = kPoliteP2p.probe_rate_to};
}

TEST(Punch, ThePolitePresetCostsTimeAndKeepsItsBudget) {
  const auto outcome = run("port-restricted cone, random: polite",
                           {.here = cone(), .there = symmetric(), .settings = polite()}, 500);
  expect_rate(outcome, chance_distinct(kPorts - 1, 129, 1023));
  EXPECT_LE(outcome.most_mapped[1], 129U);
  EXPECT_LE(outcome.at(50), 5s);
  const auto sequentials =
      run("sequential pair: polite",
          {.here = sequential(), .there = sequential(7), .settings = polite(), .foreign = 20}, 500);
  expect_at_least(sequentials, 0.9);
}

TEST(Punch, AKnownBlockIsMetAtOnce) {
  for (const auto size : std::initializer_list<std::uint16_t>{1024, 2048}) {
    const auto outcome = run(("port-restricted cone, block of " + std::to_string(size)).c_str(),
                             {.here = cone(), .there = block(size)}, 1000);
    EXPECT_EQ(outcome.strategy, Strategy::kRange);
    EXPECT_EQ(outcome.rate(), 1);
    EXPECT_LE(outcome.at(50), 200ms);
    EXPECT_LE(outcome.at(90), 350ms);
    EXPECT_LE(outcome.most_mapped[1], 257U);
  }
}

TEST(Punch, SequentialPortsArePredicted) {
  for (const auto step : std::initializer_list<std::uint16_t>{1, 2, 7, 100}) {
    for (const double foreign : {0.0, 20.0, 100.0}) {
      const auto name = "port-restricted cone, sequential +" + std::to_string(step) + ", " +
                        std::to_string(static_cast<int>(foreign)) + " foreign/s";
      const auto outcome =
          run(name.c_str(), {.here = cone(), .there = sequential(step), .foreign = foreign}, 300);
      EXPECT_EQ(outcome.strategy, Strategy::kSequential);
      EXPECT_EQ(outcome.rate(), 1);
      EXPECT_LE(outcome.at(50), 150ms);
    }
  }
}

/// A range so small that the counter goes round at a place that nobody knows, often within the row:
/// the ports before it are still where they should be.
TEST(Punch, SequentialPortsMayGoRoundWithinTheRow) {
  auto nat = sequential();
  nat.first_port = 20000;
  nat.last_port = 20159;
  const auto outcome = run("port-restricted cone, sequential in 160 ports",
                           {.here = cone(), .there = nat, .foreign = 20}, 500);
  EXPECT_EQ(outcome.strategy, Strategy::kSequential);
  EXPECT_EQ(outcome.rate(), 1);
}

TEST(Punch, SequentialPairsMeetInTheMiddlesOfTheirRows) {
  struct Case {
    double foreign;
    Duration stale;
    std::uint32_t campaign;
    double least;
  };
  for (const auto& c : {Case{0, 150ms, 1, 1.0}, Case{20, 150ms, 1, 0.99}, Case{20, 500ms, 1, 0.99},
                        Case{20, 1s, 1, 0.99}, Case{100, 150ms, 1, 0.95}, Case{100, 1s, 2, 0.8},
                        Case{400, 150ms, 2, 0.6}}) {
    for (const auto step : std::initializer_list<std::uint16_t>{1, 7}) {
      const auto name = "sequential pair +" + std::to_string(step) + ", " +
                        std::to_string(static_cast<int>(c.foreign)) + " foreign/s, " +
                        std::to_string(to_ms(c.stale)) + " ms old, campaign " +
                        std::to_string(c.campaign);
      const auto outcome = run(name.c_str(),
                               {.here = sequential(step),
                                .there = sequential(static_cast<std::uint16_t>(8 - step)),
                                .campaign = c.campaign,
                                .stale = c.stale,
                                .foreign = c.foreign},
                               500);
      EXPECT_EQ(outcome.strategy, Strategy::kSequential);
      expect_at_least(outcome, c.least);
      EXPECT_LE(outcome.at(90), 200ms);
    }
  }
}

TEST(Punch, BlockPairsMeetAsOftenAsTheFormulaSays) {
  for (const auto size : std::initializer_list<std::uint16_t>{256, 1024}) {
    const auto outcome = run(("block of " + std::to_string(size) + ", the same kind").c_str(),
                             {.here = block(size), .there = block(size)}, 2000);
    EXPECT_EQ(outcome.strategy, Strategy::kRangePair);
    expect_rate(outcome, chance_pair(size, size / 2U));
    EXPECT_LE(outcome.most_mapped[0], size / 2U);
    EXPECT_LE(outcome.most_mapped[1], size / 2U);
  }
}

/// One mapping serves all destinations at the other end's address, so the whole block may be
/// probed.
TEST(Punch, AddressDependentBlocksMeetForSure) {
  auto nat = block(1024);
  nat.mapping = kAddress;
  const auto outcome =
      run("block of 1024, address-dependent, the same kind", {.here = nat, .there = nat}, 200);
  EXPECT_EQ(outcome.strategy, Strategy::kRangePair);
  expect_at_least(outcome, 0.98);
  EXPECT_LE(outcome.most_mapped[0], 1U);
}

/// m mappings in the block, each aimed at a known port: each has one chance in P.
TEST(Punch, ABlockAgainstSequentialPortsHasOneGuessLess) {
  const auto outcome =
      run("block of 1024, sequential", {.here = block(1024), .there = sequential()}, 1000);
  EXPECT_EQ(outcome.strategy, Strategy::kRangePair);
  expect_rate(outcome, 1 - std::exp(-0.5));
  EXPECT_LE(outcome.most_mapped[0], 512U);
  EXPECT_LE(outcome.most_mapped[1], 512U);
}

TEST(Punch, LossDelaysAndDoesNotPrevent) {
  const auto cones =
      run("cone, cone, 10 % loss", {.here = cone(), .there = cone(), .loss = 0.1}, 500);
  EXPECT_EQ(cones.rate(), 1);
  const auto luck =
      run("cone, random, 10 % loss", {.here = cone(), .there = symmetric(), .loss = 0.1}, 500);
  expect_at_least(luck, 0.98);
  const auto pair = run("sequential pair, 10 % loss",
                        {.here = sequential(), .there = sequential(), .loss = 0.1}, 500);
  expect_at_least(pair, 0.98);
}

/// Half a second from one campaign's start to the other's, 200 ms there and back, and loss: what
/// is sent twice or late makes up for it.
TEST(Punch, LongWaysAndLateStartsDelayAndDoNotPrevent) {
  const PunchTrial slow{.one_way = 100ms, .skew = 500ms, .foreign = 20, .loss = 0.05};
  const auto with = [&](const NatProfile& here, const NatProfile& there) {
    auto trial = slow;
    trial.here = here;
    trial.there = there;
    return trial;
  };
  EXPECT_EQ(run("slow: cone, cone", with(cone(), cone()), 300).rate(), 1);
  expect_at_least(run("slow: cone, random", with(cone(), symmetric()), 300), 0.99);
  EXPECT_EQ(run("slow: cone, block", with(cone(), block(1024)), 300).rate(), 1);
  EXPECT_EQ(run("slow: cone, sequential", with(cone(), sequential()), 300).rate(), 1);
  expect_at_least(run("slow: sequential pair", with(sequential(), sequential(7)), 300), 0.97);
}

TEST(Punch, WhatCannotMeetIsLeftToTheRelay) {
  for (const auto& nat : {symmetric(), sequential(), block(1024)}) {
    const auto outcome = run("random, any symmetric", {.here = symmetric(), .there = nat}, 20);
    EXPECT_EQ(outcome.strategy, Strategy::kRelay);
    EXPECT_EQ(outcome.rate(), 0);
    EXPECT_EQ(outcome.most_mapped, (std::array<std::uint32_t, 2>{}));
  }
}

}  // namespace
}  // namespace wormhole::sim
