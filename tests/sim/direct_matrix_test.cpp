// Every NAT against every other: who must get a direct path, who can't, and how often luck helps,
// held against what RFC 4787's behaviours imply and against the exact formulas.
#include <cmath>
#include <cstdio>

#include "sim/chance.hpp"
#include "sim/direct_rig.hpp"
#include "wormhole/punch/chance.hpp"

namespace wormhole::sim {
namespace {

constexpr auto kEither = Dependence::kEndpointIndependent;
constexpr auto kAddress = Dependence::kAddressDependent;
constexpr auto kBoth = Dependence::kAddressAndPortDependent;
constexpr std::array kDependences{kEither, kAddress, kBoth};
constexpr std::array kAllocations{Allocation::kPreserving, Allocation::kSequential,
                                  Allocation::kRandom, Allocation::kBlock};
/// Above RFC 4787's REQ-3 limit.
constexpr std::uint32_t kPorts = 64512;

std::string name_of(const NatProfile& nat) {
  constexpr const char* kDependence[] = {"EI", "AD", "APD"};
  constexpr const char* kAllocation[] = {"preserving", "sequential", "random", "block"};
  return std::string("maps ") + kDependence[static_cast<int>(nat.mapping)] + ", filters " +
         kDependence[static_cast<int>(nat.filtering)] + ", " +
         kAllocation[static_cast<int>(nat.allocation)];
}

/// All 36 NATs that three words can tell apart, and none.
std::vector<Site> all_sites() {
  std::vector<Site> all{public_site()};
  for (const auto mapping : kDependences) {
    for (const auto filtering : kDependences) {
      for (const auto allocation : kAllocations) {
        NatProfile nat{.mapping = mapping, .filtering = filtering, .allocation = allocation};
        nat.block_size = 1024;
        all.push_back({name_of(nat), nat});
      }
    }
  }
  return all;
}

bool is_cone(const Site& site) { return !site.nat || site.nat->mapping == kEither; }
bool lets_the_address_in(const Site& site) { return !site.nat || site.nat->filtering != kBoth; }
bool is_predictable(const Site& site) { return site.nat->allocation == Allocation::kSequential; }
bool has_small_range(const Site& site) { return site.nat->allocation == Allocation::kBlock; }

enum class Expect : std::uint8_t {
  kDirect,  ///< always, and within the first campaign
  kLuck,    ///< birthday: at first 99.97 of 100, and sooner or later always
  kRelay,   ///< never
  kOpen     ///< by chance or by something that this model leaves out
};

Expect expected(const Site& a, const Site& b) {
  if (!a.nat || !b.nat || (is_cone(a) && is_cone(b))) return Expect::kDirect;
  if (is_cone(a) || is_cone(b)) {
    const auto& cone = is_cone(a) ? a : b;
    const auto& other = is_cone(a) ? b : a;
    const bool sure = lets_the_address_in(cone) || is_predictable(other) || has_small_range(other);
    return sure ? Expect::kDirect : Expect::kLuck;
  }
  const auto hopeless = [](const Site& site) {
    return site.nat->allocation == Allocation::kRandom && site.nat->filtering != kEither;
  };
  const auto closed = [](const Site& site) { return site.nat->filtering != kEither; };
  return (hopeless(a) && closed(b)) || (hopeless(b) && closed(a)) ? Expect::kRelay : Expect::kOpen;
}

void expect_outcome(const Try& outcome, Expect what) {
  if (what == Expect::kDirect || what == Expect::kLuck) {
    EXPECT_TRUE(outcome.first_direct) << outcome.reason;
  }
  if (what == Expect::kRelay) {
    EXPECT_FALSE(outcome.first_direct);
  }
  if (!outcome.ended_direct) {
    EXPECT_NE(outcome.reason, "");
  }
}

/// Each of the 1,369 pairs, on links of 5 to 60 ms, the second client 0 to 2 s after the first.
TEST(DirectMatrix, EveryNatAgainstEveryOther) {
  const auto sites = all_sites();
  std::map<Expect, std::pair<int, int>> counts;  // direct, of
  for_each_seed(sites.size() * sites.size(), [&](World& world) {
    const auto& first = sites[world.seed() % sites.size()];
    const auto& second = sites[world.seed() / sites.size() % sites.size()];
    SCOPED_TRACE(first.name + " and " + second.name);
    TryOptions options{.pace = 20ms, .long_way = true};
    options.link.delay = between(world.rng(), 5ms, 60ms);
    options.lead = up_to(world.rng(), 2s);
    const auto what = expected(first, second);
    const bool may_wait = what == Expect::kDirect || what == Expect::kLuck;
    const auto outcome = try_pair(world, first, second, may_wait ? 30s : 6s, options);
    expect_outcome(outcome, what);
    EXPECT_EQ(outcome.lost, 0U);
    ++counts[what].second;
    counts[what].first += outcome.first_direct ? 1 : 0;
  });
  constexpr const char* kNames[] = {"must be direct", "luck", "relay", "open"};
  for (const auto& [what, count] : counts) {
    std::printf("[ matrix   ] %s: %d of %d direct\n", kNames[static_cast<int>(what)], count.first,
                count.second);
  }
}

/// With 5 % loss on each link: what must become direct does, though it may take longer.
TEST(DirectMatrix, LossDelaysAndDoesNotPrevent) {
  const std::vector<Site> sites{public_site(),        full_cone(),        restricted_cone(),
                                port_restricted(),    symmetric_random(), symmetric_sequential(7),
                                block_symmetric(1024)};
  for (const auto& first : sites) {
    for (const auto& second : sites) {
      const auto what = expected(first, second);
      if (what == Expect::kRelay || what == Expect::kOpen) continue;
      SCOPED_TRACE(first.name + " and " + second.name);
      for_each_seed(8, [&](World& world) {
        TryOptions options{.pace = 20ms, .long_way = true};
        options.link = {.delay = between(world.rng(), 5ms, 100ms), .jitter = 10ms, .loss = 0.05};
        options.lead = up_to(world.rng(), 2s);
        expect_outcome(try_pair(world, first, second, 60s, options), what);
      });
    }
  }
}

/// The share of first campaigns that succeed.
class Rate {
 public:
  void add(const Try& outcome) {
    ++tries_;
    met_ += outcome.first_direct && outcome.campaigns <= 1 ? 1 : 0;
  }
  /// Within four standard deviations: a right program fails once in 15,000 draws.
  void expect(double chance, const char* name) const {
    const auto rate = met_ / tries_;
    const auto margin = 4 * std::sqrt(chance * (1 - chance) / tries_) + 1 / tries_;
    std::printf("[ matrix   ] %s: %.1f %% of %.0f, formula %.1f %%\n", name, rate * 100, tries_,
                chance * 100);
    EXPECT_NEAR(rate, chance, margin);
  }

