// How soon, how well and how seldom wrongly a sender knows that a link is full: the monitor of a
// way against a model of a bottleneck, in virtual time, so that the figures are the same on every
// machine.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "unit/congestion/way_rig.hpp"

namespace wormhole::testing {
namespace {

constexpr const char* kHelp = R"(congestion_sim [--seeds N] [--first-seed N]

Each seed draws a bottleneck: 1, 2, 5, 10, 20 or 50 Mbit/s, a round trip of 20 to 200 ms, a drop-tail queue of
100 to 1,000 ms, loss of 0 to 2 %, jitter of 0 to 30 ms. Prints, over all seeds (100 unless said):
  onset      from the moment when more is offered than carried to `limit`: median, 95th percentile, worst; how
             many were not told within 10 s; and the error of the capacity 3 s after `limit`
  quiet      false `limit`s an hour, and seconds in them, while less is offered than carried
  cost       reports, in percent of what they tell of
--first-seed 1000 tries seeds that nothing was tuned with.
)";

struct Options {
  std::uint64_t seeds = 100;
  std::uint64_t first = 0;
};

double capacity_of(std::uint64_t seed) {
  static constexpr double kRates[] = {1e6, 2e6, 5e6, 10e6, 20e6, 50e6};
  return kRates[seed % std::size(kRates)];
}

WayModel draw(std::uint64_t seed, bool reorder) {
  SeededRng rng(seed * 7919 + 17);
  const auto ms = [&](std::uint32_t low, std::uint32_t high) {
    return Duration(std::chrono::milliseconds(low + rng.below(high - low + 1)));
  };
  WayModel model;
  model.rate = capacity_of(seed);
  model.delay = ms(10, 100);
  model.queue = ms(100, 1000);
  model.loss = static_cast<double>(rng.below(2001)) / 100'000;
  model.back_loss = model.loss;
  model.jitter = ms(0, 30);
  model.reorder = reorder;
  model.drift = (static_cast<double>(rng.below(101)) - 50) * 1e-6;
  return model;
}

double at(std::vector<double> all, double share) {
  if (all.empty()) return 0;
  std::sort(all.begin(), all.end());
  return all[std::min(all.size() - 1,
                      static_cast<std::size_t>(share * static_cast<double>(all.size())))];
}

void onset(const Options& options, const char* name, double load, bool video, bool reorder) {
  std::vector<double> took;
  std::vector<double> errors;
  std::size_t never = 0;
  for (auto seed = options.first; seed < options.first + options.seeds; ++seed) {
    const auto model = draw(seed, reorder);
    WayRig rig(model, seed);
    rig.offer({0.5 * model.rate, video});
    rig.run(10s);
    if (rig.state().verdict == LinkVerdict::kLimit) rig.run(5s);
    const auto begin = rig.now();
    rig.offer({load * model.rate, video});
    std::optional<double> after;
    // Looked at every 10 ms here: the time to know is what is measured.
    for (int i = 0; i < 1000 && !after; ++i) {
      rig.run(10ms);
      if (rig.state().verdict == LinkVerdict::kLimit) {
        after = std::chrono::duration<double>(rig.now() - begin).count();
      }
    }
    if (!after) {
      ++never;
      continue;
    }
    took.push_back(*after);
    rig.run(3s);
    errors.push_back(std::abs(rig.state().capacity_bps / model.rate - 1));
  }
  std::printf(
      "onset  %-28s %5.2f s  %5.2f s  %5.2f s  never %zu   capacity off by %4.1f %%  %4.1f %%  "
      "%4.1f %%\n",
      name, at(took, 0.5), at(took, 0.95), at(took, 1), never, 100 * at(errors, 0.5),
      100 * at(errors, 0.95), 100 * at(errors, 1));
}

template <typename Change>
void quiet(const Options& options, const char* name, double load, bool video, bool reorder,
           Change&& change) {
  double hours = 0;
  double in_limit = 0;
  double lossy = 0;
  double looks = 0;
  std::size_t limits = 0;
  double cost = 0;
  double carried = 0;
  for (auto seed = options.first; seed < options.first + options.seeds; ++seed) {
    auto model = draw(seed, reorder);
    change(model);
    WayRig rig(model, seed);
    rig.offer({load * model.rate, video});
    bool was = false;
    rig.run(180s, [&](const LinkState& state) {
      const bool is = state.verdict == LinkVerdict::kLimit;
      limits += is && !was;
      in_limit += 0.1 * is;
      lossy += state.verdict == LinkVerdict::kLossy;
      ++looks;
      was = is;
      return true;
    });
    hours += 180.0 / 3600;
    cost += static_cast<double>(rig.report_bytes);
    carried += static_cast<double>(rig.carried_bytes);
  }
  std::printf("quiet  %-28s %6.2f an hour  %6.1f s an hour  lossy %3.0f %%  cost %4.2f %%\n", name,
              static_cast<double>(limits) / hours, in_limit / hours, 100 * lossy / looks,
              100 * cost / carried);
}

void run_all(const Options& options) {
  std::printf(
      "       from the onset to limit      median    p95      worst              after 3 s: "
      "median, p95, worst\n");
  for (const bool video : {false, true}) {
    const std::string what = video ? "video" : "even";
    onset(options, ("105 %, " + what).c_str(), 1.05, video, false);
    onset(options, ("125 %, " + what).c_str(), 1.25, video, false);
    onset(options, ("150 %, " + what).c_str(), 1.5, video, false);
    onset(options, ("200 %, " + what).c_str(), 2, video, false);
    onset(options, ("125 %, " + what + ", reordered").c_str(), 1.25, video, true);
  }
  const auto same = [](WayModel&) {};
  for (const bool video : {false, true}) {
    const std::string what = video ? "video" : "even";
    quiet(options, ("50 %, " + what).c_str(), 0.5, video, false, same);
    quiet(options, ("80 %, " + what).c_str(), 0.8, video, false, same);
    quiet(options, ("80 %, " + what + ", reordered").c_str(), 0.8, video, true, same);
    quiet(options, ("50 %, 3 % loss, " + what).c_str(), 0.5, video, false,
          [](WayModel& model) { model.loss = 0.03; });
    quiet(options, ("50 %, spike of 140 ms, " + what).c_str(), 0.5, video, false,
          [](WayModel& model) {
            model.every = 15s;
            model.lasts = 200ms;
            model.spike = 140ms;
          });
    quiet(options, ("50 %, standstill 300 ms, " + what).c_str(), 0.5, video, false,
          [](WayModel& model) {
            model.every = 15s;
            model.lasts = 300ms;
            model.standstill = true;
          });
  }
}

}  // namespace
}  // namespace wormhole::testing

int main(int count, char** words) {
  wormhole::testing::Options options;
  for (int i = 1; i < count; ++i) {
    const std::string word = words[i];
    if (word == "--help") return std::fputs(wormhole::testing::kHelp, stdout) < 0;
    if (i + 1 < count && word == "--seeds") {
      options.seeds = std::strtoull(words[++i], nullptr, 10);
    } else if (i + 1 < count && word == "--first-seed") {
      options.first = std::strtoull(words[++i], nullptr, 10);
    } else {
      std::fprintf(stderr, "congestion_sim: '%s' is not known; see --help\n", words[i]);
      return 2;
    }
  }
  wormhole::testing::run_all(options);
  return 0;
}
