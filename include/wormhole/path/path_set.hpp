// The direct paths to one peer: candidates, their validation, the life of the one in use, and when
// packets go which way. Seals nothing and sends nothing: it says what should be sent.
//
//   candidate ──challenge answered──► standby ──best──► in use ──400 ms silence──► suspect
//       └── 6 tries ──► gone                              ▲──any sealed packet────────┤
//                                                        gone ◄──1 s of silence───────┘
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "wormhole/base/rng.hpp"
#include "wormhole/base/time.hpp"
#include "wormhole/path/candidate.hpp"
#include "wormhole/path/score.hpp"
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
/// For status, log and the decision to punch anew. When one path takes over from another, PathDown
/// of the old one comes first, and in_use() names the new one already.
struct PathUp {
  PathAddress path;
  Strategy strategy = Strategy::kDirect;
};
struct PathDown {
  PathAddress path;
  std::string reason;
};
/// Nothing of this set uses the socket (from kFirstExtraSocket on) any more.
struct SocketUnused {
  SocketNo socket;
};
using PathAction =
    std::variant<SendChallenge, SendKeepalive, SendSilent, PathUp, PathDown, SocketUnused>;

/// Which way application packets go.
enum class Way : std::uint8_t { kRelay, kBoth, kDirect };

/// What a frame with kFlagPath says about the path that it came by.
enum class Heard : std::uint8_t {
  kProof,  ///< a challenge or a response: the path lives
  kUse     ///< a keepalive or an application packet: the path lives, and it is the peer's choice
};

/// What the two kinds of keepalive cost, an hour and direction, with 28 bytes of IPv4 and UDP:
///  - every 250 ms, 59 bytes (12 header, 3 item, 16 tag): 850 kB when nothing else is sent;
///  - idle, a challenge every 15 s, answered, from both ends, 67 bytes each: 32 kB.
struct PathSettings {
  /// Every 250 ms however idle the pair is. The same at both ends: the network's setting.
  bool strict_keepalive = false;
  /// This end chooses the path and the other follows, so that both use the same one. Exactly one
  /// end leads: the one whose ID comes first.
  bool leads = false;
  /// Bounds the idle keepalive: what the shorter-lived of both NATs is known to keep.
  std::optional<Duration> mapping_lifetime;
};

struct PathDrops {
  std::uint64_t too_many = 0;  ///< candidates refused: 8 paths, or 4 new ones in this second
};

/// Use: after each call ask next_deadline(), and call on_timeout() when it has come (it may have
/// come already: what add_candidate(), on_heard() and on_traffic() want sent is told there).
/// Nothing is allocated by on_heard(), on_sent(), on_traffic() and way().
class PathSet {
 public:
  static constexpr std::size_t kMostPaths = 8;
  static constexpr std::size_t kNewPerSecond = 4;

  explicit PathSet(Rng& rng) : rng_(rng) { added_.fill(kNever); }

  void set_settings(const PathSettings& settings) { settings_ = settings; }

  /// A place where the peer may be. The caller has checked may_be_candidate() and that the address
  /// is one that the peer announced. Bounded: 8 paths, 4 new a second; false when it is refused
  /// for that, and then the socket is still the caller's. One that is known already is tried
  /// afresh. Before on_session() it waits, for 10 s at most.
  bool add_candidate(const PathAddress& path, Strategy strategy, TimePoint now);
  /// The owner can seal for the peer from now on: all candidates are challenged at once. Harmless
  /// when repeated (rekeying).
  void on_session(TimePoint now, std::vector<PathAction>& actions);
  /// An authentic PATH_RESPONSE that arrived by `path`.
  void on_response(const PathAddress& path, std::uint64_t token, TimePoint now,
                   std::vector<PathAction>& actions);
  /// An authentic frame with kFlagPath, newer than all before or not, arrived by `path`; `now` may
  /// be earlier than in calls before. False when the path is not known.
  bool on_heard(const PathAddress& path, Heard what, TimePoint now);
  bool knows(const PathAddress& path) const;
  /// Something sealed for the path in use (with kFlagPath) was sent by it.
  void on_sent(TimePoint now) { sent_ = now; }
  /// An application packet is being sent or was received, whichever way. Call it before way().
  void on_traffic(TimePoint now);
  /// PATH_SILENT: the peer hears nothing of us by the direct path.
  void on_peer_silent(TimePoint now, std::vector<PathAction>& actions);
  /// Our uplink has changed, or the peer said that its did: the path must prove itself at once.
  void suspect(TimePoint now, std::vector<PathAction>& actions);
  /// The peer is gone or a new process: no path holds. on_session() has to come again.
  void clear(const std::string& reason, std::vector<PathAction>& actions);

