// Strategies in words for people.
#pragma once

#include <string_view>

#include "wormhole/wire/messages.hpp"

namespace wormhole {

std::string_view words(Strategy strategy);

}  // namespace wormhole
