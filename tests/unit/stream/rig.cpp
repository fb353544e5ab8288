#include "unit/stream/rig.hpp"

#include <algorithm>

namespace wormhole::stream_test {
namespace {

StreamConfig with_role(StreamConfig config, StreamRole role) {
  config.role = role;
  return config;
}

std::size_t at(int side) { return static_cast<std::size_t>(side); }

}  // namespace

std::uint8_t pattern(int side, StreamId stream, std::size_t offset) {
  const auto id = static_cast<std::size_t>(stream.value);
  return static_cast<std::uint8_t>(offset * 131 + (offset >> 8) * 17 + id * 7 + at(side) * 3);
}

Rig::Rig(std::uint64_t seed, StreamConfig config)
    : path_rng_(seed), end_rngs_{SeededRng(seed * 2 + 1), SeededRng(seed * 2 + 2)} {
  for (int side = 0; side < 2; ++side) {
    const StreamRole role = side == 0 ? StreamRole::kCaller : StreamRole::kListener;
    ends_[at(side)] =
        std::make_unique<StreamConnection>(with_role(config, role), end_rngs_[at(side)], now_);
  }
}

bool Rig::connect() {
  service(0);
  return run_until(
      [this] { return end(0).state() == StreamState::kUp && end(1).state() == StreamState::kUp; },
      10s);
}

StreamId Rig::start(int side, std::size_t bytes, bool finish) {
  const StreamId stream = end(side).open().value();
  Talk& mine = talk(side, stream);
  mine.to_write = bytes;
  mine.finish = finish;
  go_on(side, stream);
  return stream;
}

void Rig::go_on(int side, StreamId stream) {
  Talk& mine = talk(side, stream);
  while (mine.written < mine.to_write) {
    MutBytes space = end(side).write_space(stream);
    space = space.first(std::min(space.size(), mine.to_write - mine.written));
    if (space.empty()) break;
    for (std::size_t i = 0; i < space.size(); ++i) {
      space[i] = pattern(side, stream, mine.written + i);
    }
    end(side).commit(stream, space.size());
    mine.written += space.size();
  }
  if (mine.finish && !mine.finish_said && mine.written == mine.to_write) {
    mine.finish_said = true;
    end(side).finish(stream);
  }
  after(0s, [this, side] { service(side); });
}

void Rig::read(int side, StreamId stream, std::size_t most) {
  Talk& mine = talk(side, stream);
  while (most > 0) {
    const Bytes bytes = end(side).readable(stream);
    const std::size_t size = std::min(bytes.size(), most);
    if (size == 0) break;
    for (std::size_t i = 0; i < size; ++i) {
      mine.corrupt |= bytes[i] != pattern(1 - side, stream, mine.read + i);
    }
    mine.read += size;
    most -= size;
    end(side).consume(stream, size);
  }
  after(0s, [this, side] { service(side); });
}

void Rig::path_back() {
  for (int side = 0; side < 2; ++side) {
    end(side).on_path_back();
    service(side);
  }
}

void Rig::path_change() {
  for (int side = 0; side < 2; ++side) {
    end(side).on_path_change();
    service(side);
  }
}

void Rig::handle(int side, const StreamEvent& event) {
  using Kind = StreamEvent::Kind;
  Talk& mine = talk(side, event.stream);
  switch (event.kind) {
    case Kind::kOpened:
      if (on_opened) on_opened(side, event.stream, mine);
      go_on(side, event.stream);
      break;
    case Kind::kReadable:
      if (mine.reads) read(side, event.stream, SIZE_MAX);
      break;
    case Kind::kFinished:
      mine.ended = true;
      break;
    case Kind::kReset:
      mine.reset = true;
      mine.code = event.code;
      break;
    case Kind::kStopped:
      mine.stopped = true;
      break;
    case Kind::kWritable:
      go_on(side, event.stream);
      break;
    case Kind::kClosed:
      mine.closed = true;
      break;
  }
  if (on_event) on_event(side, event);
}

void Rig::service(int side) {
  while (const auto event = end(side).next_event()) handle(side, *event);
  std::array<std::uint8_t, kMaxStreamDatagram + kStreamTail> room{};
  while (const std::size_t size = end(side).next_datagram(room, now_)) {
    carry(side, Bytes(room).first(size));
  }
  while (const auto event = end(side).next_event()) handle(side, *event);
  set_timer(side);
}

void Rig::set_timer(int side) {
  const TimePoint due = std::max(end(side).next_deadline(), now_);
  if (due == timers_[at(side)]) return;
  timers_[at(side)] = due;
  if (due == kNever) return;
  queue_.at(due, [this, side, due] {
    if (timers_[at(side)] != due) return;
    timers_[at(side)] = kNever;
    end(side).on_timeout(now_);
    service(side);
  });
}

bool Rig::chance(double share) { return share > 0 && path_rng_.below(1'000'000) < share * 1e6; }

void Rig::carry(int side, Bytes datagram) {
  for (const std::uint8_t byte : datagram) trace_ = (trace_ ^ byte) * 1099511628211u;
  trace_ = (trace_ ^ static_cast<std::uint64_t>(now_.time_since_epoch().count())) * 1099511628211u;
  std::vector<std::uint8_t> copy(datagram.begin(), datagram.end());
  if (on_sent && !on_sent(side, copy)) return;
  const Way& way = ways[at(side)];
  if (!way.up) return;
  TimePoint leaves = now_;
  if (way.bits_per_second > 0) {
    TimePoint& free_at = free_at_[at(side)];
    if (free_at > now_ + way.queue) return;
    const std::uint64_t bits = (datagram.size() + kAround) * 8;
    free_at = std::max(free_at, now_) +
              Duration(static_cast<std::int64_t>(bits * 1'000'000'000 / way.bits_per_second));
    leaves = free_at;
  }
  if (chance(way.loss)) return;
  const TimePoint arrives = leaves + way.delay + (chance(way.reorder) ? 5ms : 0ms);
  if (chance(way.duplicate)) deliver_at(arrives + 1ms, 1 - side, copy);
  deliver_at(arrives, 1 - side, std::move(copy));
}

void Rig::deliver_at(TimePoint when, int side, std::vector<std::uint8_t> datagram) {
  queue_.at(when, [this, side, bytes = std::move(datagram)]() mutable { inject(side, bytes); });
}

void Rig::inject(int side, std::vector<std::uint8_t> datagram) {
  datagram.resize(datagram.size() + kStreamTail, 0xAA);
  end(side).on_datagram(datagram, now_);
  service(side);
}

void Rig::after(Duration delay, std::function<void()> action) {
  queue_.at(now_ + delay, std::move(action));
}

void Rig::run_for(Duration duration) {
  run_until([] { return false; }, duration);
}

bool Rig::run_until(const std::function<bool()>& done, Duration limit) {
  const TimePoint end_of_time = now_ + limit;
  while (!done()) {
    if (queue_.next() > end_of_time) {
      now_ = end_of_time;
      return false;
    }
    now_ = queue_.next();
    queue_.run_next();
  }
  return true;
}

}  // namespace wormhole::stream_test
