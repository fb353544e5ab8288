// How packets to the internet leave this host.
#pragma once

#include <cstdint>
#include <optional>

#include "wormhole/base/endpoint.hpp"

namespace wormhole {

/// What the kernel's routing says of one family.
struct WayOut {
  std::uint32_t device = 0;  ///< the interface's index
  IpAddress gateway;         ///< unspecified on a point-to-point link
  IpAddress source;          ///< the address that packets leave with
  bool operator==(const WayOut&) const = default;
};

/// Asks the kernel (rtnetlink(7), RTM_GETROUTE) for the route to an address that is nobody's
/// neighbour; nothing is sent to it. Rules, metrics and several default routes are thus already
/// weighed, and the answer costs the same however many routes there are. Nothing when there is no
/// route, or the system won't say. `family` is AF_INET or AF_INET6.
std::optional<WayOut> way_out(int family);

}  // namespace wormhole
