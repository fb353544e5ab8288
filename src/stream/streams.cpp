// What the owner asks of single streams, and what it is told.
#include <algorithm>

#include "stream/machine.hpp"
#include "wormhole/base/result.hpp"

namespace wormhole {
namespace {

/// One stream's receive window at most: a stalled reader holds no more, and it stays below the
/// thousand gaps in one stream that the library can keep.
constexpr std::uint64_t kStreamWindow = std::uint64_t{2} << 20;

/// Bytes of one stream that may wait to be sent: 2 ms at 1 Gbit/s, which is more than an owner is
/// away from its sockets. More would be held for nothing while the peer's reader stands still.
constexpr std::size_t kUnsent = 256 * 1024;

constexpr std::uint8_t bit(StreamEvent::Kind kind) {
  return static_cast<std::uint8_t>(1u << static_cast<unsigned>(kind));
}

}  // namespace

StreamConnection::Machine::Stream* StreamConnection::Machine::find(std::int64_t id) {
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : &found->second;
}

const StreamConnection::Machine::Stream* StreamConnection::Machine::find(std::int64_t id) const {
  const auto found = streams_.find(id);
  return found == streams_.end() ? nullptr : &found->second;
}

std::optional<StreamId> StreamConnection::Machine::open() {
  if (state() != StreamState::kUp) return std::nullopt;
  std::optional<std::int64_t> id;
  if (streams_.size() < config_.max_streams) id = quic_.open();
  if (!id) {
    ++counts_.refused;
    return std::nullopt;
  }
  Stream& stream = streams_[*id];
  stream.own = true;
  ++counts_.opened;
  queue(*id, stream);
  return StreamId{*id};
}

// --- Writing ----------------------------------------------------------------

/// A stream may hold as much as is free (Choudhury and Hahne's dynamic threshold): few use nearly
/// all memory, many share it, and something is left for the next one.
bool StreamConnection::Machine::has_room(const Stream& stream) const {
  if (stream.outgoing.size() >= config_.max_unacked || stream.outgoing.ahead() >= kUnsent) {
    return false;
  }
  if (stream.outgoing.tail_room() > 0) return true;
  const std::size_t free = send_pool_.free();
  return free >= kBlockBytes && stream.outgoing.memory() <= free;
}

void StreamConnection::Machine::want_room(std::int64_t id, Stream& stream) {
  stream.wants_room = true;
  if (stream.starved || stream.outgoing.memory() > 0) return;  // its own acknowledgements wake it
  stream.starved = true;
  starved_.push_back(id);
}

// Half of what may wait is gone: said for each packet, an owner would be busy with nothing else.
void StreamConnection::Machine::tell_if_sent(std::int64_t id, Stream& stream) {
  if (stream.wants_room && stream.outgoing.ahead() <= kUnsent / 2) tell_if_room(id, stream);
}

void StreamConnection::Machine::tell_if_room(std::int64_t id, Stream& stream) {
  if (!has_room(stream)) return want_room(id, stream);
  stream.wants_room = false;
  tell(id, stream, Kind::kWritable);
}

void StreamConnection::Machine::feed_starved() {
  for (std::size_t room = send_pool_.free() / kBlockBytes; room > 0 && !starved_.empty(); --room) {
    const std::int64_t id = starved_.front();
    starved_.pop_front();
    Stream* const stream = find(id);
    if (stream == nullptr) continue;
    stream->starved = false;
    if (stream->wants_room) tell_if_room(id, *stream);
  }
}

MutBytes StreamConnection::Machine::write_space(StreamId id) {
  Stream* const stream = find(id.value);
  if (stream == nullptr || stream->finished || stream->dead || stream->over) return {};
  if (stream->given_up == GivenUp::kBoth) return {};
  if (!has_room(*stream)) {
    want_room(id.value, *stream);
    return {};
  }
  const MutBytes space = stream->outgoing.space(send_pool_);
  return space.first(std::min({space.size(), config_.max_unacked - stream->outgoing.size(),
                               kUnsent - stream->outgoing.ahead()}));
}

void StreamConnection::Machine::commit(StreamId id, std::size_t size) {
  Stream* const stream = find(id.value);
  if (stream == nullptr) return;
  stream->outgoing.extend(size);
  if (stream->outgoing.size() == 0) stream->outgoing.clear(send_pool_);
  queue(id.value, *stream);
}

std::size_t StreamConnection::Machine::write(StreamId id, Bytes bytes) {
  std::size_t written = 0;
  while (written < bytes.size()) {
    const MutBytes space = write_space(id);
    if (space.empty()) break;
    const std::size_t size = std::min(space.size(), bytes.size() - written);
    copy_bytes(bytes.subspan(written, size), space);
    commit(id, size);
    written += size;
  }
  return written;
}

void StreamConnection::Machine::finish(StreamId id) {
  Stream* const stream = find(id.value);
  if (stream == nullptr || stream->given_up == GivenUp::kBoth) return;
  stream->finished = true;
  queue(id.value, *stream);
}

// --- Reading ----------------------------------------------------------------

Bytes StreamConnection::Machine::readable(StreamId id) const {
  const Stream* const stream = find(id.value);
  return stream == nullptr ? Bytes{} : stream->incoming.front();
}

void StreamConnection::Machine::consume(StreamId id, std::size_t size) {
  Stream* const stream = find(id.value);
  if (stream == nullptr) return;
  size = std::min(size, stream->incoming.size());  // a reset may have dropped it
  if (size == 0) return;
  stream->incoming.pop(size, receive_pool_);
  std::uint64_t credit = size;
  // The window grows while the reader keeps up and memory is not short.
  const bool keeps_up = stream->incoming.size() == 0;
  if (keeps_up && receive_pool_.free() > config_.receive_memory / 2) {
    const std::uint64_t growth = std::min<std::uint64_t>(size, kStreamWindow - stream->window);
    stream->window += growth;
    credit += growth;
  }
  if (!stream->over) quic_.grant_stream(id.value, credit);
  pay_credit();
  tell_if_finished(id.value, *stream);
  tell_if_over(id.value, *stream);
}

void StreamConnection::Machine::drop_incoming(Stream& stream) {
  stream.incoming.clear(receive_pool_);
  if (state() != StreamState::kBroken) pay_credit();
}

void StreamConnection::Machine::stop_reading(StreamId id) {
  Stream* const stream = find(id.value);
  if (stream == nullptr || stream->given_up != GivenUp::kNothing) return;
  give_up(id.value, *stream, GivenUp::kReading, kStreamStopped);
}

void StreamConnection::Machine::reset(StreamId id, std::uint64_t code) {
  Stream* const stream = find(id.value);
  if (stream == nullptr || stream->given_up == GivenUp::kBoth) return;
  give_up(id.value, *stream, GivenUp::kBoth, code);
}

// A RESET_STREAM that overtakes the stream's first bytes leaves it half open for ever, on both
// ends (libngtcp2 0.12, which a peer may have): it waits until the peer has acknowledged some. When
// nothing was ever written, the end of the stream is what can be acknowledged.
void StreamConnection::Machine::give_up(std::int64_t id, Stream& stream, GivenUp what,
                                        std::uint64_t code) {
  stream.given_up = what;
  stream.code = code;
  const bool both = what == GivenUp::kBoth;
  stream.untold &= static_cast<std::uint8_t>(both ? bit(Kind::kClosed)
                                                  : ~(bit(Kind::kReadable) | bit(Kind::kFinished)));
  drop_incoming(stream);
  tell_if_over(id, stream);
  if (stream.over) return;
  stream.held = stream.own && !stream.known;
  if (both && stream.outgoing.size() == 0) stream.finished = true;
  if (stream.held) return queue(id, stream);
  quic_.stop(id);
  if (!both) return;
  quic_.reset(id, code);  // which the peer does not hear of when this end had finished before
  stream.dead = true;
}

// --- Events -----------------------------------------------------------------

void StreamConnection::Machine::tell(std::int64_t id, Stream& stream, Kind kind) {
  stream.untold |= bit(kind);
  if (stream.in_events) return;
  stream.in_events = true;
  events_.push_back(id);
}

void StreamConnection::Machine::tell_if_finished(std::int64_t id, Stream& stream) {
  if (stream.end_received && !stream.end_told && stream.incoming.size() == 0) {
    stream.end_told = true;
    tell(id, stream, Kind::kFinished);
  }
}

void StreamConnection::Machine::tell_if_over(std::int64_t id, Stream& stream) {
  if (stream.over && stream.incoming.size() == 0) tell(id, stream, Kind::kClosed);
}

std::optional<StreamEvent> StreamConnection::Machine::next_event() {
  while (!events_.empty()) {
    const std::int64_t id = events_.front();
    const auto found = streams_.find(id);
    Stream& stream = found->second;
    for (const Kind kind : {Kind::kOpened, Kind::kReadable, Kind::kFinished, Kind::kReset,
                            Kind::kStopped, Kind::kWritable, Kind::kClosed}) {
      if ((stream.untold & bit(kind)) == 0) continue;
      stream.untold &= static_cast<std::uint8_t>(~bit(kind));
      const StreamEvent event{kind, StreamId{id}, kind == Kind::kReset ? stream.code : 0};
      if (kind == Kind::kClosed) forget(id, stream);
      return event;
    }
    stream.in_events = false;
    events_.pop_front();
  }
  return std::nullopt;
}

void StreamConnection::Machine::forget(std::int64_t id, Stream& stream) {
  WH_ASSERT(events_.front() == id);
  events_.pop_front();
  stream.outgoing.clear(send_pool_);
  const bool own = stream.own;
  streams_.erase(id);
  ++counts_.closed;
  if (!own && state() != StreamState::kBroken) quic_.grant_open();
}

StreamStatistics StreamConnection::Machine::statistics() const {
  StreamStatistics now = counts_;
  const quic::ConnectionInfo info = quic_.info();
  const std::uint64_t put_on_wire = quic_.notes().stream_bytes_sealed;
  now.open = streams_.size();
  now.bytes_resent = put_on_wire - std::min(put_on_wire, counts_.bytes_sent);
  now.numbers_mismatched = quic_.notes().mismatched;
  now.send_memory = send_pool_.used();
  now.receive_memory = receive_pool_.used();
  now.window = info.cwnd;
  now.in_flight = info.bytes_in_flight;
  // Before the first sample the library has a guess, and no least.
  const bool sampled = info.min_rtt != 0 && info.min_rtt != UINT64_MAX;
  now.least_rtt = Duration(sampled ? static_cast<std::int64_t>(info.min_rtt) : 0);
  now.smoothed_rtt = Duration(sampled ? static_cast<std::int64_t>(info.smoothed_rtt) : 0);
  return now;
}

}  // namespace wormhole
