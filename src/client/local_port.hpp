// One UDP port towards the applications of this machine.
#pragma once

#include <optional>
#include <string>

#include "client/app_targets.hpp"
#include "wormhole/base/endpoint.hpp"
#include "wormhole/base/ids.hpp"
#include "wormhole/base/time.hpp"

namespace wormhole {

struct LocalPort {
  static constexpr Duration kRetryFirst = 1s;
  static constexpr Duration kRetryMost = 5s;

  Endpoint at;
  AppTargets targets;
  bool open = false;
  std::string error;  ///< why it is not open
  TimePoint retry_at = kNever;
  Duration retry_after = kRetryFirst;

  /// Notes what became of opening it (`problem` is empty when it is open).
  void on_result(const std::string& problem, TimePoint now);
  /// It is wanted no longer.
  void on_closed();
};

/// Where a peer is in a flow with addressing: per-peer, on a client at `bind`: 127.K.X.Y for the
/// bind address 127.1.0.K and 256 × X + Y = the peer's number + 256. So clients of one machine do
/// not meet, and 127.K.0.Y stays free for binds. Nothing for other binds and for the last 256
/// numbers.
std::optional<IpAddress> peer_address(const IpAddress& bind, ClientNo peer);

}  // namespace wormhole
