// Endpoint ↔ sockaddr.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include "wormhole/base/endpoint.hpp"

namespace wormhole {

/// An IPv4 or IPv6 socket address as the kernel wants it. Also room for one that it fills.
class SocketAddress {
 public:
  SocketAddress() = default;
  explicit SocketAddress(const Endpoint& endpoint);

  /// What the kernel has filled in; an unset endpoint when it is neither IPv4 nor IPv6.
  Endpoint endpoint() const;
  sockaddr* data() { return reinterpret_cast<sockaddr*>(&raw_); }
  const sockaddr* data() const { return reinterpret_cast<const sockaddr*>(&raw_); }
  socklen_t size() const { return size_; }
  static constexpr socklen_t capacity() { return sizeof(sockaddr_in6); }

 private:
  sockaddr_in6 raw_{};  // the larger of the two; IPv4 uses its first bytes
  socklen_t size_ = 0;
};

/// AF_INET or AF_INET6.
int family_of(const IpAddress& address);

/// The address a socket is bound to; unset when it is not.
Endpoint local_endpoint(int fd);

}  // namespace wormhole
