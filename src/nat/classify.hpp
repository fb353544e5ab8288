// From what the server saw to RFC 4787's words: pure functions.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "wormhole/wire/nat_report.hpp"

namespace wormhole {

/// What the server saw of one socket, by where the probe went: bit 0 is set for the other port,
/// bit 1 for the other address.
using SeenOfMain = std::array<std::optional<Endpoint>, 4>;

/// RFC 5780, 4.3. One that was not seen is left out: where only the ports or only the addresses can
/// be compared, "the same" means endpoint-independent, and "another" depends on both.
NatMapping classify_mapping(const SeenOfMain& seen);

struct PortPattern {
  PortAllocation allocation = PortAllocation::kUnknown;
  std::int16_t step = 0;
  std::uint16_t newest = 0;
  std::uint16_t low = 0;
  std::uint16_t high = 0;
};
/// `fresh`: ports of new mappings in the order of their making (a few may have changed places);
/// `all`: of all mappings that are known. Says nothing with fewer than five.
PortPattern classify_ports(const std::vector<std::uint16_t>& fresh,
                           const std::vector<std::uint16_t>& all);

}  // namespace wormhole
