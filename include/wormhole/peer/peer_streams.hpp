// The streams with one peer: which StreamConnections there are, and which of them a packet belongs
// to (docs/protocol.md, section 9). Sealing and paths are the peer's.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "wormhole/base/bytes.hpp"
#include "wormhole/base/rng.hpp"
#include "wormhole/base/time.hpp"
#include "wormhole/path/path_mtu.hpp"
#include "wormhole/stream/stream_connection.hpp"

namespace wormhole {

/// Streams that share a connection: what must not wait for each other, or goes other ways, has one
/// of its own.
enum class StreamClass : std::uint8_t {
  kUsual = 0,
  kRelayOnly = 1,  ///< of flows with p2p: off
};
inline constexpr std::array kStreamClasses{StreamClass::kUsual, StreamClass::kRelayOnly};

/// class u8, epoch u8.
inline constexpr std::size_t kStreamPrefix = 2;
/// A stream packet with its prefix on the widest path, in a direct frame (28 bytes).
inline constexpr std::size_t kMaxStreamText = PathMtu::kMost - 28;

struct PeerStreamEvent {
  StreamClass group;
  /// Nothing: the connection is gone, and all of its streams with it.
  std::optional<StreamEvent> event;
};

/// An end whose connection broke makes a new one with the next epoch; the other end follows. So no
/// packet of an old connection is ever taken for one of the new. Who is behind is told so by a
/// prefix alone.
class PeerStreams {
 public:
  /// A connection that breaks at once whenever it is made costs no more than this.
  static constexpr Duration kAgainAfter = 1s;

  explicit PeerStreams(Rng& rng) : rng_(rng) {}

  void set_role(StreamRole role) { role_ = role; }
  /// Of connections that are made from now on.
  void set_congestion(Congestion congestion) { congestion_ = congestion; }
  /// Whether flows of this class are shared with the peer: then there is a connection, so that a
  /// stream opens without waiting. Without, what there is ends.
  void want(StreamClass group, bool wanted, TimePoint now);
  /// The other end is a new process, or gone: everything ends, and epochs begin anew.
  void restart(TimePoint now);

  /// Null while there is none, or it is not up yet.
  StreamConnection* usable(StreamClass group);
  /// As it is; null when there is none.
  const StreamConnection* find(StreamClass group) const { return lane(group).connection.get(); }
  StreamConnection* find(StreamClass group) { return lane(group).connection.get(); }

  /// An authentic packet with its prefix, and kStreamTail writable bytes behind it.
  void on_packet(MutBytes text, TimePoint now);
  /// Writes the next packet with its prefix to the start of `room` (kMaxStreamText + kStreamTail)
  /// and says how long it is; 0: none leaves now.
  std::size_t next_packet(StreamClass group, MutBytes room, TimePoint now);
  /// The way of this class carries a packet of `text` bytes with its prefix, from now on.
  void set_room(StreamClass group, std::size_t text);
  void on_path_back();
  void on_path_change(StreamClass group);
  /// Something was sent that the peer has not acknowledged.
  bool awaits_answer() const;
  /// The longest round trip of its connections; 0: unknown.
  Duration rtt() const;

  std::optional<PeerStreamEvent> next_event();
  void on_timeout(TimePoint now);
  TimePoint next_deadline() const;
  /// Packets that belonged to no connection.
  std::uint64_t strays() const { return strays_; }

 private:
  struct Lane {
    std::unique_ptr<StreamConnection> connection;
    std::uint8_t epoch = 0;
    bool lost = false;            ///< to be told
    bool tells_epoch = false;     ///< the peer is behind
    TimePoint again_at = kNever;  ///< make a new one
  };
  Lane& lane(StreamClass group) { return lanes_[static_cast<std::size_t>(group)]; }
  const Lane& lane(StreamClass group) const { return lanes_[static_cast<std::size_t>(group)]; }
  void make(Lane& lane, TimePoint now);
  void drop(Lane& lane);
  void replace_if_broken(StreamClass group, TimePoint now);

  Rng& rng_;
  StreamRole role_ = StreamRole::kCaller;
  Congestion congestion_ = Congestion::kBbr;
  std::array<bool, kStreamClasses.size()> wanted_{};
  std::array<Lane, kStreamClasses.size()> lanes_;
  std::uint64_t strays_ = 0;
};

}  // namespace wormhole
