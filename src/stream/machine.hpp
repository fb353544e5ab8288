// Streams over one QUIC connection: what is held to be sent or read, whose turn it is, and what
// the owner is to be told.
#pragma once

#include <deque>
#include <unordered_map>
#include <vector>

#include "stream/blocks.hpp"
#include "stream/quic.hpp"
#include "wormhole/stream/stream_connection.hpp"

namespace wormhole {

class StreamConnection::Machine final : private quic::Listener {
 public:
  Machine(const StreamConfig& config, Rng& rng, TimePoint now);
  ~Machine() override;

  StreamState state() const { return quic_.state(); }
  StreamStatistics statistics() const;
  void on_datagram(MutBytes with_tail, TimePoint now);
  std::size_t next_datagram(MutBytes room, TimePoint now);
  void on_timeout(TimePoint now);
  TimePoint next_deadline() const {
    if (is_hushed()) return change_->hush_ends;
    return goes_on_ == kNever ? quic_.deadline() : goes_on_;
  }
  void on_path_back();
  void on_path_change();
  void set_max_datagram(std::size_t size);
  void close();

  std::optional<StreamId> open();
  MutBytes write_space(StreamId id);
  void commit(StreamId id, std::size_t size);
  std::size_t write(StreamId id, Bytes bytes);
  void finish(StreamId id);
  Bytes readable(StreamId id) const;
  void consume(StreamId id, std::size_t size);
  void stop_reading(StreamId id);
  void reset(StreamId id, std::uint64_t code);
  std::optional<StreamEvent> next_event();

 private:
  using Kind = StreamEvent::Kind;

  /// What the owner asked to give up, and when the peer may hear of it.
  enum class GivenUp : std::uint8_t { kNothing, kReading, kBoth };

  struct Stream {
    ByteQueue outgoing;  ///< from the first byte that was not acknowledged on
    ByteQueue incoming;
    std::uint64_t acknowledged = 0;
    std::uint64_t window = quic::kFirstStreamWindow;
    std::uint64_t code = 0;   ///< of the reset, either end's
    std::uint8_t untold = 0;  ///< one bit for each kind of event
    GivenUp given_up = GivenUp::kNothing;
    bool own = false;        ///< opened by this end
    bool known = false;      ///< … and the peer has acknowledged something of it
    bool held = false;       ///< given up, but the peer may not hear of it yet
    bool announced = false;  ///< the peer has been told that it exists
    bool finished = false;   ///< the owner writes no more
    bool end_sent = false;
    bool end_received = false;
    bool end_told = false;
    bool dead = false;        ///< reset by the peer, or stopped: nothing is to be sent
    bool over = false;        ///< the library has forgotten it
    bool in_turn = false;     ///< is in turns_
    bool no_credit = false;   ///< waits for the peer's reader
    bool wants_room = false;  ///< its writer waits
    bool starved = false;     ///< is in starved_
    bool in_events = false;   ///< is in events_
  };

  /// The path is another, and the library's estimates are still those of the old one.
  struct PathChange {
    std::optional<TimePoint> ends;  ///< whatever has been heard by then
    bool probed = false;            ///< a packet has gone by the new path …
    std::uint64_t hushed = 0;       ///< … and nothing else does until less than this is in flight
    TimePoint hush_ends{};
  };

  // quic::Listener
  void on_opened(std::int64_t id) override;
  void on_data(std::int64_t id, Bytes bytes, bool last) override;
  void on_acked(std::int64_t id, std::uint64_t offset) override;
  void on_reset(std::int64_t id, std::uint64_t code) override;
  void on_stopped(std::int64_t id) override;
  void on_stream_credit(std::int64_t id) override;
  void on_closed(std::int64_t id) override;

  Stream* find(std::int64_t id);
  const Stream* find(std::int64_t id) const;
  void tell(std::int64_t id, Stream& stream, Kind kind);
  void tell_if_finished(std::int64_t id, Stream& stream);
  void tell_if_over(std::int64_t id, Stream& stream);
  void tell_if_sent(std::int64_t id, Stream& stream);
  void tell_if_room(std::int64_t id, Stream& stream);
  void forget(std::int64_t id, Stream& stream);

  bool has_room(const Stream& stream) const;
  void want_room(std::int64_t id, Stream& stream);
  void feed_starved();
  void queue(std::int64_t id, Stream& stream);
  Stream* next_in_turn(std::int64_t& id);
  void leave_turn(Stream& stream);
  void took(std::int64_t id, Stream& stream, std::size_t size, bool last);
  std::size_t make_datagram(MutBytes room, TimePoint now);
  quic::Offered offer_bytes(std::int64_t id, Stream& stream, MutBytes room, TimePoint now);
  bool retry_at_once(TimePoint now);
  void follow_change(TimePoint now);
  void hush_after_probe(std::uint64_t in_flight_before, TimePoint now);
  void break_hush();
  bool may_send_at(TimePoint now);
  bool is_hushed() const { return change_ && change_->hushed != 0; }
  std::size_t farewell(MutBytes room, TimePoint now);

  void received(std::size_t size);
  void pay_credit();
  void drop_incoming(Stream& stream);
  void stop_sending(std::int64_t id, Stream& stream);
  void give_up(std::int64_t id, Stream& stream, GivenUp what, std::uint64_t code);
  void settle();
  void break_streams();

  const StreamConfig config_;
  std::size_t max_datagram_;
  BlockPool send_pool_;
  BlockPool receive_pool_;
  std::unordered_map<std::int64_t, Stream> streams_;
  std::deque<std::int64_t> turns_;     ///< streams with something to send, each once
  std::deque<std::int64_t> events_;    ///< streams with something untold, each once
  std::deque<std::int64_t> starved_;   ///< writers that found no memory at all, each once
  std::vector<std::int64_t> refused_;  ///< opened by the peer beyond the limit
  std::vector<std::int64_t> stopped_;  ///< the peer reads no more of them
  std::vector<std::int64_t> ripe_;     ///< given up, and now the peer may hear of it
  std::size_t owed_credit_ = 0;
  std::size_t burst_ = 0;
  TimePoint instant_{};         ///< of the last datagram
  std::size_t at_once_ = 0;     ///< bytes sent at that instant
  TimePoint goes_on_ = kNever;  ///< too many were: when the rest may follow
  bool no_credit_ = false;
  bool told_broken_ = false;
  std::optional<PathChange> change_;
  unsigned retries_left_ = 0;
  std::uint64_t retry_from_ = 0;
  std::vector<std::uint8_t> farewell_;
  unsigned farewells_left_ = 0;
  bool farewell_due_ = false;
  StreamStatistics counts_;
  quic::Connection quic_;  ///< goes first: it refers to bytes in the streams
};

}  // namespace wormhole
