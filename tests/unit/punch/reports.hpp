// NAT reports of the kinds that the planner tells apart.
#pragma once

#include "wormhole/wire/nat_report.hpp"

namespace wormhole::test {

inline const IpAddress kHere = IpAddress::v4(198, 51, 100, 1);
inline const IpAddress kThere = IpAddress::v4(203, 0, 113, 7);

inline NatReport open_host(IpAddress address,
                           NatFiltering filtering = NatFiltering::kEndpointIndependent) {
  return {.mapping = NatMapping::kNone,
          .filtering = filtering,
          .allocation = PortAllocation::kPreserving,
          .mapped = {address, 7700}};
}

inline NatReport cone(IpAddress address,
                      NatFiltering filtering = NatFiltering::kAddressAndPortDependent) {
  return {.mapping = NatMapping::kEndpointIndependent,
          .filtering = filtering,
          .allocation = PortAllocation::kPreserving,
          .mapped = {address, 40000}};
}

inline NatReport symmetric(IpAddress address, PortAllocation allocation = PortAllocation::kRandom) {
  return {.mapping = NatMapping::kAddressAndPortDependent,
          .filtering = NatFiltering::kAddressAndPortDependent,
          .allocation = allocation,
          .mapped = {address, 50000}};
}

inline NatReport ranged(IpAddress address, std::uint16_t low, std::uint16_t high) {
  auto report = symmetric(address, PortAllocation::kRange);
  report.low = low;
  report.high = high;
  return report;
}

inline NatReport sequential(IpAddress address, std::int16_t step = 1,
                            std::uint16_t newest = 20000) {
  auto report = symmetric(address, PortAllocation::kSequential);
  report.step = step;
  report.newest = newest;
  return report;
}

}  // namespace wormhole::test
