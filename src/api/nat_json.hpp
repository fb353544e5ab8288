// What a client has found out about its NAT, as JSON.
#pragma once

#include <boost/json.hpp>
#include <string>

#include "wormhole/nat/nat_check.hpp"

namespace wormhole {

boost::json::object nat_object(const NatFindings& nat);
/// In one line, of that object: "endpoint-independent mapping, … filtering, … ports, public …".
std::string nat_line(const boost::json::value& nat);

}  // namespace wormhole
