#include "wormhole/base/endpoint.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <vector>

#include "wormhole/base/bytes.hpp"

namespace wormhole {
namespace {

template <typename T>
std::optional<T> parse_number(std::string_view text, int base, std::size_t max_digits) {
  T value{};
  if (text.empty() || text.size() > max_digits) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

std::optional<std::array<std::uint8_t, 4>> parse_v4(std::string_view text) {
  const auto parts = split(text, '.');
  if (parts.size() != 4) return std::nullopt;
  std::array<std::uint8_t, 4> out{};
  for (std::size_t i = 0; i < 4; ++i) {
    const auto value = parse_number<std::uint8_t>(parts[i], 10, 3);
    // A leading zero reads as octal to some parsers: refuse what two readers may take differently.
    if (!value || (parts[i].size() > 1 && parts[i].front() == '0')) return std::nullopt;
    out[i] = *value;
  }
  return out;
}

/// The 16-bit groups of one side of "::"; a trailing dotted part counts as two.
bool parse_groups(std::string_view text, std::vector<std::uint16_t>& out) {
  if (text.empty()) return true;
  const auto parts = split(text, ':');
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i + 1 == parts.size() && parts[i].find('.') != std::string_view::npos) {
      const auto v4 = parse_v4(parts[i]);
      if (!v4) return false;
      out.push_back(static_cast<std::uint16_t>((*v4)[0] << 8 | (*v4)[1]));
      out.push_back(static_cast<std::uint16_t>((*v4)[2] << 8 | (*v4)[3]));
    } else {
      const auto group = parse_number<std::uint16_t>(parts[i], 16, 4);
      if (!group) return false;
      out.push_back(*group);
    }
  }
  return true;
}

std::optional<IpAddress> parse_v6(std::string_view text) {
  const auto gap = text.find("::");
  std::vector<std::uint16_t> head;
  std::vector<std::uint16_t> tail;
  if (!parse_groups(text.substr(0, gap), head)) return std::nullopt;
  if (gap != std::string_view::npos && !parse_groups(text.substr(gap + 2), tail)) {
    return std::nullopt;
  }
  const auto used = head.size() + tail.size();
  if (gap == std::string_view::npos ? used != 8 : used > 7) return std::nullopt;
  head.resize(8 - tail.size());
  head.insert(head.end(), tail.begin(), tail.end());
  IpAddress address;
  for (std::size_t i = 0; i < 8; ++i) {
    address.bytes[2 * i] = static_cast<std::uint8_t>(head[i] >> 8);
    address.bytes[2 * i + 1] = static_cast<std::uint8_t>(head[i]);
  }
  return address;
}

/// First and length of the longest run of at least two zero groups (RFC 5952 4.2); length 0: none.
std::pair<std::size_t, std::size_t> longest_zero_run(const std::array<unsigned, 8>& groups) {
  std::pair<std::size_t, std::size_t> best{0, 0};
  for (std::size_t i = 0; i < groups.size();) {
    std::size_t n = 0;
    while (i + n < groups.size() && groups[i + n] == 0) ++n;
    if (n >= 2 && n > best.second) best = {i, n};
    i += n + 1;
  }
  return best;
}

std::string v6_text(const std::array<std::uint8_t, 16>& bytes) {
  std::array<unsigned, 8> groups{};
  for (std::size_t i = 0; i < 8; ++i) {
    groups[i] = static_cast<unsigned>(bytes[2 * i]) << 8 | bytes[2 * i + 1];
  }
  const auto [start, length] = longest_zero_run(groups);
  std::string text;
  for (std::size_t i = 0; i < 8; ++i) {
    if (length > 0 && i == start) {
      text += "::";
      i += length - 1;
      continue;
    }
    if (!text.empty() && text.back() != ':') text += ':';
    std::array<char, 4> digits{};
    const auto end = std::to_chars(digits.begin(), digits.end(), groups[i], 16).ptr;
    text.append(digits.begin(), end);
  }
  return text;
}

}  // namespace

IpAddress IpAddress::v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d) {
  IpAddress address;
  std::copy(kV4Prefix.begin(), kV4Prefix.end(), address.bytes.begin());
  const std::array<std::uint8_t, 4> quad{a, b, c, d};
  std::copy(quad.begin(), quad.end(), address.bytes.begin() + 12);
  return address;
}

std::optional<IpAddress> IpAddress::parse(std::string_view text) {
  if (text.find(':') != std::string_view::npos) return parse_v6(text);
  const auto quad = parse_v4(text);
  if (!quad) return std::nullopt;
  return v4((*quad)[0], (*quad)[1], (*quad)[2], (*quad)[3]);
}

bool IpAddress::is_unspecified() const { return *this == IpAddress{} || *this == v4(0, 0, 0, 0); }

bool IpAddress::is_loopback() const {
  if (is_v4()) return bytes[12] == 127;
  IpAddress one;
  one.bytes[15] = 1;
  return *this == one;
}

std::string IpAddress::to_string() const {
  if (!is_v4()) return v6_text(bytes);
  std::string text;
  for (std::size_t i = 12; i < 16; ++i) {
    if (i > 12) text += '.';
    text += std::to_string(bytes[i]);
  }
  return text;
}

std::optional<Endpoint> Endpoint::parse(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  auto host = text.substr(0, colon);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const auto address = IpAddress::parse(host);
  const auto port = parse_number<std::uint16_t>(text.substr(colon + 1), 10, 5);
  // IPv6 needs its brackets: "::1:80" would be an address to one reader and a port to another.
  const bool has_colon = host.find(':') != std::string_view::npos;
  if (!address || !port || bracketed != has_colon) return std::nullopt;
  return Endpoint{*address, *port};
}

std::string Endpoint::to_string() const {
  if (!is_set() && address.is_unspecified()) return "none";
  const auto host = address.to_string();
  const auto number = std::to_string(port);
  return address.is_v4() ? host + ":" + number : "[" + host + "]:" + number;
}

}  // namespace wormhole

std::size_t std::hash<wormhole::Endpoint>::operator()(const wormhole::Endpoint& e) const noexcept {
  // Two multiplies over the 18 bytes. Tables keyed by it hold authenticated endpoints only, and are
  // bounded, so a stranger can't grow a chain.
  std::uint64_t high = wormhole::load_le<std::uint64_t>(e.address.bytes.data());
  std::uint64_t low = wormhole::load_le<std::uint64_t>(e.address.bytes.data() + 8) ^
                      (static_cast<std::uint64_t>(e.port) << 16);
  high = (high ^ 0x9e3779b97f4a7c15U) * 0xff51afd7ed558ccdU;
  low = (low ^ (high >> 32)) * 0xc4ceb9fe1a85ec53U;
  return static_cast<std::size_t>(low ^ (low >> 29) ^ high);
}
