#include "shell/socket_address.hpp"

#include <algorithm>
#include <cstring>

namespace wormhole {

SocketAddress::SocketAddress(const Endpoint& endpoint) {
  if (endpoint.address.is_v4()) {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    v4.sin_port = htons(endpoint.port);
    std::memcpy(&v4.sin_addr, endpoint.address.bytes.data() + 12, 4);
    std::memcpy(&raw_, &v4, sizeof v4);
    size_ = sizeof v4;
    return;
  }
  raw_.sin6_family = AF_INET6;
  raw_.sin6_port = htons(endpoint.port);
  std::memcpy(&raw_.sin6_addr, endpoint.address.bytes.data(), 16);
  size_ = sizeof raw_;
}

Endpoint SocketAddress::endpoint() const {
  if (raw_.sin6_family == AF_INET6) {
    Endpoint endpoint;
    std::memcpy(endpoint.address.bytes.data(), &raw_.sin6_addr, 16);
    endpoint.port = ntohs(raw_.sin6_port);
    return endpoint;
  }
  if (raw_.sin6_family != AF_INET) return {};
  sockaddr_in v4{};
  std::memcpy(&v4, &raw_, sizeof v4);
  std::array<std::uint8_t, 4> quad{};
  std::memcpy(quad.data(), &v4.sin_addr, 4);
  return {IpAddress::v4(quad[0], quad[1], quad[2], quad[3]), ntohs(v4.sin_port)};
}

int family_of(const IpAddress& address) { return address.is_v4() ? AF_INET : AF_INET6; }

Endpoint local_endpoint(int fd) {
  SocketAddress address;
  socklen_t size = SocketAddress::capacity();
  if (::getsockname(fd, address.data(), &size) != 0) return {};
  return address.endpoint();
}

}  // namespace wormhole
