// Where a client may send to because somebody else said so.
#pragma once

#include <compare>

#include "wormhole/base/endpoint.hpp"
#include "wormhole/base/ids.hpp"

namespace wormhole {

/// One direct way to a peer: our socket and its public endpoint.
struct PathAddress {
  SocketNo socket;
  Endpoint remote;
  auto operator<=>(const PathAddress&) const = default;
};

/// `endpoint` with ::ffff:0:0/96 and 64:ff9b::/96 (RFC 6052) brought to IPv4.
Endpoint canonical(const Endpoint& endpoint);

/// Whether a canonical endpoint may be sent to: not 0/8, 127/8, 169.254/16, multicast, 240/4, ::,
/// ::1, link-local or IPv6 multicast, no port below 1024. Private addresses are refused too, as LAN
/// paths are not tried.
bool may_be_candidate(const Endpoint& endpoint);

}  // namespace wormhole
