#include "shell/local_addresses.hpp"

#include <ifaddrs.h>
#include <net/if.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "shell/socket_address.hpp"

namespace wormhole {
namespace {

/// An interface that is up but has no carrier (cable out, radio not associated) keeps its
/// addresses: RUNNING tells it apart.
constexpr unsigned kUsable = IFF_UP | IFF_RUNNING;

bool is_link_local(const IpAddress& address) {
  const auto& bytes = address.bytes;
  if (address.is_v4()) return bytes[12] == 169 && bytes[13] == 254;  // RFC 3927
  return bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80;              // RFC 4291 2.5.6
}

}  // namespace

std::vector<IpAddress> local_addresses() {
  ifaddrs* raw = nullptr;
  if (::getifaddrs(&raw) != 0) return {};
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> list(raw, &::freeifaddrs);
  std::vector<IpAddress> found;
  for (const auto* item = list.get(); item != nullptr; item = item->ifa_next) {
    if (item->ifa_addr == nullptr || (item->ifa_flags & kUsable) != kUsable) continue;
    const auto family = item->ifa_addr->sa_family;
    if (family != AF_INET && family != AF_INET6) continue;
    SocketAddress own;
    std::memcpy(own.data(), item->ifa_addr,
                family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    const auto address = own.endpoint().address;
    if (!address.is_loopback() && !is_link_local(address)) found.push_back(address);
  }
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  return found;
}

}  // namespace wormhole
