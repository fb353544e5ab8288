#include "shell/bind_error.hpp"

#include <cerrno>
#include <system_error>

#include "shell/port_owner.hpp"

namespace wormhole {

std::string explain_bind_error(int error, std::string_view what, const Endpoint& at,
                               Protocol protocol) {
  const std::string name = protocol == Protocol::kUdp ? "UDP " : "TCP ";
  auto place = "cannot open " + std::string(what) + " on " + name + at.to_string() + ": ";
  switch (error) {
    case EADDRINUSE:
      return place + "taken by " + describe(who_has_port(protocol, at)) +
             "; end that program, or choose another port";
    case EADDRNOTAVAIL:
      return place + "no interface of this host has that address (see 'ip address'); a server " +
             "behind 1:1 NAT needs {public: ..., bind: ...} under server.addresses";
    case EACCES:
    case EPERM:
      return place + "no permission; use a port from 1024 on, or run as root";
    case EMFILE:
    case ENFILE:
      return place + "all file descriptors are used up; raise 'ulimit -n' (LimitNOFILE=)";
    case EAFNOSUPPORT:
      return place + (at.address.is_v4() ? "IPv4" : "IPv6") + " is switched off on this host";
    default:
      return place + std::generic_category().message(error);
  }
}

}  // namespace wormhole
