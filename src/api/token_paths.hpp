// The tokens' part of the control socket.
#pragma once

#include "router.hpp"
#include "wormhole/api/token_keeper.hpp"

namespace wormhole {

/// Adds /v1/tokens and /v1/tokens/{name}. `tokens` must outlive the router's calls.
void add_token_paths(Router& router, TokenKeeper& tokens);

}  // namespace wormhole
