// Where the next mappings of a NAT will be: ports in the order in which they are worth a probe.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "wormhole/base/rng.hpp"
#include "wormhole/wire/nat_report.hpp"

namespace wormhole {

/// NATs give no system port to a client's unprivileged one (RFC 4787, REQ-3a).
inline constexpr std::uint32_t kFirstPort = 1024;
inline constexpr std::uint32_t kLastPort = 65535;
/// Two ends that both draw at random meet within a range of this size at most: beyond it, half a
/// block of mappings would be more than the probes of a campaign.
inline constexpr std::uint32_t kMostRange = 4096;

/// Both included.
struct PortSpan {
  std::uint32_t low = 0;
  std::uint32_t high = 0;
  std::uint32_t size() const { return high - low + 1; }
  bool contains(std::uint32_t port) const { return port >= low && port <= high; }
  bool operator==(const PortSpan&) const = default;
};

/// Where mappings were seen, or are to be expected first.
std::optional<PortSpan> seen_range(const NatReport& report);
/// The block that the seen range is a sample of: the smallest power of two at a multiple of itself
/// (RFC 7422 assigns such blocks), or an eighth more at each side where that is smaller.
PortSpan likely_block(const PortSpan& seen);

/// The port of a sequential NAT's `k`-th mapping after the newest one.
std::uint16_t predicted(const NatReport& report, std::uint32_t k);
/// Mappings that are likely to be taken between the check and the first opening.
std::uint32_t expected_skip(const NatReport& report);

/// At most `most` ports at which some of `row` mappings, taken one after the other, will be:
/// outward from the row's middle, twice.
std::vector<std::uint16_t> sequential_order(const NatReport& report, std::uint32_t row,
                                            std::uint32_t most);
/// At most `most` distinct ports: the seen range, its block, margins around it, then all others,
/// each at random. `campaign` decides which margin comes first.
std::vector<std::uint16_t> random_order(const NatReport& report, std::uint32_t campaign,
                                        std::uint32_t most, Rng& rng);
/// At most `most` distinct ports of `range`, at random.
std::vector<std::uint16_t> random_ports(const PortSpan& range, std::uint32_t most, Rng& rng);

}  // namespace wormhole
