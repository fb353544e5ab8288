// What a client has found out about its NAT, as JSON.
#pragma once

#include <boost/json.hpp>

#include "wormhole/nat/nat_check.hpp"

namespace wormhole {

boost::json::object nat_object(const NatFindings& nat);

}  // namespace wormhole
