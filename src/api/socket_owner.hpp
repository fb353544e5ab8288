// Who has a TCP port, as far as /proc lets us see.
#pragma once

#include <string>

#include "wormhole/base/endpoint.hpp"

namespace wormhole {

/// " (by NAME, process 123)" for the listener on `at` or on all addresses; " (by another user's
/// process)" when it may not be seen; empty when nobody listens.
std::string who_listens_on(const Endpoint& at);

}  // namespace wormhole
