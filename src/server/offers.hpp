// What self_join lets a client do.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "wormhole/model/network.hpp"
#include "wormhole/wire/messages.hpp"

namespace wormhole {

/// The sides of the flow that the client may join and leave.
std::vector<Side> joinable(const Flow& flow, const std::string& id);
bool stands_on(const Flow& flow, const std::string& id, Side side);
FlowOffer offer_to(const std::string& id, const Flow& flow, FlowNo number);
/// The side that a request means (MembershipRequest::side), or one sentence why none is. `flow` may
/// be null: there is none with this name.
std::variant<Side, std::string> side_meant(const Flow* flow, const std::string& id,
                                           const MembershipRequest& request);

}  // namespace wormhole
