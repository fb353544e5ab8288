// Processor time of both ends together, in bulk and without sockets: how much of a
// client's is the stream room's.
#include "streams_cpu.hpp"

#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <vector>

#include "wormhole/base/result.hpp"
#include "wormhole/base/rng.hpp"
#include "wormhole/crypto/seal.hpp"
#include "wormhole/stream/stream_connection.hpp"

namespace wormhole::stream_bench {
namespace {

/// Enough for half a second.
constexpr std::size_t kBytes = 200'000'000;
/// One way; with the pace that BBR finds it keeps a few hundred datagrams under way.
constexpr Duration kDelay = 500us;
/// What one wake-up of a client reads from its socket at most.
constexpr std::size_t kBatch = 32;

double processor_ns() {
  timespec time{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e9 + static_cast<double>(time.tv_nsec);
}

struct Datagram {
  TimePoint arrives;
  std::size_t size = 0;
  std::array<std::uint8_t, 2048> bytes;
};

/// One direction; what it has no room for is lost.
struct Way {
  std::vector<Datagram> ring = std::vector<Datagram>(4096);
  std::size_t first = 0;
  std::size_t count = 0;
  Datagram& front() { return ring[first]; }
  Datagram& next() { return ring[(first + count) % ring.size()]; }
  void pop() {
    first = (first + 1) % ring.size();
    --count;
  }
};

class Pair {
 public:
  Pair(bool seals, std::size_t max_datagram)
      : seals_(seals),
        ends_{StreamConnection{
                  {.role = StreamRole::kCaller, .max_datagram = max_datagram}, rng_, now_},
              StreamConnection{
                  {.role = StreamRole::kListener, .max_datagram = max_datagram}, rng_, now_}} {}

  /// ns of both ends for each byte.
  double run(std::size_t streams) {
    send(0);
    while (ends_[0].state() != StreamState::kUp || ends_[1].state() != StreamState::kUp) step();
    for (std::size_t i = 0; i < streams; ++i) fill(ends_[0].open().value());
    while (read_ < kBytes / 10) step();  // warm, and at full rate
    const std::size_t from = read_;
    const double begun = processor_ns();
    while (read_ < kBytes) step();
    return (processor_ns() - begun) / static_cast<double>(read_ - from);
  }

 private:
  /// To the next arrival or timer.
  void step() {
    TimePoint next = std::min(ends_[0].next_deadline(), ends_[1].next_deadline());
    for (const auto& way : ways_) {
      if (way.count > 0) next = std::min(next, way.ring[way.first].arrives);
    }
    now_ = std::max(now_, next);
    for (std::size_t side = 0; side < 2; ++side) {
      receive(side);
      ends_[side].on_timeout(now_);
      if (side == 1) drain();
      send(side);
    }
  }

  void receive(std::size_t side) {
    Way& way = ways_[1 - side];
    for (std::size_t i = 0; i < kBatch && way.count > 0 && way.front().arrives <= now_; ++i) {
      const std::size_t size = way.front().size;
      const MutBytes bytes(way.front().bytes);
      if (seals_) WH_ASSERT(open_in_place(key_, opened_[side]++, {}, bytes.first(size + kTagSize)));
      ends_[side].on_datagram(bytes.first(size + kStreamTail), now_);
      way.pop();
    }
  }

  void send(std::size_t side) {
    Way& way = ways_[side];
    for (bool more = true; more && way.count < way.ring.size();) {
      if (side == 0) fill();
      Datagram& datagram = way.next();
      datagram.size = ends_[side].next_datagram(datagram.bytes, now_);
      more = datagram.size > 0;
      if (!more) break;
      datagram.arrives = now_ + kDelay;
      ++way.count;
      if (!seals_) continue;
      seal_in_place(key_, sealed_[side]++, {}, MutBytes(datagram.bytes).first(datagram.size));
    }
  }

  /// As a client fills the room from a socket, but nothing is copied here.
  void fill(StreamId stream) {
    for (MutBytes space = ends_[0].write_space(stream); !space.empty();
         space = ends_[0].write_space(stream)) {
      ends_[0].commit(stream, space.size());
    }
  }
  void fill() {
    while (const auto event = ends_[0].next_event()) fill(event->stream);
  }

  void drain() {
    while (const auto event = ends_[1].next_event()) {
      for (Bytes bytes = ends_[1].readable(event->stream); !bytes.empty();
           bytes = ends_[1].readable(event->stream)) {
        read_ += bytes.size();
        ends_[1].consume(event->stream, bytes.size());
      }
    }
  }

  const bool seals_;
  SeededRng rng_{1};
  TimePoint now_{};
  std::array<StreamConnection, 2> ends_;
  std::array<Way, 2> ways_;
  SecretKey key_;
  std::array<std::uint64_t, 2> sealed_{};
  std::array<std::uint64_t, 2> opened_{};
  std::size_t read_ = 0;
};

}  // namespace

void print_cpu() {
  std::printf("| ns/byte, both ends | alone | sealed |\n| --- | --- | --- |\n");
  for (const std::size_t size : {1240u, 1400u}) {
    for (const std::size_t streams : {1u, 500u}) {
      std::printf("| %zu streams, datagrams of %zu bytes | %.2f | %.2f |\n", streams, size,
                  Pair(false, size).run(streams), Pair(true, size).run(streams));
    }
  }
}

}  // namespace wormhole::stream_bench
