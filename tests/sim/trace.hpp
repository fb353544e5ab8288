// What happened: a bounded ring to print, and a hash of everything to compare two runs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "wormhole/base/endpoint.hpp"
#include "wormhole/base/time.hpp"

namespace wormhole::sim {

enum class What : std::uint8_t {
  kSent,       ///< handed to the sender's link
  kArrived,    ///< reached the receiver's socket
  kLost,       ///< by the link's loss
  kQueueFull,  ///< by the link's rate
  kTooBig,     ///< larger than the link's MTU
  kLinkDown,
  kDuplicated,
  kCorrupted,  ///< a bit was flipped on the way
  kFiltered,   ///< the NAT lets nothing in from there, or has no port left
  kNobody,     ///< no host or no socket at the destination
  kSwallowed,  ///< by the attacker
  kTtlOver,    ///< its TTL ended in the core
  kAppSent,
  kAppGot,
  kTimeout,  ///< a core's deadline came
  kStarted,
  kKilled
};
const char* to_string(What what);

struct TraceEvent {
  TimePoint at;
  What what = What::kSent;
  Endpoint from;
  Endpoint to;
  std::uint8_t type = 0;  ///< first byte of the datagram
  std::size_t size = 0;
  bool operator==(const TraceEvent&) const = default;
};

class Trace {
 public:
  /// A second of two busy video streams; more than anybody reads.
  static constexpr std::size_t kKept = 4096;

  void add(const TraceEvent& event);
  /// Of all events since the beginning (FNV-1a, 64 bit).
  std::uint64_t hash() const { return hash_; }
  std::uint64_t count() const { return count_; }
  /// The last `most` events, one a line, times in milliseconds since `start`.
  std::string tail(std::size_t most, TimePoint start) const;

 private:
  void mix(std::uint64_t value);
  std::vector<TraceEvent> ring_;
  std::uint64_t count_ = 0;
  std::uint64_t hash_ = 0xcbf29ce484222325U;  // FNV offset basis
};

}  // namespace wormhole::sim
