// Small names and numbers that must not be mixed up.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string_view>

namespace wormhole {

/// A number with a meaning; different tags do not convert into each other.
template <typename Tag, typename T>
struct StrongId {
  T value{};
  auto operator<=>(const StrongId&) const = default;
};

/// A client's number on its server: assigned once, kept with its key. 0 is the server itself.
using ClientNo = StrongId<struct ClientNoTag, std::uint16_t>;
/// A flow's number in frames; 0 is control. Assigned by the server, stable over its restarts.
using FlowNo = StrongId<struct FlowNoTag, std::uint16_t>;
/// One UDP socket towards the network. On a client: 2 × uplink number + (1 if IPv6), and from
/// kFirstExtraSocket on (all IPv4) those of NAT checks and punching, which exist from the first
/// datagram that the core sends by them until CloseNetSocket; on the server:
/// the position n of the bound address, then as many for their probe ports (whether they are open
/// or not), and above those the relay ports, whose numbers the core gives (OpenRelayPort).
using SocketNo = StrongId<struct SocketNoTag, std::uint16_t>;
inline constexpr SocketNo kFirstExtraSocket{0x100};
/// Below are those of NAT checks, which close them when they like: no path may begin there.
inline constexpr SocketNo kFirstPunchSocket{0x200};
constexpr bool is_check_socket(SocketNo socket) {
  return socket >= kFirstExtraSocket && socket < kFirstPunchSocket;
}

/// One TCP connection between a client and an application of its machine, accepted or made. No
/// number is used twice by a process.
using TcpNo = StrongId<struct TcpNoTag, std::uint64_t>;

/// Longest ID, group or flow name. 63 is the DNS label's length (RFC 1035 2.3.4): IDs fit host
/// names.
inline constexpr std::size_t kMaxNameLength = 63;

/// True for an ID, group or flow name: 1–63 of a–z A–Z 0–9 . _ -, beginning with a letter or digit.
constexpr bool is_valid_name(std::string_view name) {
  if (name.empty() || name.size() > kMaxNameLength) return false;
  const auto alnum = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  };
  if (!alnum(name.front())) return false;
  for (const char c : name) {
    if (!alnum(c) && c != '.' && c != '_' && c != '-') return false;
  }
  return true;
}

}  // namespace wormhole

template <typename Tag, typename T>
struct std::hash<wormhole::StrongId<Tag, T>> {
  std::size_t operator()(wormhole::StrongId<Tag, T> id) const noexcept {
    return std::hash<T>{}(id.value);
  }
};
