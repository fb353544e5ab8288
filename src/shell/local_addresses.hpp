// The addresses of this host.
#pragma once

#include <vector>

#include "wormhole/base/endpoint.hpp"

namespace wormhole {

/// Of all interfaces that are up and have a carrier, without loopback and link-local ones; sorted,
/// each once. Empty when the system won't say.
std::vector<IpAddress> local_addresses();

}  // namespace wormhole
