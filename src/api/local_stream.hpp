// Local stream sockets, TCP or unix, as one type.
#pragma once

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/ip/tcp.hpp>

#include "wormhole/base/endpoint.hpp"

namespace wormhole {

using LocalStream = boost::asio::generic::stream_protocol;

/// sun_path has 108 bytes with its terminator (unix(7)).
inline constexpr std::size_t kMaxUnixPath = 107;

inline boost::asio::ip::tcp::endpoint to_asio(const Endpoint& at) {
  if (at.address.is_v4()) {
    const auto& b = at.address.bytes;
    return {boost::asio::ip::address_v4({b[12], b[13], b[14], b[15]}), at.port};
  }
  return {boost::asio::ip::address_v6(at.address.bytes), at.port};
}

inline IpAddress from_asio(const boost::asio::ip::address& address) {
  if (address.is_v6()) return {address.to_v6().to_bytes()};
  const auto b = address.to_v4().to_bytes();
  return IpAddress::v4(b[0], b[1], b[2], b[3]);
}

}  // namespace wormhole
