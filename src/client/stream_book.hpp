// Which stream belongs to which TCP connection, and which peers have something to send.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "wormhole/base/ids.hpp"
#include "wormhole/peer/peer.hpp"

namespace wormhole {

/// One stream of one peer.
struct StreamRef {
  std::uint16_t slot = 0;  ///< the peer's
  StreamClass group = StreamClass::kUsual;
  StreamId id;
  auto operator<=>(const StreamRef&) const = default;
};

class StreamBook {
 public:
  using PeerAt = std::function<Peer*(std::uint16_t slot)>;

  explicit StreamBook(PeerAt peer_at) : peer_at_(std::move(peer_at)) {}

  Peer* peer(std::uint16_t slot) const { return peer_at_(slot); }
  /// Null when it is gone.
  StreamConnection* connection(const StreamRef& ref) const;
  /// Notes whose stream it is.
  void bind(const StreamRef& ref, TcpNo owner) { owners_[ref] = owner; }
  /// Opens a stream; nothing when the connection to the peer has as many as it may, or is not up.
  std::optional<StreamRef> open(std::uint16_t slot, StreamClass group, TcpNo owner);
  /// What happens to the stream from now on is nobody's concern here.
  void release(const StreamRef& ref) { owners_.erase(ref); }
  std::optional<TcpNo> owner(const StreamRef& ref) const;
  /// Of all streams of one connection.
  std::vector<std::pair<StreamRef, TcpNo>> streams_of(std::uint16_t slot, StreamClass group) const;

  /// The peer's streams have something to say.
  void touch(std::uint16_t slot);
  /// The peers that were touched, each once; valid until the next call.
  const std::vector<std::uint16_t>& take_touched();
  bool has_touched() const { return !touched_.empty(); }

 private:
  PeerAt peer_at_;
  std::map<StreamRef, TcpNo> owners_;
  std::vector<std::uint16_t> touched_;
  std::vector<std::uint16_t> taken_;
  std::vector<bool> is_touched_;  // by slot
};

}  // namespace wormhole
