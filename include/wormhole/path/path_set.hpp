// The direct paths to one peer: candidates, their validation, the life of the one in use, and when
// packets go which way. Seals nothing and sends nothing: it says what should be sent.
//
//   candidate ──challenge answered──► standby ──best──► in use ──400 ms silence──► suspect
//       └── 3 tries ──► gone                              ▲──any sealed packet────────┤
//                                                        gone ◄──1 s of silence───────┘
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "wormhole/base/rng.hpp"
#include "wormhole/base/time.hpp"
#include "wormhole/path/candidate.hpp"
#include "wormhole/wire/messages.hpp"

namespace wormhole {

/// What the owner should do, in order. Challenges and keepalives are sealed with kFlagPath and
/// leave by the path that they name; PathSilent leaves by the relay.
struct SendChallenge {
  PathAddress path;
  std::uint64_t token = 0;
};
struct SendKeepalive {
  PathAddress path;
};
struct SendSilent {
  Duration silence{};
};
/// For status, log and the decision to punch anew.
struct PathUp {
  PathAddress path;
  Strategy strategy = Strategy::kDirect;
};
struct PathDown {
  PathAddress path;
  std::string reason;
};
/// Nothing of this set uses the socket any more.
struct SocketUnused {
  SocketNo socket;
};
using PathAction =
    std::variant<SendChallenge, SendKeepalive, SendSilent, PathUp, PathDown, SocketUnused>;

/// Which way application packets go.
enum class Way : std::uint8_t { kRelay, kBoth, kDirect };

struct PathSettings {
  bool strict_keepalive = false;
  /// Bounds the idle keepalive: what the shorter-lived of both NATs is known to keep.
  std::optional<Duration> mapping_lifetime;
};

class PathSet {
 public:
  explicit PathSet(Rng& rng) : rng_(rng) {}

  void set_settings(const PathSettings& settings) { settings_ = settings; }

  /// A place where the peer may be. The caller has checked may_be_candidate() and that the address
  /// is one that the peer announced. Bounded: 8 paths, 4 new a second.
  void add_candidate(const PathAddress& path, Strategy strategy, TimePoint now);
  /// An authentic PATH_RESPONSE.
  void on_response(const PathAddress& path, std::uint64_t token, TimePoint now,
                   std::vector<PathAction>& actions);
  /// An authentic frame with kFlagPath, newer than all before or not, arrived by `path`.
  void on_heard(const PathAddress& path, TimePoint now);
  /// Something sealed for the path in use was sent by it.
  void on_sent(TimePoint now);
  /// An application packet was sent or received, whichever way.
  void on_traffic(TimePoint now);
  /// PATH_SILENT: the peer hears nothing of us by the direct path.
  void on_peer_silent(TimePoint now, std::vector<PathAction>& actions);
  /// Our uplink has changed, or the peer said that its did: the path must prove itself at once.
  void suspect(TimePoint now, std::vector<PathAction>& actions);
  /// The peer is gone or a new process: no path holds.
  void clear(const std::string& reason, std::vector<PathAction>& actions);

  Way way(TimePoint now) const;
  /// Null when packets go by the relay alone.
  const PathAddress* in_use() const;
  /// The round trip by the path in use.
  std::optional<Duration> rtt() const;

  void on_timeout(TimePoint now, std::vector<PathAction>& actions);
  TimePoint next_deadline() const;

 private:
  Rng& rng_;
  PathSettings settings_;
};

}  // namespace wormhole
