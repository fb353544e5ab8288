// The parts of `server` that say where relay and REST listen.
#pragma once

#include "config/value_reader.hpp"
#include "wormhole/model/network.hpp"

namespace wormhole {

/// `relay`: the ranges must not touch each other nor hold `port` and `probe_port`, the server's
/// own.
RelayPorts read_relay(const Value& value, std::uint16_t port, std::uint16_t probe_port,
                      ErrorList& errors);
/// `rest`: a map, or none.
RestSettings read_rest(const Value& value, ErrorList& errors);
/// A DNS name, as `name` and `rest.hosts` take it.
bool is_host_name(std::string_view text);

}  // namespace wormhole