 private:
  double tries_ = 0;
  double met_ = 0;
};

/// Small campaigns, so that a wrong rate shows.
TEST(DirectMatrix, FirstCampaignsMeetAsOftenAsTheFormulaSays) {
  const TryOptions options{.p2p = {.sockets = 64, .probes = 512}, .lead = 200ms, .pace = 50ms};
  for (const auto mapping : {kAddress, kBoth}) {
    Rate rate;
    auto symmetric = symmetric_random();
    symmetric.nat->mapping = mapping;
    for_each_seed(500, [&](World& world) {
      const bool turn = world.rng().below(2) == 0;
      const auto outcome = try_pair(world, turn ? symmetric : port_restricted(),
                                    turn ? port_restricted() : symmetric, 4s, options);
      rate.add(outcome);
      // The main socket's openers take one more.
      EXPECT_LE(outcome.mapped[turn ? 0 : 1], 65U * std::max(outcome.campaigns, 1U));
    });
    // One probe goes to the port that the server sees.
    rate.expect(chance_distinct(kPorts - 1, 65, 511), "cone, random, 64 × 512");
  }
}

/// What the mappings held allow, counted at the core where a campaign was seen to its end.
TEST(DirectMatrix, CarriersBlocksMeetAsOftenAsTheFormulaSays) {
  Rate rate;
  double held = 0;
  double ended = 0;
  for_each_seed(500, [&](World& world) {
    const auto outcome = try_pair(world, block_symmetric(1024), block_symmetric(1024), 3s,
                                  {.lead = 200ms, .pace = 50ms});
    rate.add(outcome);
    for (const auto mapped : outcome.mapped) EXPECT_LE(mapped, 512U);
    if (outcome.first_direct || outcome.campaigns != 1) return;
    held += static_cast<double>(outcome.mapped[0] * outcome.mapped[1]);
    ++ended;
  });
  ASSERT_GT(ended, 0);
  const auto mappings = static_cast<std::uint32_t>(std::lround(std::sqrt(held / ended)));
  std::printf("[ matrix   ] %u mappings in a block of 1024\n", mappings);
  rate.expect(chance_pair(1024, mappings), "block 1024, the same kind");
}

}  // namespace
}  // namespace wormhole::sim
