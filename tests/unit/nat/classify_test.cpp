#include "nat/classify.hpp"

#include <gtest/gtest.h>

#include "wormhole/base/rng.hpp"

namespace wormhole {
namespace {

using Ports = std::vector<std::uint16_t>;

Endpoint seen(std::uint8_t host, std::uint16_t port) {
  return {IpAddress::v4(203, 0, 113, host), port};
}

TEST(ClassifyMapping, ByWhatIsSeenOfFourProbes) {
  const auto a = seen(1, 5000);
  const auto b = seen(1, 5001);
  const auto c = seen(1, 5002);
  const auto d = seen(1, 5003);
  const std::optional<Endpoint> lost;
  const auto is = [](const SeenOfMain& seen, NatMapping mapping) {
    EXPECT_EQ(classify_mapping(seen), mapping);
  };
  is({a, a, a, a}, NatMapping::kEndpointIndependent);
  is({a, a, b, b}, NatMapping::kAddressDependent);
  is({a, b, c, d}, NatMapping::kAddressAndPortDependent);
  is({a, b, a, b}, NatMapping::kAddressAndPortDependent);
  // Another public address is another mapping, too.
  is({seen(1, 7), seen(2, 7), seen(1, 7), seen(2, 7)}, NatMapping::kAddressAndPortDependent);
  is({a, a, a, lost}, NatMapping::kEndpointIndependent);
  is({a, lost, b, b}, NatMapping::kAddressDependent);
  is({lost, b, c, d}, NatMapping::kAddressAndPortDependent);
  // One address, or one port.
  is({a, a, lost, lost}, NatMapping::kEndpointIndependent);
  is({a, b, lost, lost}, NatMapping::kAddressAndPortDependent);
  is({a, lost, a, lost}, NatMapping::kEndpointIndependent);
  is({a, lost, b, lost}, NatMapping::kAddressAndPortDependent);
  is({a, lost, lost, lost}, NatMapping::kUnknown);
  is({lost, lost, lost, lost}, NatMapping::kUnknown);
}

TEST(ClassifyPorts, AStepShowsWhateverItsSizeAndSign) {
  for (const int step : {1, 2, 7, -1, -7, 64}) {
    Ports ports;
    for (int i = 0; i < 7; ++i) ports.push_back(static_cast<std::uint16_t>(30000 + i * step));
    const auto pattern = classify_ports(ports, ports);
    EXPECT_EQ(pattern.allocation, PortAllocation::kSequential);
    EXPECT_EQ(pattern.step, step);
    EXPECT_EQ(pattern.newest, ports.back());
  }
}

TEST(ClassifyPorts, MappingsOfOthersInBetweenAreWholeSteps) {
  const Ports ports{30000, 30007, 30021, 30028, 30035, 30056, 30063};
  const auto pattern = classify_ports(ports, ports);
  EXPECT_EQ(pattern.allocation, PortAllocation::kSequential);
  EXPECT_EQ(pattern.step, 7);
  EXPECT_EQ(pattern.newest, 30063);
}

TEST(ClassifyPorts, TwoThatOvertookEachOtherChangeNothing) {
  const Ports ports{40006, 40005, 40004, 40002, 40003, 40001, 40000};
  const auto pattern = classify_ports(ports, ports);
  EXPECT_EQ(pattern.step, -1);
  EXPECT_EQ(pattern.newest, 40000);
}

TEST(ClassifyPorts, ACounterMayWrap) {
  const Ports up{65531, 65532, 65533, 65534, 65535, 1024, 1025};
  const auto pattern = classify_ports(up, up);
  EXPECT_EQ(pattern.allocation, PortAllocation::kSequential);
  EXPECT_EQ(pattern.step, 1);
  EXPECT_EQ(pattern.newest, 1025);
  const Ports down{1031, 1024, 65529, 65522, 65515, 65508, 65501};
  const auto other = classify_ports(down, down);
  EXPECT_EQ(other.allocation, PortAllocation::kSequential);
  EXPECT_EQ(other.step, -7);
  EXPECT_EQ(other.newest, 65501);
}

TEST(ClassifyPorts, FewSayNothing) {
  const Ports ports{30000, 30001, 30002, 30003};
  EXPECT_EQ(classify_ports(ports, ports).allocation, PortAllocation::kUnknown);
  EXPECT_EQ(classify_ports({}, {}).allocation, PortAllocation::kUnknown);
}

Ports random_ports(Rng& rng, std::uint32_t first, std::uint32_t count, std::size_t samples) {
  Ports ports;
  for (std::size_t i = 0; i < samples; ++i) {
    ports.push_back(static_cast<std::uint16_t>(first + rng.below(count)));
  }
  return ports;
}

/// With 1e-5 a sample each, a wrong verdict in 20,000 is expected 0.2 times; two are 2 %.
TEST(ClassifyPorts, RandomOverAllPortsIsNotTakenForARange) {
  SeededRng rng(1);
  int wrong = 0;
  for (int i = 0; i < 20'000; ++i) {
    const auto ports = random_ports(rng, 1024, 64512, 8 + rng.below(4));
    const auto pattern = classify_ports({ports.begin(), ports.begin() + 7}, ports);
    wrong += pattern.allocation == PortAllocation::kRandom ? 0 : 1;
  }
  EXPECT_LE(wrong, 2);
}

TEST(ClassifyPorts, ABlockIsARangeThatHoldsMostOfIt) {
  SeededRng rng(2);
  for (const std::uint32_t size : {512U, 1024U, 2048U}) {
    int sequential = 0;
    double covered = 0;
    constexpr int kTimes = 5'000;
    for (int i = 0; i < kTimes; ++i) {
      const auto first = 1024 + size * rng.below(64512 / size);
      const auto ports = random_ports(rng, first, size, 11);
      const auto pattern = classify_ports({ports.begin(), ports.begin() + 7}, ports);
      if (pattern.allocation == PortAllocation::kSequential) {
        ++sequential;
        continue;
      }
      ASSERT_EQ(pattern.allocation, PortAllocation::kRange);
      for (const auto port : ports) ASSERT_TRUE(pattern.low <= port && port <= pattern.high);
      ASSERT_LE(pattern.high - pattern.low, 2 * static_cast<int>(size));
      const auto low = std::max<std::uint32_t>(pattern.low, first);
      const auto high = std::min<std::uint32_t>(pattern.high, first + size - 1);
      covered += (high - low + 1.0) / size;
    }
    EXPECT_LE(sequential, 1) << size;
    EXPECT_GE(covered / kTimes, 0.95) << size;
  }
}

}  // namespace
}  // namespace wormhole
