// Who has a port: for error messages.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "wormhole/base/endpoint.hpp"
#include "wormhole/model/network.hpp"

namespace wormhole {

/// A process as far as /proc shows it.
struct ProcessName {
  pid_t pid = 0;
  std::string name;  ///< /proc/PID/comm
};

/// Who is bound to a UDP port, as far as this user may see it.
struct PortOwner {
  Endpoint bound;  ///< its address may be the wildcard
  uid_t user = 0;
  std::optional<ProcessName> process;  ///< absent: another user's, or in another PID namespace
};

/// Looks through /proc/net/udp and udp6, or tcp and tcp6, for a socket (of TCP, one that listens)
/// that is in the way of binding `at`: the same port at the same address or a wildcard. Prefers the
/// same address. Blocks for milliseconds.
std::optional<PortOwner> who_has_port(Protocol protocol, const Endpoint& at);

/// The process that holds the abstract unix socket `name` (without the leading zero byte).
std::optional<ProcessName> who_has_abstract_socket(std::string_view name);

/// "mavproxy (pid 4711), bound to 0.0.0.0:14550"; "a process that can't be seen" for none.
std::string describe(const std::optional<PortOwner>& owner);

}  // namespace wormhole
