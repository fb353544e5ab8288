// The sections of routes.yaml, one reader each.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/impair_profiles.hpp"
#include "config/population.hpp"
#include "config/value_reader.hpp"
#include "wormhole/model/network.hpp"

namespace wormhole {

ServerSettings read_server(const Value& section, ErrorList& errors);
Defaults read_defaults(const Value& section, ErrorList& errors);
P2pSettings read_p2p(const Value& section, ErrorList& errors);
/// on or off.
bool read_switch(const Value& value, ErrorList& errors);
std::vector<ClientEntry> read_clients(const Value& section, ErrorList& errors);
/// Also makes the groups known to `population`.
std::map<std::string, Members> read_groups(const Value& section, Population& population,
                                           ErrorList& errors);
std::vector<Flow> read_flows(const Value& section, const Population& population,
                             const ImpairProfiles& profiles, ErrorList& errors);

}  // namespace wormhole
