// Addresses as values: family-agnostic from the start, no system headers.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace wormhole {

/// An IP address in IPv6 form; IPv4 is held as ::ffff:a.b.c.d (RFC 4291 2.5.5.2).
struct IpAddress {
  static constexpr std::array<std::uint8_t, 12> kV4Prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  std::array<std::uint8_t, 16> bytes{};

  static IpAddress v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d);
  /// Parses dotted IPv4 or RFC 4291 IPv6 text (no zone, no brackets); nothing when it is neither.
  static std::optional<IpAddress> parse(std::string_view text);

  bool is_v4() const {
    // Inline, for headers_of() is asked per packet.
    return std::equal(kV4Prefix.begin(), kV4Prefix.end(), bytes.begin());
  }
  bool is_unspecified() const;
  bool is_loopback() const;
  /// Canonical text: dotted for IPv4, RFC 5952 for IPv6.
  std::string to_string() const;
  auto operator<=>(const IpAddress&) const = default;
};

/// A transport address. Port 0 with an unspecified address means "none".
struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;

  /// Parses "1.2.3.4:5" or "[2001:db8::1]:5"; nothing when it is neither.
  static std::optional<Endpoint> parse(std::string_view text);
  bool is_set() const { return port != 0; }
  std::string to_string() const;
  auto operator<=>(const Endpoint&) const = default;
};

/// Bytes of IP and UDP headers of a datagram to it (RFC 791, RFC 8200, RFC 768).
inline std::size_t headers_of(const Endpoint& to) { return to.address.is_v4() ? 20 + 8 : 40 + 8; }

}  // namespace wormhole

template <>
struct std::hash<wormhole::Endpoint> {
  std::size_t operator()(const wormhole::Endpoint& e) const noexcept;
};
