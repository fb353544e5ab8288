// What a flow has beside its routes, one reader each.
#pragma once

#include <map>

#include "config/population.hpp"
#include "config/value_reader.hpp"
#include "wormhole/model/network.hpp"

namespace wormhole {

/// `deliver` of a UDP flow or `target` of a TCP flow: one place for all receivers, or a map ID →
/// place. Knows who receives from flow.routes.
void read_handover(const Value& value, const Population& population, Flow& flow, ErrorList& errors);
Addressing read_addressing(const Value& value, ErrorList& errors);
/// `self_join`: a map side → selector.
std::map<Side, Members> read_self_join(const Value& value, const Flow& flow,
                                       const Population& population, ErrorList& errors);

}  // namespace wormhole
