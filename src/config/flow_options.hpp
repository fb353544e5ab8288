// What a flow has beside its routes, one reader each.
#pragma once

#include <map>

#include "config/population.hpp"
#include "config/value_reader.hpp"
#include "wormhole/model/network.hpp"

namespace wormhole {

/// `deliver` or `target`: one place for all receivers, or a map ID → place.
void read_handover(const Value& value, const Population& population, Flow& flow, ErrorList& errors);
/// What the protocols have each in their own way: `deliver` and `fanout` of a UDP flow; `target`,
/// `fanout`, `copy_buffer` and `proxy_protocol` of a TCP flow. Knows who receives from flow.routes.
void read_protocol_options(const MapReader& map, const Population& population, Flow& flow,
                           ErrorList& errors);
/// `priority`, and of a UDP flow `max_age` and `rate`.
void read_shaping(const MapReader& map, Flow& flow, ErrorList& errors);
Addressing read_addressing(const Value& value, ErrorList& errors);
/// `self_join`: a map side → selector.
std::map<Side, Members> read_self_join(const Value& value, const Flow& flow,
                                       const Population& population, ErrorList& errors);

}  // namespace wormhole
