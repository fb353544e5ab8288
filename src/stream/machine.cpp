#include "stream/machine.hpp"

#include <algorithm>

#include "wormhole/base/result.hpp"

namespace wormhole {
namespace {

/// To a peer that has not heard that it is over; then it must find out by its own means.
constexpr unsigned kFarewells = 8;
/// Blocks of one offer: two hold the longest datagram.
constexpr std::size_t kParts = 2;
/// Datagrams of one instant, in bytes: the largest burst of RFC 9002, 7.7 and of BBR. After an
/// outage of minutes libngtcp2 1.11 believes in any rate, and would send its whole window at once.
constexpr std::size_t kMostAtOnce = 64 * 1024;
/// 64 KiB each 100 µs are 5 Gbit/s.
constexpr Duration kInstant = 100us;

}  // namespace

StreamConnection::Machine::Machine(const StreamConfig& config, Rng& rng, TimePoint now)
    : config_(config),
      max_datagram_(config.max_datagram),
      send_pool_(config.send_memory),
      receive_pool_(config.receive_memory),
      quic_(config, rng, *this, now) {
  WH_ASSERT(max_datagram_ >= kMinStreamDatagram && max_datagram_ <= kMaxStreamDatagram);
}

StreamConnection::Machine::~Machine() {
  for (auto& [id, stream] : streams_) {
    stream.outgoing.clear(send_pool_);
    stream.incoming.clear(receive_pool_);
  }
}

// --- Datagrams in -----------------------------------------------------------

void StreamConnection::Machine::on_datagram(MutBytes with_tail, TimePoint now) {
  ++counts_.datagrams_received;
  if (state() == StreamState::kBroken) {
    farewell_due_ = farewells_left_ > 0;
    ++counts_.datagrams_ignored;
    return;
  }
  if (!quic_.read(with_tail, now)) ++counts_.datagrams_ignored;
  no_credit_ = false;
  break_hush();
  settle();
}

void StreamConnection::Machine::on_timeout(TimePoint now) {
  if (now >= goes_on_) goes_on_ = kNever;
  quic_.run_timer(now);
  settle();
}

void StreamConnection::Machine::on_opened(std::int64_t id) {
  if (streams_.size() >= config_.max_streams) {
    ++counts_.refused;
    refused_.push_back(id);
    return;
  }
  Stream& stream = streams_[id];
  stream.announced = true;
  ++counts_.opened;
  tell(id, stream, Kind::kOpened);
}

void StreamConnection::Machine::on_data(std::int64_t id, Bytes bytes, bool last) {
  received(bytes.size());
  Stream* const stream = find(id);
  if (stream == nullptr || stream->given_up != GivenUp::kNothing) return;
  if (!bytes.empty()) {
    const bool was_empty = stream->incoming.size() == 0;
    stream->incoming.append(bytes, receive_pool_);
    if (was_empty) tell(id, *stream, Kind::kReadable);
  }
  stream->end_received |= last;
  tell_if_finished(id, *stream);
}

// The connection's credit is given on receipt: given on consumption, stalled readers would block
// all others. What they may hold is bounded by their own windows, and here by the memory of all.
void StreamConnection::Machine::received(std::size_t size) {
  counts_.bytes_received += size;
  if (owed_credit_ == 0 && size > 0 && receive_pool_.free() == 0) ++counts_.credit_withheld;
  owed_credit_ += size;
  pay_credit();
}

void StreamConnection::Machine::pay_credit() {
  if (owed_credit_ == 0 || receive_pool_.free() == 0) return;
  quic_.grant(owed_credit_);
  owed_credit_ = 0;
}

void StreamConnection::Machine::on_acked(std::int64_t id, std::uint64_t offset) {
  Stream* const stream = find(id);
  if (stream == nullptr) return;
  stream->known = true;
  if (stream->held) ripe_.push_back(id);
  stream->held = false;
  stream->outgoing.pop(static_cast<std::size_t>(offset - stream->acknowledged), send_pool_);
  stream->acknowledged = offset;
  tell_if_sent(id, *stream);
  feed_starved();
}

// A reset ends both directions, so this end resets as well. What only answers stop_reading() says
// so by its code and concerns that direction alone.
void StreamConnection::Machine::on_reset(std::int64_t id, std::uint64_t code) {
  Stream* const stream = find(id);
  if (stream == nullptr || stream->given_up == GivenUp::kBoth) return;
  if (stream->given_up == GivenUp::kReading && code == kStreamStopped) return;
  stop_sending(id, *stream);
  drop_incoming(*stream);
  stream->code = code;
  tell(id, *stream, Kind::kReset);
}

void StreamConnection::Machine::on_stopped(std::int64_t id) {
  Stream* const stream = find(id);
  if (stream == nullptr || stream->dead) return;
  stop_sending(id, *stream);
  if (stream->given_up != GivenUp::kBoth) tell(id, *stream, Kind::kStopped);
}

void StreamConnection::Machine::stop_sending(std::int64_t id, Stream& stream) {
  if (stream.dead) return;
  stream.dead = true;
  stopped_.push_back(id);
}

void StreamConnection::Machine::on_stream_credit(std::int64_t id) {
  Stream* const stream = find(id);
  if (stream == nullptr) return;
  stream->no_credit = false;
  queue(id, *stream);
}

void StreamConnection::Machine::on_closed(std::int64_t id) {
  Stream* const stream = find(id);
  if (stream == nullptr) {  // it was refused
    if (!quic_.is_own(id)) quic_.grant_open();
    return;
  }
  stream->outgoing.clear(send_pool_);
  stream->over = true;
  tell_if_over(id, *stream);
  feed_starved();
}

// What may not be done while the library calls.
void StreamConnection::Machine::settle() {
  if (state() == StreamState::kBroken) return break_streams();
  for (const std::int64_t id : refused_) {
    quic_.stop(id);
    quic_.reset(id, kStreamRefused);
  }
  refused_.clear();
  for (const std::int64_t id : stopped_) quic_.reset(id, kStreamStopped);
  stopped_.clear();
  for (const std::int64_t id : ripe_) {
    Stream* const stream = find(id);
    if (stream != nullptr) give_up(id, *stream, stream->given_up, stream->code);
  }
  ripe_.clear();
}

void StreamConnection::Machine::break_streams() {
  if (told_broken_) return;
  told_broken_ = true;
  refused_.clear();
  stopped_.clear();
  ripe_.clear();
  turns_.clear();
  for (auto& [id, stream] : streams_) {
    stream.in_turn = false;
    stream.over = true;
    drop_incoming(stream);
    if (stream.given_up != GivenUp::kBoth) {
      stream.code = kStreamConnectionLost;
      tell(id, stream, Kind::kReset);
    }
    tell_if_over(id, stream);
  }
  if (quic_.owes_farewell()) {
    farewells_left_ = kFarewells;
    farewell_due_ = true;
  }
}

void StreamConnection::Machine::close() {
  if (state() == StreamState::kBroken) return;
  quic_.break_off(true);
  break_streams();
}

// --- Datagrams out ----------------------------------------------------------

std::size_t StreamConnection::Machine::next_datagram(MutBytes room, TimePoint now) {
  WH_ASSERT(room.size() >= max_datagram_ + kStreamTail);
  room = room.first(max_datagram_ + kStreamTail);
  if (state() == StreamState::kBroken) return farewell(room, now);
  if (!quic_.exists()) return 0;
  follow_change(now);
  std::size_t size = 0;
  if (burst_ < quic_.burst_size() && !is_hushed() && may_send_at(now)) {
    const std::uint64_t in_flight = change_ ? quic_.in_flight() : 0;
    do {
      size = make_datagram(room, now);
    } while (size == 0 && retry_at_once(now));
    hush_after_probe(in_flight, now);
  }
  if (state() == StreamState::kBroken) {
    settle();
    return farewell(room, now);
  }
  if (size == 0) {
    quic_.burst_done(now);
    burst_ = 0;
    return 0;
  }
  burst_ += size + kStreamTail;
  at_once_ += size;
  ++counts_.datagrams_sent;
  return size;
}

bool StreamConnection::Machine::may_send_at(TimePoint now) {
  if (now >= instant_ + kInstant || now < instant_) {
    instant_ = now;
    at_once_ = 0;
  }
  const bool may = at_once_ < kMostAtOnce;
  goes_on_ = may ? kNever : instant_ + kInstant;
  return may;
}

std::size_t StreamConnection::Machine::make_datagram(MutBytes room, TimePoint now) {
  for (;;) {
    std::int64_t id = -1;
    Stream* const stream = change_ ? nullptr : next_in_turn(id);
    if (stream == nullptr) return quic_.offer(room, -1, {}, false, now).datagram;
    const quic::Offered offer = offer_bytes(id, *stream, room, now);
    switch (offer.result) {
      case quic::Offer::kTaken:
        break;
      case quic::Offer::kSent:
        return offer.datagram;
      case quic::Offer::kNoCredit:
        // Of the stream: another's turn. Of the connection: nobody's, until a datagram comes.
        no_credit_ = !quic_.has_credit();
        stream->no_credit = !no_credit_;
        if (stream->no_credit) leave_turn(*stream);
        break;
      case quic::Offer::kNoMore:  // its end crossed this on the way
        leave_turn(*stream);
        on_stopped(id);
        break;
      case quic::Offer::kFull:
      case quic::Offer::kBroken:
        return 0;
    }
  }
}

quic::Offered StreamConnection::Machine::offer_bytes(std::int64_t id, Stream& stream, MutBytes room,
                                                     TimePoint now) {
  std::array<Bytes, kParts> parts;
  const std::size_t count = stream.outgoing.gather(parts);
  std::size_t offered = 0;
  for (std::size_t i = 0; i < count; ++i) offered += parts[i].size();
  const bool last = stream.finished && offered == stream.outgoing.ahead();
  const quic::Offered offer = quic_.offer(room, id, std::span(parts).first(count), last, now);
  if (offer.taken) took(id, stream, *offer.taken, last);
  return offer;
}

StreamConnection::Machine::Stream* StreamConnection::Machine::next_in_turn(std::int64_t& id) {
  if (no_credit_ || state() != StreamState::kUp) return nullptr;
  while (!turns_.empty()) {
    Stream* const stream = find(turns_.front());
    if (stream != nullptr && stream->in_turn && !stream->dead && !stream->over) {
      id = turns_.front();
      return stream;
    }
    turns_.pop_front();
  }
  return nullptr;
}

void StreamConnection::Machine::leave_turn(Stream& stream) {
  stream.in_turn = false;
  turns_.pop_front();
}

// Whoever has had its turn goes to the end: a short stream is not kept waiting by a long one.
void StreamConnection::Machine::took(std::int64_t id, Stream& stream, std::size_t size, bool last) {
  stream.outgoing.advance(size);
  stream.announced = true;
  counts_.bytes_sent += size;
  if (last && stream.outgoing.ahead() == 0) stream.end_sent = true;
  leave_turn(stream);
  queue(id, stream);
  tell_if_sent(id, stream);
}

void StreamConnection::Machine::queue(std::int64_t id, Stream& stream) {
  if (stream.in_turn || stream.no_credit || stream.dead || stream.over) return;
  const bool has_end = stream.finished && !stream.end_sent;
  if (stream.outgoing.ahead() == 0 && !has_end && stream.announced) return;
  stream.in_turn = true;
  turns_.push_back(id);
}

void StreamConnection::Machine::set_max_datagram(std::size_t size) {
  WH_ASSERT(size >= kMinStreamDatagram && size <= config_.max_datagram);
  max_datagram_ = size;
}

std::size_t StreamConnection::Machine::farewell(MutBytes room, TimePoint now) {
  if (!farewell_due_) return 0;
  farewell_due_ = false;
  --farewells_left_;
  if (farewell_.empty()) {
    const std::size_t size = quic_.write_farewell(room, now);
    farewell_.assign(room.begin(), room.begin() + static_cast<std::ptrdiff_t>(size));
    if (size == 0) farewells_left_ = 0;
  } else if (farewell_.size() <= room.size()) {
    copy_bytes(farewell_, room);
  }
  if (!farewell_.empty()) ++counts_.datagrams_sent;
  return farewell_.size();
}

}  // namespace wormhole