  Way way(TimePoint now) const;
  /// Null when packets go by the relay alone. Valid until the next call that is not const.
  const PathAddress* in_use() const { return in_use_ ? &paths_.front().address : nullptr; }
  /// The round trip by the path in use, smoothed.
  std::optional<Duration> rtt() const;
  bool uses(SocketNo socket) const;
  const PathDrops& drops() const { return drops_; }
  std::size_t size() const { return paths_.size(); }

  void on_timeout(TimePoint now, std::vector<PathAction>& actions);
  TimePoint next_deadline() const;

 private:
  /// 24 challenges, 50 ms apart, are more than a path sends from the first doubt to its end.
  static constexpr std::size_t kTokens = 24;
  struct Asked {
    std::uint64_t token = 0;
    TimePoint at = kNever;  ///< kNever: no longer awaited
  };
  struct Path {
    PathAddress address;
    Strategy strategy = Strategy::kDirect;
    bool valid = false;        ///< a challenge was answered
    std::uint8_t tries = 0;    ///< challenges since the last answer; counts for paths not in use
    TimePoint due = kNever;    ///< of a path not in use: its next challenge, or its end
    TimePoint asked = kNever;  ///< the newest challenge
    TimePoint answered = kNever;
    TimePoint heard = kNever;
    TimePoint peer_since = kNever;  ///< the peer uses this one and not ours
    TimePoint follow_at = kNever;   ///< it has done so for long enough
    std::optional<Duration> rtt;
    std::array<Asked, kTokens> awaited{};
    std::uint8_t slot = 0;  ///< of the next challenge
  };
  using Actions = std::vector<PathAction>;

  Path* find(const PathAddress& address);
  bool may_add(TimePoint now);
  void remove(std::size_t index, Actions& actions);
  void challenge(Path& path, TimePoint now, Actions& actions);
  void measure(Path& path, Duration sample);

  // Paths that are not in use, and the choice.
  void serve_others(TimePoint now, Actions& actions);
  void serve_choice(TimePoint now, Actions& actions);
  void choose(TimePoint now, Actions& actions);
  void use(std::size_t index, TimePoint now, Actions& actions);
  void leave(std::string_view reason, Actions& actions);
  void change(std::size_t index, std::string_view reason, TimePoint now, Actions& actions);
  void trim(Actions& actions);
  std::optional<std::size_t> best_other() const;
  std::optional<std::size_t> followed(TimePoint now) const;
  void weigh(TimePoint now);
  static PathScore score(const Path& path);
  TimePoint trim_at() const;

  // The path in use.
  void serve_used(TimePoint now, Actions& actions);
  void bury(TimePoint now, Actions& actions);
  void doubt(std::string_view why, TimePoint now);
  void rouse_others(TimePoint now);
  bool is_suspect(TimePoint now) const;
  void say_silent(TimePoint now, Actions& actions);
  Duration suspect_after() const;
  Duration dead_after() const;
  Duration stretched() const;
  TimePoint expect_until() const;
  TimePoint fast_until() const;
  TimePoint silent_at() const;
  TimePoint dead_at() const;
  TimePoint keepalive_at() const;
  TimePoint question_at() const;
  TimePoint unanswered_at() const;
  TimePoint used_deadline() const;

  Rng& rng_;
  PathSettings settings_;
  bool session_ = false;
  bool in_use_ = false;
  /// The one in use is the first.
  std::vector<Path> paths_;
  std::array<TimePoint, kNewPerSecond> added_{};
  std::size_t next_added_ = 0;
  PathDrops drops_;

  // About the path in use.
  TimePoint chosen_ = kNever;
  TimePoint sent_{};
  TimePoint traffic_{};
  TimePoint expected_from_{};      ///< silence counts from here on
  TimePoint complained_ = kNever;  ///< PATH_SILENT was heard
  TimePoint doubted_ = kNever;     ///< a challenge newer than this must be answered; kNever: proven
  std::string_view doubt_;         ///< why
  TimePoint silent_said_ = kNever;
  TimePoint better_since_ = kNever;  ///< another one is better by the margin
  bool peer_uses_ = false;           ///< the peer has sent by it
};

}  // namespace wormhole
