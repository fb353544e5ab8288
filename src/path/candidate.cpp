#include "wormhole/path/candidate.hpp"

#include <algorithm>
#include <array>

namespace wormhole {
namespace {

/// The well-known prefix of NAT64 (RFC 6052 2.1).
constexpr std::array<std::uint8_t, 12> kNat64{0x00, 0x64, 0xff, 0x9b};
/// System ports (RFC 6335 6): a service of the peer's host, never a client's socket.
constexpr std::uint16_t kFirstPort = 1024;

bool is_public_v4(std::uint8_t a, std::uint8_t b) {
  const bool this_host = a == 0 || a == 127;     // RFC 1122 3.2.1.3
  const bool link_local = a == 169 && b == 254;  // RFC 3927
  const bool multicast_or_reserved = a >= 224;   // RFC 5771, RFC 1112
  const bool private_use = a == 10 || (a == 172 && (b & 0xf0U) == 16) || (a == 192 && b == 168);
  const bool shared = a == 100 && (b & 0xc0U) == 64;  // RFC 6598: inside of carriers
  return !this_host && !link_local && !multicast_or_reserved && !private_use && !shared;
}

}  // namespace

Endpoint canonical(const Endpoint& endpoint) {
  const auto& raw = endpoint.address.bytes;
  if (!std::equal(kNat64.begin(), kNat64.end(), raw.begin())) return endpoint;
  return {IpAddress::v4(raw[12], raw[13], raw[14], raw[15]), endpoint.port};
}

bool may_be_candidate(const Endpoint& endpoint) {
  if (endpoint.port < kFirstPort) return false;
  const auto& raw = endpoint.address.bytes;
  if (endpoint.address.is_v4()) return is_public_v4(raw[12], raw[13]);
  return (raw[0] & 0xe0U) == 0x20;  // global unicast as allocated (RFC 4291 2.4): 2000::/3
}

}  // namespace wormhole
