// What streams get out of a bottleneck of 50 Mbit/s, in virtual time: the machine's speed and load
// do not matter, and a seed gives the same figures again.
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "streams_cpu.hpp"
#include "unit/stream/rig.hpp"

namespace wormhole::stream_test {
namespace {

constexpr std::uint64_t kRate = 50'000'000;
constexpr std::size_t kEndless = std::size_t{1} << 40;

StreamConfig config_of(Congestion congestion) {
  StreamConfig config;
  config.congestion = congestion;
  return config;
}

double mbit(std::size_t bytes, Duration time) {
  return static_cast<double>(bytes) * 8e3 / static_cast<double>(time.count());
}

/// Of one stream over `time`, from now on.
double rate(Rig& rig, StreamId stream, Duration time) {
  const std::size_t before = rig.talk(1, stream).read;
  rig.run_for(time);
  return mbit(rig.talk(1, stream).read - before, time);
}

double bulk(Congestion congestion, Duration rtt, double loss, double reorder, std::uint64_t seed) {
  Rig rig(seed, config_of(congestion));
  rig.set_way({.delay = rtt / 2, .loss = loss, .reorder = reorder, .bits_per_second = kRate});
  if (!rig.connect()) return 0;
  return rate(rig, rig.start(0, kEndless), 20s);
}

/// Mbit/s in the sixth second and in the fortieth after a switch from 20 to 150 ms of round trip.
std::pair<double, double> after_switch(Congestion congestion, Duration dark, double loss,
                                       std::uint64_t seed) {
  Rig rig(seed, config_of(congestion));
  rig.set_way({.delay = 10ms, .loss = loss, .bits_per_second = kRate});
  if (!rig.connect()) return {};
  const StreamId stream = rig.start(0, kEndless);
  rig.run_for(5s);
  rig.set_up(false);
  rig.run_for(dark);
  rig.set_way({.delay = 75ms, .loss = loss, .bits_per_second = kRate});
  rig.path_change();
  rig.run_for(5s);
  const double sixth = rate(rig, stream, 1s);
  rig.run_for(33s);
  return {sixth, rate(rig, stream, 1s)};
}

void print_bulk(Congestion congestion, const char* name, std::uint64_t seed) {
  std::printf("| %s, Mbit/s | no loss | 1 %% loss | 2 %% reordered |\n", name);
  std::printf("| --- | --- | --- | --- |\n");
  for (const Duration rtt : {20ms, 60ms, 150ms}) {
    std::printf("| round trip %3lld ms | %4.1f | %4.1f | %4.1f |\n",
                static_cast<long long>(to_ms(rtt)), bulk(congestion, rtt, 0, 0, seed),
                bulk(congestion, rtt, 0.01, 0, seed), bulk(congestion, rtt, 0, 0.02, seed));
  }
}

void print_switches(Congestion congestion, const char* name, std::uint64_t seed) {
  for (const double loss : {0.0, 0.01}) {
    for (const Duration dark : {Duration(0s), Duration(3s), Duration(30s)}) {
      const auto [sixth, fortieth] = after_switch(congestion, dark, loss, seed);
      std::printf("| %s, after %2lld s dark, %.0f %% loss | %4.1f | %4.1f |\n", name,
                  static_cast<long long>(to_ms(dark) / 1000), loss * 100, sixth, fortieth);
    }
  }
}

/// 1,000 streams of 20 kB: their time against the link's, and how evenly they had shared half-way.
void print_many(std::uint64_t seed) {
  constexpr std::size_t kStreams = 1000;
  constexpr std::size_t kBytes = 20'000;
  const double ideal = kStreams * kBytes * 8.0 / static_cast<double>(kRate);
  Rig rig(seed);
  rig.set_way({.bits_per_second = kRate});
  if (!rig.connect()) return;
  const TimePoint begun = rig.now();
  for (std::size_t i = 0; i < kStreams; ++i) rig.start(0, kBytes);
  rig.run_for(Duration(static_cast<std::int64_t>(ideal * 5e8)));
  double sum = 0;
  double squares = 0;
  for (const auto& [id, talk] : rig.talks[1]) {
    const auto read = static_cast<double>(talk.read);
    sum += read;
    squares += read * read;
  }
  rig.run_until([&] { return rig.end(1).statistics().bytes_received == kStreams * kBytes; }, 60s);
  std::printf("1,000 streams of 20 kB: %.2f x ideal, Jain %.3f\n",
              static_cast<double>((rig.now() - begun).count()) / 1e9 / ideal,
              sum * sum / (kStreams * squares));
}

int run(std::uint64_t seed) {
  print_bulk(Congestion::kBbr, "bbr", seed);
  print_bulk(Congestion::kCubic, "cubic", seed);
  std::printf("| 20 -> 150 ms, Mbit/s | 6th second | 40th |\n| --- | --- | --- |\n");
  print_switches(Congestion::kBbr, "bbr", seed);
  print_switches(Congestion::kCubic, "cubic", seed);
  print_many(seed);
  return 0;
}

}  // namespace
}  // namespace wormhole::stream_test

int main(int argc, char** argv) {
  if (argc > 1 && std::strcmp(argv[1], "--cpu") == 0) {
    wormhole::stream_bench::print_cpu();
    return 0;
  }
  return wormhole::stream_test::run(argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1);
}
