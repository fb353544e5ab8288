// The words of the stream room: what a stream is called, what happens to it, and what it may cost.
#pragma once

#include <cstddef>
#include <cstdint>

#include "wormhole/base/ids.hpp"
#include "wormhole/base/time.hpp"

namespace wormhole {

/// One stream of one StreamConnection; both ends call it by the same number (RFC 9000, 2.1).
using StreamId = StrongId<struct StreamIdTag, std::int64_t>;

/// Which end begins the connection. Both can open streams.
enum class StreamRole : std::uint8_t { kCaller, kListener };

/// How a sender finds its rate. BBR keeps it where packets are lost at random (radio); cubic is
/// what kernels do by default, and yields to other senders as they do.
enum class Congestion : std::uint8_t { kBbr, kCubic };

/// Bytes that must be writable behind each datagram that is handed to a StreamConnection; the AEAD
/// tag's place is behind every datagram that was opened in place.
inline constexpr std::size_t kStreamTail = 12;
/// The smallest largest datagram: QUIC pads its first packets to 1,200 bytes (RFC 9000, 14.1), of
/// which kStreamTail never reach the wire.
inline constexpr std::size_t kMinStreamDatagram = 1188;
/// The largest: 9,000-byte Ethernet frames are the longest in common use.
inline constexpr std::size_t kMaxStreamDatagram = 9000;

/// Reset codes that this room itself gives; the rest belong to whoever uses streams.
inline constexpr std::uint64_t kStreamRefused = 0x57480001;  ///< more streams than the end allows
inline constexpr std::uint64_t kStreamStopped = 0x57480003;  ///< the answer to stop_reading()
inline constexpr std::uint64_t kStreamConnectionLost = 0x57480002;  ///< never on the wire

struct StreamConfig {
  StreamRole role = StreamRole::kCaller;
  Congestion congestion = Congestion::kBbr;
  /// Largest datagram that any path may carry, kMinStreamDatagram–kMaxStreamDatagram; for the one
  /// of now see set_max_datagram().
  std::size_t max_datagram = 1240;
  /// Streams open at once, by either end. Both ends should be given the same.
  std::size_t max_streams = 4096;
  /// What one stream may hold to be sent or acknowledged: 50 Mbit/s over 600 ms.
  std::size_t max_unacked = std::size_t{4} << 20;
  /// … and all streams together. While it is short, each may hold as much as is free.
  std::size_t send_memory = std::size_t{64} << 20;
  /// What all readers together may leave unread before the peer gets no more credit: a hundred
  /// stalled readers with their largest windows.
  std::size_t receive_memory = std::size_t{256} << 20;
};

/// What a StreamConnection has to say to its owner.
struct StreamEvent {
  enum class Kind : std::uint8_t {
    kOpened,    ///< the peer opened it
    kReadable,  ///< there are bytes to read (said again only after a read has left none)
    kFinished,  ///< the peer sends no more, and everything before has been read
    kReset,     ///< the peer gave it up in both directions, or the connection broke: `code`
    kStopped,   ///< the peer reads no more of it; what is written is dropped
    kWritable,  ///< after a write that was not taken whole: there is room again
    kClosed,    ///< it is over in both directions; its number means nothing any more
  };
  Kind kind;
  StreamId stream;
  std::uint64_t code = 0;  ///< of kReset
};

enum class StreamState : std::uint8_t {
  kStarting,  ///< streams cannot be opened yet
  kUp,
  kBroken,  ///< for good: the owner makes a new connection, as the peer does
};

/// What an operator may see. Counts are since construction.
struct StreamStatistics {
  std::size_t open = 0;  ///< streams now
  std::uint64_t opened = 0;
  std::uint64_t closed = 0;
  std::uint64_t refused = 0;     ///< not opened: the limit
  std::uint64_t bytes_sent = 0;  ///< of streams, each byte once
  std::uint64_t bytes_received = 0;
  std::uint64_t bytes_resent = 0;  ///< of streams, sent once more
  std::uint64_t datagrams_sent = 0;
  std::uint64_t datagrams_received = 0;
  std::uint64_t datagrams_ignored = 0;   ///< unreadable, or of no connection
  std::uint64_t numbers_mismatched = 0;  ///< packets whose shortened number meant another one
  std::uint64_t credit_withheld = 0;     ///< times that receive_memory was used up
  std::size_t send_memory = 0;           ///< bytes held now
  std::size_t receive_memory = 0;
  Duration smoothed_rtt{};  ///< 0: no sample yet
  Duration least_rtt{};
  std::uint64_t window = 0;  ///< the congestion window, bytes
  std::uint64_t in_flight = 0;
};

}  // namespace wormhole
