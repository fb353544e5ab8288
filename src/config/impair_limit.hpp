// How much of impairments a file may have.
#pragma once

#include <string>
#include <vector>

#include "wormhole/model/network.hpp"

namespace wormhole {

/// What the flows have more of than senders can be told, in the words of an error; empty: nothing.
std::string excess_of_impairments(const std::vector<Flow>& flows);

}  // namespace wormhole
