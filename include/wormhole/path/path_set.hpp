// The direct paths to one peer: candidates, their validation, the life of the one in use, and when
// packets go which way. Seals nothing and sends nothing: it says what should be sent.
//
//   candidate ──challenge answered──► standby ──best──► in use ──400 ms silence──► suspect
//       └── 8 tries ──► gone                               ▲──sealed for it, heard──┤
//                                                          gone ◄──1 s of silence───┘
#pragma once

#include <array>
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
/// For status, log and the decision to punch anew. A PathUp without a PathDown before it is a
/// voluntary switch.
struct PathUp {
  PathAddress path;
  Strategy strategy = Strategy::kDirect;
};
struct PathDown {
  PathAddress path;
  std::string reason;
};
/// Nothing of this set uses the extra socket any more.
struct SocketUnused {
  SocketNo socket;
};
using PathAction =
    std::variant<SendChallenge, SendKeepalive, SendSilent, PathUp, PathDown, SocketUnused>;

/// Which way application packets go.
enum class Way : std::uint8_t { kRelay, kBoth, kDirect };

struct PathSettings {
  bool strict_keepalive = false;
  /// Bounds the idle keepalive: what the NAT is known to keep.
  std::optional<Duration> mapping_lifetime;
};

struct PathDrops {
  std::uint64_t too_many = 0;  ///< candidates refused: 8 paths, or 4 new ones in this second
};

class PathSet {
 public:
  static constexpr std::size_t kMostPaths = 8;
  static constexpr int kMostNewPerSecond = 4;
  /// Validated ones: one to use, one to fall back to.
  static constexpr std::size_t kMostValid = 2;
  /// Four chances a second. A keepalive is 59 bytes with IPv4 and UDP headers (12 header, 3 item,
  /// 16 tag, 28): 850 kB an hour each way.
  static constexpr Duration kKeepalive = 250ms;
  /// Without application packets for this long …
  static constexpr Duration kIdleAfter = 60s;
  /// … keepalives stretch to this (14 kB an hour each way): half of the shortest common mapping
  /// timeout of 30 s, so that one may be lost.
  static constexpr Duration kIdleKeepalive = 15s;
  /// Also where mappings are known to live longer: a change must show within a minute.
  static constexpr Duration kMostIdleKeepalive = 25s;
  /// One keepalive lost, and the next one late by half of its interval.
  static constexpr Duration kSuspectAfter = 400ms;
  /// product.md: no keepalive for 1 s is the end.
  static constexpr Duration kDeadAfter = 1s;
  /// At 10 % loss each way and 200 ms round trip eight of these can be answered before the end:
  /// all are lost once in 10^6 cases.
  static constexpr Duration kSuspectChallenge = 50ms;
  static constexpr Duration kSilentAgain = 200ms;
  /// Gaps between the challenges of a candidate: the other end's filter may open a round trip
  /// later.
  static constexpr std::array<Duration, 8> kTries{50ms,  80ms,  120ms, 160ms,
                                                  200ms, 250ms, 300ms, 400ms};
  /// A candidate that can't be challenged yet, for want of a session.
  static constexpr Duration kHold = 10s;
  /// Another path takes over when its round trip is shorter by a third and by this, for kBetterFor.
  static constexpr Duration kBetterBy = 20ms;
  static constexpr Duration kBetterFor = 5s;

  explicit PathSet(Rng& rng) : rng_(rng) { paths_.reserve(kMostPaths); }

  void set_settings(const PathSettings& settings) { settings_ = settings; }

  /// A place where the peer may be. The caller has checked may_be_candidate() and that the address
  /// is one that the peer announced. The challenge leaves with the next on_timeout().
  void add_candidate(const PathAddress& path, Strategy strategy, TimePoint now);
  /// There is a session that can seal: all candidates are challenged (anew).
  void on_session(TimePoint now, std::vector<PathAction>& actions);
  /// An authentic PATH_RESPONSE.
  void on_response(const PathAddress& path, std::uint64_t token, TimePoint now,
                   std::vector<PathAction>& actions);
  /// An authentic frame with kFlagPath arrived by `path`. False when the path is not known.
  bool on_heard(const PathAddress& path, TimePoint now);
  /// Something sealed for `path` was sent by it.
  void on_sent(const PathAddress& path, TimePoint now);
  /// An application packet was sent or received, whichever way.
  void on_traffic(TimePoint now);
  /// PATH_SILENT: the peer hears nothing of us by the direct path.
  void on_peer_silent(TimePoint now, std::vector<PathAction>& actions);
  /// Our uplink has changed, or the peer's has: the path must prove itself at once.
  void suspect(TimePoint now, std::vector<PathAction>& actions);
  /// The peer is gone or a new process: no path holds.
  void clear(const std::string& reason, std::vector<PathAction>& actions);

  Way way(TimePoint now) const;
  /// Null when packets go by the relay alone.
  const PathAddress* in_use() const { return used_ < 0 ? nullptr : &paths_[index()].at; }
  /// The round trip by the path in use.
  std::optional<Duration> rtt() const;
  bool uses(SocketNo socket) const;
  const PathDrops& drops() const { return drops_; }

  void on_timeout(TimePoint now, std::vector<PathAction>& actions);
  TimePoint next_deadline() const;

 private:
  struct Challenge {
    std::uint64_t token = 0;
    TimePoint at{};
  };
  struct Path {
    PathAddress at;
    Strategy strategy = Strategy::kDirect;
    bool valid = false;
    TimePoint added{};
    std::size_t tries = 0;  ///< challenges of its candidacy so far
    TimePoint next_challenge = kNever;
    std::array<Challenge, 4> challenges{};  ///< the newest ones; late answers count
    std::size_t newest = 0;
    std::optional<Duration> rtt;
    TimePoint heard{};
    TimePoint sent{};
    TimePoint better_since = kNever;
  };

  std::size_t index() const { return static_cast<std::size_t>(used_); }
  Path* find(const PathAddress& at);
  bool is_used(const Path& path) const { return used_ >= 0 && &path == &paths_[index()]; }
  void challenge(Path& path, TimePoint now, std::vector<PathAction>& actions);
  void tend_candidates(TimePoint now, std::vector<PathAction>& actions);
  void tend_used(TimePoint now, std::vector<PathAction>& actions);
  void use(std::size_t at, TimePoint now, std::vector<PathAction>& actions);
  void choose(TimePoint now, std::vector<PathAction>& actions);
  void drop(std::size_t at, std::vector<PathAction>& actions);
  void lose(const std::string& reason, TimePoint now, std::vector<PathAction>& actions);
  std::size_t valid_count() const;

  Duration idle_keepalive() const;
  TimePoint keepalive_time(const Path& path) const;
  TimePoint suspect_time(const Path& path) const;
  TimePoint dead_time(const Path& path) const;
  bool is_suspect(const Path& path, TimePoint now) const { return now >= suspect_time(path); }

  Rng& rng_;
  PathSettings settings_;
  std::vector<Path> paths_;
  int used_ = -1;  // position in paths_
  bool sealable_ = false;
  TimePoint last_traffic_{};
  // Whether we are heard is open: the peer says no, a network has changed, or the path was idle.
  std::optional<TimePoint> unproven_since_;
  TimePoint next_suspect_challenge_{};
  TimePoint next_silent_{};
  TimePoint new_window_{};
  int new_in_window_ = 0;
  PathDrops drops_;
};

}  // namespace wormhole
