// CPU time of what each side does per handshake, and of what is done per packet. The goal for one
// side of a handshake is 300 µs: a server core then takes 3,000 reconnecting clients a second.
//   bench/handshake_bench --benchmark_repetitions=9 --benchmark_report_aggregates_only=true
#include "wormhole/crypto/handshake.hpp"

#include <benchmark/benchmark.h>

#include "wormhole/crypto/cookie.hpp"
#include "wormhole/crypto/seal.hpp"

namespace wormhole {
namespace {

/// The application's usual datagram: an RTP packet that fits every path.
constexpr std::size_t kDatagram = 1200;

struct Ends {
  SeededRng rng{1};
  KeyPair client = KeyPair::generate(rng);
  KeyPair server = KeyPair::generate(rng);
  HandshakeContext context{hop_prologue({1}), {2}, {}};
  std::array<std::uint8_t, kInitPayloadSize> init_payload{1, 1};
  std::array<std::uint8_t, kRespPayloadSize> resp_payload{1};
  std::array<std::uint8_t, kInitSize> init{};
  std::array<std::uint8_t, kRespSize> resp{};

  Ends() { crypto_init(); }

  Initiator begin() {
    Initiator initiator(client, server.public_key, context, rng);
    initiator.write_init(1, init_payload, std::nullopt, init);
    return initiator;
  }
  void answer() {
    auto responder = Responder::read_init(server, context, init);
    benchmark::DoNotOptimize(responder->write_resp(2, resp_payload, rng, resp));
  }
};

void initiator_side(benchmark::State& state) {
  Ends ends;
  for (auto _ : state) {
    auto initiator = ends.begin();
    state.PauseTiming();
    ends.answer();
    state.ResumeTiming();
    benchmark::DoNotOptimize(initiator.read_resp(ends.resp));
  }
}
BENCHMARK(initiator_side)->Unit(benchmark::kMicrosecond);

void responder_side(benchmark::State& state) {
  Ends ends;
  ends.begin();
  const auto key = mac1_key(ends.server.public_key, ends.context.knock);
  for (auto _ : state) {
    benchmark::DoNotOptimize(check_mac1(ends.init, key));
    ends.answer();
  }
}
BENCHMARK(responder_side)->Unit(benchmark::kMicrosecond);

void mac1_check(benchmark::State& state) {
  Ends ends;
  ends.begin();
  const auto key = mac1_key(ends.server.public_key, ends.context.knock);
  for (auto _ : state) benchmark::DoNotOptimize(check_mac1(ends.init, key));
}
BENCHMARK(mac1_check);

void cookie_answer(benchmark::State& state) {
  Ends ends;
  ends.begin();
  CookieJar jar(ends.server.public_key, ends.context.knock, ends.rng);
  const Endpoint from{IpAddress::v4(192, 0, 2, 1), 4000};
  std::array<std::uint8_t, kCookieSize> out{};
  for (auto _ : state) {
    benchmark::DoNotOptimize(jar.check_mac2(ends.init, from, TimePoint{1s}));
    jar.write_cookie(ends.init, from, TimePoint{1s}, out);
  }
}
BENCHMARK(cookie_answer);

void seal(benchmark::State& state) {
  Ends ends;
  const auto key = flow_key(ends.client.secret, "video");
  const Array<11> associated{};
  std::array<std::uint8_t, kDatagram + kTagSize> frame{};
  std::uint64_t counter = 0;
  for (auto _ : state) {
    seal_in_place(key, counter++, associated, MutBytes(frame).first(kDatagram));
    benchmark::DoNotOptimize(frame);
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * kDatagram));
}
BENCHMARK(seal);

/// Check, open, commit; the copy of the sealed frame (about 20 ns) is in it.
void open(benchmark::State& state) {
  Ends ends;
  const auto key = flow_key(ends.client.secret, "video");
  const Array<11> associated{};
  std::array<std::uint8_t, kDatagram + kTagSize> frame{};
  seal_in_place(key, 7, associated, MutBytes(frame).first(kDatagram));
  ReplayWindow window;
  std::uint64_t counter = 0;
  for (auto _ : state) {
    auto copy = frame;
    benchmark::DoNotOptimize(window.check(counter));
    benchmark::DoNotOptimize(open_in_place(key, 7, associated, copy));
    benchmark::DoNotOptimize(window.commit(counter++));
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * kDatagram));
}
BENCHMARK(open);

void hop_tag_of_a_frame(benchmark::State& state) {
  Ends ends;
  const auto key = hop_tag_key(ends.client.secret);
  Array<12> header{};
  for (auto _ : state) {
    ++header[8];
    benchmark::DoNotOptimize(hop_tag(key, header));
  }
}
BENCHMARK(hop_tag_of_a_frame);

}  // namespace
}  // namespace wormhole
