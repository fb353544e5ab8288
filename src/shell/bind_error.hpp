// What to tell people when a port can't be opened.
#pragma once

#include <string>
#include <string_view>

#include "wormhole/base/endpoint.hpp"
#include "wormhole/model/network.hpp"

namespace wormhole {

/// One sentence for a port that could not be opened: what, where, why (errno), way out. Reads
/// /proc when the port is taken: milliseconds with many processes.
std::string explain_bind_error(int error, std::string_view what, const Endpoint& at,
                               Protocol protocol = Protocol::kUdp);

}  // namespace wormhole
