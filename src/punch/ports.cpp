#include "punch/ports.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace wormhole {
namespace {

/// Linux's default ip_local_port_range: where a port-preserving NAT will put fresh sockets.
constexpr PortSpan kEphemeral{32768, 60999};

/// The filtering and hairpin tests, and campaign 0: each takes a mapping or two after `newest`.
constexpr std::uint32_t kOwnSkip = 4;
/// From the check's newest mapping to the first opening: the answer's way, the offer's, the go's.
constexpr std::uint32_t kStaleMs = 150;

/// Ports in the order of the ranges that are added, none twice.
class Order {
 public:
  explicit Order(std::uint32_t most) : most_(most) {}

  void add(PortSpan range, Rng& rng) {
    std::vector<std::uint16_t> fresh;
    for (auto port = range.low; port <= range.high; ++port) {
      if (!taken_[port]) fresh.push_back(static_cast<std::uint16_t>(port));
      taken_[port] = true;
    }
    // Fisher and Yates, as far as the ports are wanted.
    for (std::uint32_t i = 0; i < fresh.size() && ports_.size() < most_; ++i) {
      std::swap(fresh[i], fresh[i + rng.below(static_cast<std::uint32_t>(fresh.size()) - i)]);
      ports_.push_back(fresh[i]);
    }
  }
  std::vector<std::uint16_t> take() { return std::move(ports_); }

 private:
  std::uint32_t most_;
  std::vector<std::uint16_t> ports_;
  std::vector<bool> taken_ = std::vector<bool>(kLastPort + 1);
};

}  // namespace

std::optional<PortSpan> seen_range(const NatReport& report) {
  if (report.low != 0 && report.low <= report.high) return PortSpan{report.low, report.high};
  if (report.allocation == PortAllocation::kPreserving) return kEphemeral;
  return std::nullopt;
}

PortSpan likely_block(const PortSpan& seen) {
  auto size = std::bit_ceil(seen.size());
  while (seen.low / size != seen.high / size) size *= 2;
  if (size <= 2 * seen.size()) {
    const auto start = seen.low / size * size;
    return {std::max(start, 1U), start + size - 1};  // there is no port 0
  }
  const auto margin = seen.size() / 8;
  return {seen.low - std::min(margin, seen.low - 1), std::min(seen.high + margin, kLastPort)};
}

std::uint16_t predicted(const NatReport& report, std::uint32_t k) {
  const auto floor = report.low == 0 ? kFirstPort : std::min<std::uint32_t>(kFirstPort, report.low);
  const auto ports = std::int64_t{kLastPort} - floor + 1;
  const auto offset = std::int64_t{report.newest} - floor +
                      std::int64_t{report.step} * static_cast<std::int64_t>(k);
  return static_cast<std::uint16_t>(floor + (offset % ports + ports) % ports);
}

std::uint32_t expected_skip(const NatReport& report) {
  return kOwnSkip + report.foreign * kStaleMs / 1000;
}

std::vector<std::uint16_t> sequential_order(const NatReport& report, std::uint32_t row,
                                            std::uint32_t most) {
  const auto middle = expected_skip(report) + row / 2;
  const auto farthest = middle + 3 * row;  // the counter may have moved far more than expected
  std::vector<std::uint16_t> ports{predicted(report, middle)};
  for (std::uint32_t away = 1; middle + away <= farthest; ++away) {
    ports.push_back(predicted(report, middle + away));
    if (away < middle) ports.push_back(predicted(report, middle - away));
  }
  const auto once = ports.size();
  ports.reserve(2 * once);  // again: for what was lost, or came before the mapping stood
  for (std::size_t i = 0; i < once; ++i) ports.push_back(ports[i]);
  if (ports.size() > most) ports.resize(most);
  return ports;
}

std::vector<std::uint16_t> random_order(const NatReport& report, std::uint32_t campaign,
                                        std::uint32_t most, Rng& rng) {
  Order order(most);
  if (const auto seen = seen_range(report)) {
    order.add(*seen, rng);
    order.add(likely_block(*seen), rng);
    const PortSpan below{seen->low - std::min(seen->size(), seen->low - 1), seen->low};
    const PortSpan above{seen->high, std::min(seen->high + seen->size(), kLastPort)};
    order.add(campaign % 2 == 1 ? above : below, rng);
    order.add(campaign % 2 == 1 ? below : above, rng);
  }
  order.add({kFirstPort, kLastPort}, rng);
  return order.take();
}

std::vector<std::uint16_t> random_ports(const PortSpan& range, std::uint32_t most, Rng& rng) {
  Order order(most);
  order.add(range, rng);
  return order.take();
}

}  // namespace wormhole
