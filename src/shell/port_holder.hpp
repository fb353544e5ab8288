// Which process has a port, for error messages.
#pragma once

#include <string>

#include "wormhole/base/endpoint.hpp"
#include "wormhole/model/network.hpp"

namespace wormhole {

/// "qgroundcontrol (pid 4711)", or empty when it can't be seen (another user's, another
/// namespace's). Reads /proc, so it takes milliseconds: only after a bind has failed.
std::string holder_of_port(Protocol protocol, const Endpoint& at);

}  // namespace wormhole
