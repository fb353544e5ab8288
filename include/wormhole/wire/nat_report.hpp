// What a client knows of the NAT in front of it, as it travels (docs/protocol.md, section 7).
#pragma once

#include <cstdint>
#include <optional>

#include "wormhole/wire/cursor.hpp"

namespace wormhole {

/// How a NAT maps, in RFC 4787's words (4.1).
enum class NatMapping : std::uint8_t {
  kUnknown = 0,
  kNone = 1,  ///< no translation: the public address is the host's own
  kEndpointIndependent = 2,
  kAddressDependent = 3,
  kAddressAndPortDependent = 4
};

/// What a NAT or firewall lets in (RFC 4787, 5).
enum class NatFiltering : std::uint8_t {
  kUnknown = 0,
  kEndpointIndependent = 1,
  kAddressDependent = 2,
  kAddressAndPortDependent = 3
};

/// How new mappings get their ports (RFC 4787, 4.2; port ranges: RFC 7422).
enum class PortAllocation : std::uint8_t {
  kUnknown = 0,
  kPreserving = 1,  ///< the internal port, as far as it is free
  kSequential = 2,  ///< the last one plus `step`
  kRange = 3,       ///< at random within low … high, a small part of all ports
  kRandom = 4       ///< at random over all ports
};

/// One client's NAT. All ports are of the public side.
struct NatReport {
  NatMapping mapping = NatMapping::kUnknown;
  NatFiltering filtering = NatFiltering::kUnknown;
  PortAllocation allocation = PortAllocation::kUnknown;
  bool address_varies = false;  ///< mappings of one socket had different public addresses
  Endpoint mapped;              ///< of the main socket, as the server sees it
  std::int16_t step = 0;        ///< kSequential: from one new mapping to the next
  std::uint16_t newest = 0;     ///< kSequential: the port of the newest mapping
  std::uint16_t low = 0;        ///< kRange, kSequential: the lowest port seen or inferred
  std::uint16_t high = 0;       ///< … and the highest
  std::uint16_t foreign = 0;    ///< kSequential: mappings a second that others take, rounded up
  bool operator==(const NatReport&) const = default;
};

inline constexpr std::size_t kNatReportSize = 4 + 19 + 5 * 2;

void write_nat_report(Writer& writer, const NatReport& report);
/// Fails the reader on values that mean nothing.
NatReport read_nat_report(Reader& reader);

}  // namespace wormhole
