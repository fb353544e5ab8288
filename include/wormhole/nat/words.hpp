// NATs in words for people.
#pragma once

#include <string_view>

#include "wormhole/wire/nat_report.hpp"

namespace wormhole {

/// RFC 4787's words: "endpoint-independent", "address-dependent", "address and port-dependent".
std::string_view words(NatMapping mapping);
std::string_view words(NatFiltering filtering);
std::string_view words(PortAllocation allocation);

}  // namespace wormhole
