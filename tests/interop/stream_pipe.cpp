// One end of a StreamConnection whose datagrams come by stdin and leave by stdout, each behind its
// length (u16, network order), so that ends of two builds can talk: stream_pipe caller|listener
//
// Each end opens streams and writes a pattern; the other checks it and writes one of its own.
// What a full pipe does not take is lost, and so is one datagram in a hundred. 0: all was as
// it should be, at both ends.
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <map>
#include <string_view>
#include <vector>

#include "stream/ngtcp2_compat.hpp"
#include "wormhole/base/rng.hpp"
#include "wormhole/stream/stream_connection.hpp"

namespace wormhole {
namespace {

constexpr std::size_t kStreams = 40;
/// For all; a run takes a second or two.
constexpr Duration kLimit = 60s;
constexpr std::size_t kPrefix = 2;

TimePoint clock_now() {
  return TimePoint(
      std::chrono::duration_cast<Duration>(std::chrono::steady_clock::now().time_since_epoch()));
}

/// What one end writes to a stream, the whole and byte by byte; every fifth is long.
std::size_t length_of(StreamId stream, bool caller) {
  const auto id = static_cast<std::size_t>(stream.value);
  return (id % 5 == 0 ? 1'000'000 : 10'000) + id * 7 + (caller ? 0 : 1);
}
std::uint8_t pattern(StreamId stream, bool caller, std::size_t at) {
  return static_cast<std::uint8_t>(at * 131 + (at >> 8) * 17 +
                                   static_cast<std::size_t>(stream.value) * 7 + (caller ? 0 : 3));
}

class Pipe {
 public:
  Pipe() {
    std::signal(SIGPIPE, SIG_IGN);  // the other end may be done first
    fcntl(STDOUT_FILENO, F_SETFL, fcntl(STDOUT_FILENO, F_GETFL) | O_NONBLOCK);
  }

  /// `room` begins with kPrefix bytes for the length.
  void send(MutBytes room, std::size_t size) {
    room[0] = static_cast<std::uint8_t>(size >> 8);
    room[1] = static_cast<std::uint8_t>(size);
    // No more than PIPE_BUF: all of it or nothing.
    if (::write(STDOUT_FILENO, room.data(), kPrefix + size) < 0) ++lost;
  }
  /// False at the end.
  bool fill() {
    std::array<std::uint8_t, 65536> room;
    const ssize_t size = ::read(STDIN_FILENO, room.data(), room.size());
    if (size > 0) bytes_.insert(bytes_.end(), room.begin(), room.begin() + size);
    return size > 0;
  }
  /// Calls `with` for each whole datagram.
  template <typename With>
  void each(With with) {
    std::size_t at = 0;
    while (bytes_.size() - at >= kPrefix) {
      const std::size_t size = static_cast<std::size_t>(bytes_[at]) << 8 | bytes_[at + 1];
      if (bytes_.size() - at < kPrefix + size) break;
      with(Bytes(bytes_).subspan(at + kPrefix, size));
      at += kPrefix + size;
    }
    bytes_.erase(bytes_.begin(), bytes_.begin() + static_cast<std::ptrdiff_t>(at));
  }
  std::size_t lost = 0;

 private:
  std::vector<std::uint8_t> bytes_;
};

class End {
 public:
  explicit End(bool caller)
      : caller_(caller),
        rng_(caller ? 1 : 2),
        end_({.role = caller ? StreamRole::kCaller : StreamRole::kListener}, rng_, clock_now()) {}

  bool run() {
    const TimePoint limit = clock_now() + kLimit;
    service();
    while (!(is_done() && peer_done_) && clock_now() < limit && wait(limit)) service();
    report();
    return is_done() && peer_done_ && wrong_ == 0;
  }

 private:
  struct Talk {
    std::size_t written = 0;
    std::size_t read = 0;
    bool closed = false;
  };

  bool is_done() const { return opened_ == kStreams && closed_ == 2 * kStreams; }

  /// Until something arrives or is due; false when the other end has gone.
  bool wait(TimePoint limit) {
    const TimePoint due = std::min(end_.next_deadline(), limit);
    const auto left = std::max(Duration(0), due - clock_now());
    pollfd input{STDIN_FILENO, POLLIN, 0};
    const timespec time{.tv_sec = left.count() / 1'000'000'000,
                        .tv_nsec = left.count() % 1'000'000'000};
    if (ppoll(&input, 1, &time, nullptr) > 0 && !pipe_.fill()) return false;
    pipe_.each([this](Bytes datagram) { take(datagram); });
    end_.on_timeout(clock_now());
    return true;
  }

  void take(Bytes datagram) {
    if (datagram.empty()) {
      peer_done_ = true;
      return;
    }
    if (rng_.below(100) == 0) return;
    std::vector<std::uint8_t> room(datagram.begin(), datagram.end());
    room.resize(room.size() + kStreamTail);
    end_.on_datagram(room, clock_now());
  }

  void service() {
    bool more = true;
    while (more) {
      open_streams();
      while (const auto event = end_.next_event()) handle(*event);
      more = flush();
    }
    if (!is_done() || said_done_) return;
    said_done_ = true;
    // The other end may need acknowledgements still, so this one stays until it is done as well.
    std::array<std::uint8_t, kPrefix> nothing{};
    while (::write(STDOUT_FILENO, nothing.data(), nothing.size()) < 0 && errno == EAGAIN) {
    }
  }

  bool flush() {
    std::array<std::uint8_t, kPrefix + kMaxStreamDatagram + kStreamTail> room{};
    bool any = false;
    while (const std::size_t size =
               end_.next_datagram(MutBytes(room).subspan(kPrefix), clock_now())) {
      pipe_.send(room, size);
      any = true;
    }
    return any;
  }

  void open_streams() {
    while (opened_ < kStreams) {
      const auto stream = end_.open();
      if (!stream) return;
      ++opened_;
      write(*stream);
    }
    // In the middle of everything, as if the path had become another.
    if (!changed_ && closed_ > kStreams / 2) {
      changed_ = true;
      end_.on_path_change();
    }
  }

  void handle(const StreamEvent& event) {
    switch (event.kind) {
      case StreamEvent::Kind::kOpened:
      case StreamEvent::Kind::kWritable:
        return write(event.stream);
      case StreamEvent::Kind::kReadable:
        return read(event.stream);
      case StreamEvent::Kind::kFinished:
        wrong_ += talks_[event.stream.value].read != length_of(event.stream, !caller_);
        return;
      case StreamEvent::Kind::kClosed:
        ++closed_;
        return;
      case StreamEvent::Kind::kReset:
      case StreamEvent::Kind::kStopped:
        ++wrong_;
    }
  }

  void write(StreamId stream) {
    Talk& talk = talks_[stream.value];
    const std::size_t whole = length_of(stream, caller_);
    while (talk.written < whole) {
      MutBytes space = end_.write_space(stream);
      space = space.first(std::min(space.size(), whole - talk.written));
      if (space.empty()) return;
      for (std::uint8_t& byte : space) byte = pattern(stream, caller_, talk.written++);
      end_.commit(stream, space.size());
    }
    end_.finish(stream);
  }

  void read(StreamId stream) {
    Talk& talk = talks_[stream.value];
    for (Bytes bytes = end_.readable(stream); !bytes.empty(); bytes = end_.readable(stream)) {
      for (const std::uint8_t byte : bytes)
        wrong_ += byte != pattern(stream, !caller_, talk.read++);
      end_.consume(stream, bytes.size());
    }
  }

  void report() const {
    const StreamStatistics now = end_.statistics();
    std::fprintf(stderr,
                 "  %-8s libngtcp2 %-6s  %zu of %zu streams closed, %zu wrong; %.1f MB sent, %.1f "
                 "received, %.2f resent\n",
                 caller_ ? "caller" : "listener", NGTCP2_VERSION, closed_, 2 * kStreams, wrong_,
                 static_cast<double>(now.bytes_sent) / 1e6,
                 static_cast<double>(now.bytes_received) / 1e6,
                 static_cast<double>(now.bytes_resent) / 1e6);
  }

  const bool caller_;
  SeededRng rng_;
  StreamConnection end_;
  Pipe pipe_;
  std::map<std::int64_t, Talk> talks_;
  std::size_t opened_ = 0;
  std::size_t closed_ = 0;
  std::size_t wrong_ = 0;
  bool changed_ = false;
  bool said_done_ = false;
  bool peer_done_ = false;
};

}  // namespace
}  // namespace wormhole

int main(int argc, char** argv) {
  const std::string_view role = argc == 2 ? argv[1] : "";
  if (role != "caller" && role != "listener") {
    std::fprintf(stderr, "usage: %s caller|listener\n", argv[0]);
    return 2;
  }
  return wormhole::End(role == "caller").run() ? 0 : 1;
}
