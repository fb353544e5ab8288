// The port that relays one member of one flow, beside the port that all share.
//
//   none ──relayed──► opening ──bound──► open ──not relayed for 30 s──► leaving ──3 s──► none
//                        └──refused──► none
#pragma once

#include <cstdint>

#include "wormhole/base/endpoint.hpp"
#include "wormhole/base/ids.hpp"
#include "wormhole/base/time.hpp"

namespace wormhole {

/// Where a client's datagrams come from: the socket of ours that got them, and its address.
struct Source {
  SocketNo socket;
  Endpoint endpoint;
  bool operator==(const Source&) const = default;
};

struct MemberPort {
  enum class State : std::uint8_t { kNone, kOpening, kOpen, kLeaving };
  /// An end that has said nothing by the port for three pings may be gone from there.
  static constexpr Duration kHeardFor = 1500ms;
  /// A pause of a stream costs no new port; longer ones free it for others, and the NAT's binding.
  static constexpr Duration kIdleAfter = 30s;
  /// The client stops within 1.5 s of silence even when it misses the news; its path may be as
  /// long once more.
  static constexpr Duration kLeaveFor = 3s;
  /// Nothing says that what the system refused will be there sooner.
  static constexpr Duration kRetry = 30s;

  explicit MemberPort(FlowNo of) : flow(of) {}

  FlowNo flow;
  std::uint16_t port = 0;
  State state = State::kNone;
  bool relayed = false;  ///< a frame to or from the member has passed since the last sweep
  SocketNo socket;       ///< unless kNone
  SocketNo address;      ///< the shared socket of the same address
  /// Where the newest sealed frame by the port came from; unset: there was none.
  Source source;
  std::uint32_t session = 0;  ///< whose counter `newest` is
  std::uint64_t newest = 0;
  /// The member hears us by this port until then. Proven by its answer to a ping of ours, and
  /// prolonged by its datagrams: it sends them this way only while it hears us.
  TimePoint hears_until = TimePoint::min();
  TimePoint last_relayed{};
  TimePoint until{};  ///< leaving: the end; none: no attempt before

  void leave(TimePoint now) {
    state = State::kLeaving;
    until = now + kLeaveFor;
    hears_until = TimePoint::min();
  }
  bool is_bound() const { return state == State::kOpen || state == State::kLeaving; }
};

}  // namespace wormhole
