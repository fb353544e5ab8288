// Reliable streams between two peers over datagrams that may be lost, repeated and reordered: what
// TCP flows are carried by. Which path the datagrams take is not known here, so streams survive
// every change of it.
#pragma once

#include <memory>
#include <optional>

#include "wormhole/base/bytes.hpp"
#include "wormhole/base/rng.hpp"
#include "wormhole/stream/types.hpp"

namespace wormhole {

/// One end of a QUIC connection (RFC 9000) without encryption: every datagram that it makes must be
/// sealed, and only what an authenticated peer has sealed may be given to it.
///
/// After any call its owner takes datagrams by next_datagram() and events by next_event() until
/// there are none, and sets its timer to next_deadline(). `now` must not go back.
class StreamConnection {
 public:
  /// `rng` must outlive it.
  StreamConnection(const StreamConfig& config, Rng& rng, TimePoint now);
  ~StreamConnection();
  StreamConnection(const StreamConnection&) = delete;
  StreamConnection& operator=(const StreamConnection&) = delete;

  StreamState state() const;
  StreamStatistics statistics() const;

  // --- Datagrams -----------------------------------------------------------

  /// Takes a datagram of the peer, followed by kStreamTail bytes that are overwritten.
  void on_datagram(MutBytes with_tail, TimePoint now);
  /// Writes the next datagram that may leave now to the start of `room` and returns its size; 0:
  /// none. `room` must hold max_datagram + kStreamTail.
  std::size_t next_datagram(MutBytes room, TimePoint now);
  /// Harmless when nothing is due.
  void on_timeout(TimePoint now);
  /// kNever when nothing is under way.
  TimePoint next_deadline() const;

  /// A path was confirmed (an authenticated packet came by it) after there was none: what was lost
  /// meanwhile is sent at once instead of after the backoff, which grows with the outage. To be
  /// called at both ends, and never on suspicion.
  void on_path_back();
  /// Datagrams go by another path from now on: as on_path_back(), and what was learnt about the
  /// rate and delay of the old one is stale. For real changes only: what is under way may be sent
  /// twice.
  void on_path_change();
  /// The path carries datagrams of at most `size` from now on; between kMinStreamDatagram and the
  /// configuration's max_datagram, which it is at first.
  void set_max_datagram(std::size_t size);
  /// Ends the connection and with it all streams; the last datagram tells the peer so.
  void close();

  // --- Streams -------------------------------------------------------------

  /// Opens a stream; the peer hears of it even if nothing is written. Nothing while the connection
  /// is not up or the limit is reached (counted in `refused`).
  std::optional<StreamId> open();

  /// Where the next bytes of the stream can be written in place; a part of the room there is.
  /// Empty: there is none, kWritable will tell. commit(), the next call of all, then sends the
  /// first `size` of them.
  MutBytes write_space(StreamId stream);
  void commit(StreamId stream, std::size_t size);
  /// Copies what there is room for and returns how much that was. When it is not all, kWritable
  /// will tell.
  std::size_t write(StreamId stream, Bytes bytes);
  /// No more will be written (TCP's FIN); reading goes on.
  void finish(StreamId stream);

  /// The next bytes of the stream in order; a part of those there are. Valid until consume().
  Bytes readable(StreamId stream) const;
  /// The reader has taken `size` bytes of readable(): gives the peer credit for as many more.
  void consume(StreamId stream, std::size_t size);
  /// Reads no more: what comes is dropped, and the peer is told (not `code`, for which its word has
  /// no room).
  void stop_reading(StreamId stream);

  /// Gives up both directions (TCP's RST) and drops what has not been delivered.
  void reset(StreamId stream, std::uint64_t code);

  /// What happened since, oldest first; nothing when that was all.
  std::optional<StreamEvent> next_event();

 private:
  class Machine;
  std::unique_ptr<Machine> machine_;
};

}  // namespace wormhole
