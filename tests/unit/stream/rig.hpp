// Two ends of a StreamConnection, joined by a made-up path in virtual time, with an application at
// each that writes known bytes and checks what it reads.
#pragma once

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sim/event_queue.hpp"
#include "wormhole/base/rng.hpp"
#include "wormhole/stream/stream_connection.hpp"

namespace wormhole::stream_test {

/// One direction of a path. Shares are per datagram, 0–1.
struct Way {
  Duration delay = 10ms;
  double loss = 0;
  double duplicate = 0;
  double reorder = 0;                 ///< held back by 5 ms, so that later ones overtake
  std::uint64_t bits_per_second = 0;  ///< 0: no limit
  Duration queue = 100ms;
  bool up = true;
};

/// UDP and IPv4 headers and what sealing adds: what a link's rate is spent on beside the datagram.
inline constexpr std::size_t kAround = 56;

/// What the application of one end knows of a stream.
struct Talk {
  std::size_t to_write = 0;
  std::size_t written = 0;
  bool finish = true;  ///< after the last byte
  bool finish_said = false;
  bool reads = true;
  std::size_t read = 0;
  bool corrupt = false;
  bool ended = false;  ///< the other end's finish was read
  bool reset = false;  ///< by the other end, with `code`
  bool stopped = false;
  bool closed = false;
  std::uint64_t code = 0;
};

std::uint8_t pattern(int side, StreamId stream, std::size_t offset);

class Rig {
 public:
  explicit Rig(std::uint64_t seed = 1, StreamConfig config = {});

  StreamConnection& end(int side) { return *ends_[static_cast<std::size_t>(side)]; }
  Talk& talk(int side, StreamId stream) {
    return talks[static_cast<std::size_t>(side)][stream.value];
  }
  /// Both directions.
  void set_way(const Way& way) { ways = {way, way}; }
  void set_up(bool up) { ways[0].up = ways[1].up = up; }
  /// Runs until both ends are up; false when they are not after 10 s.
  bool connect();

  /// Opens a stream at `side` and begins to write `bytes` of its pattern. Contract: it can.
  StreamId start(int side, std::size_t bytes, bool finish = true);
  /// Goes on with a stream after its Talk was changed.
  void go_on(int side, StreamId stream);
  /// Reads what there is, at most `most` bytes.
  void read(int side, StreamId stream, std::size_t most);
  void path_back();
  void path_change();

  void run_for(Duration duration);
  /// False when it was not so within `limit`.
  bool run_until(const std::function<bool()>& done, Duration limit);
  void after(Duration delay, std::function<void()> action);
  /// Lets an end say what it has to say.
  void service(int side);
  /// Hands a datagram to an end, now.
  void inject(int side, std::vector<std::uint8_t> datagram);

  TimePoint now() const { return now_; }
  std::uint64_t trace() const { return trace_; }

  std::array<Way, 2> ways;  ///< [side]: from it
  std::array<std::map<std::int64_t, Talk>, 2> talks;
  /// What the other end's application does with a new stream; by default it only reads.
  std::function<void(int side, StreamId stream, Talk& talk)> on_opened;
  /// Called before a datagram goes on its way; false: it does not.
  std::function<bool(int side, std::vector<std::uint8_t>& datagram)> on_sent;
  std::function<void(int side, const StreamEvent& event)> on_event;

 private:
  void handle(int side, const StreamEvent& event);
  void carry(int side, Bytes datagram);
  void deliver_at(TimePoint when, int side, std::vector<std::uint8_t> datagram);
  void set_timer(int side);
  bool chance(double share);

  SeededRng path_rng_;
  std::array<SeededRng, 2> end_rngs_;
  std::array<std::unique_ptr<StreamConnection>, 2> ends_;
  std::array<TimePoint, 2> free_at_{};
  std::array<TimePoint, 2> timers_{kNever, kNever};
  sim::EventQueue queue_;
  TimePoint now_{};
  std::uint64_t trace_ = 14695981039346656037u;  ///< FNV-1a of all datagrams and their times
};

}  // namespace wormhole::stream_test
