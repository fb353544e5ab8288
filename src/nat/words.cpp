#include "wormhole/nat/words.hpp"

namespace wormhole {

std::string_view words(NatMapping mapping) {
  switch (mapping) {
    case NatMapping::kUnknown:
      return "unknown";
    case NatMapping::kNone:
      return "none (public address)";
    case NatMapping::kEndpointIndependent:
      return "endpoint-independent";
    case NatMapping::kAddressDependent:
      return "address-dependent";
    case NatMapping::kAddressAndPortDependent:
      return "address and port-dependent";
  }
  return "unknown";
}

std::string_view words(NatFiltering filtering) {
  switch (filtering) {
    case NatFiltering::kUnknown:
      return "unknown";
    case NatFiltering::kEndpointIndependent:
      return "endpoint-independent";
    case NatFiltering::kAddressDependent:
      return "address-dependent";
    case NatFiltering::kAddressAndPortDependent:
      return "address and port-dependent";
  }
  return "unknown";
}

std::string_view words(PortAllocation allocation) {
  switch (allocation) {
    case PortAllocation::kUnknown:
      return "unknown";
    case PortAllocation::kPreserving:
      return "port-preserving";
    case PortAllocation::kSequential:
      return "sequential";
    case PortAllocation::kRange:
      return "random within a range";
    case PortAllocation::kRandom:
      return "random";
  }
  return "unknown";
}

}  // namespace wormhole
