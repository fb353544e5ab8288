// The times that paths live by, each with its reason.
#pragma once

#include <array>
#include <cstdint>

#include "wormhole/base/time.hpp"

namespace wormhole {

/// Challenges to a path that is not in use. The first may die at a filter that the peer has not
/// opened yet, and each exchange is lost with 19 % where 10 % of packets are: all six with 5e-5.
inline constexpr std::uint8_t kTries = 6;
/// After each try. They span 1.5 s; an answer may take another second (satellites: 0.6 s).
inline constexpr std::array<Duration, kTries> kGaps{100ms, 150ms, 250ms, 400ms, 600ms, 1s};
/// A session is made within a few round trips by the relay; handshakes are given up after 5 s.
inline constexpr Duration kHold = 10s;
/// TCP's weight of one sample (RFC 6298, 2.3).
inline constexpr int kRttShare = 8;

/// Twice in the 500 ms that operators of vehicles feel, also when one is lost.
inline constexpr Duration kKeepalive = 250ms;
/// One keepalive was lost or is late by 150 ms.
inline constexpr Duration kSilence = 400ms;
inline constexpr Duration kDeath = 1s;
/// Between challenges to a path in doubt: eight are answered within 1 s at 200 ms of round trip.
inline constexpr Duration kUrgent = 50ms;
/// Between two PATH_SILENT, should one be lost.
inline constexpr Duration kSayAgain = 200ms;
/// An answer so young proves a standby.
inline constexpr Duration kFresh = 1s;
/// Between challenges to a live path in use: its round trip is known, for 27 bytes a second.
inline constexpr Duration kMeasure = 5s;

/// Without application packets for so long, a path is idle: it is expected to be silent …
inline constexpr Duration kIdle = 60s;
/// … and a little later falls silent: the ends need not agree about the last packet exactly.
inline constexpr Duration kFast = 65s;
/// Half of the 30 s that common NATs keep a UDP mapping for (RFC 4787, 4.3 asks for 120 s; Linux
/// keeps 30 s until it sees a stream).
inline constexpr Duration kStretchedUnknown = 15s;
/// A dead path should not go unnoticed for longer, however long its mappings live.
inline constexpr Duration kStretchedMost = 25s;
inline constexpr Duration kStretchedLeast = 1s;

/// A choice that has held for so long is a choice.
inline constexpr Duration kStable = 5s;
/// A peer that has sent by another path alone for so long has changed over: two lost keepalives
/// are not enough, so that one who forwards packets from elsewhere moves nothing.
inline constexpr Duration kFollows = 600ms;
/// The end that leads gives the other time to follow first.
inline constexpr Duration kLeaderFollows = 2s;

/// A duration after a time that may be kNever.
constexpr TimePoint later(TimePoint time, Duration by) {
  return time == kNever ? kNever : time + by;
}

}  // namespace wormhole
