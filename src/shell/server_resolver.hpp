// Where the server is: its name, else the addresses that the enrolment code gave.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shell/name_lookup.hpp"
#include "wormhole/base/endpoint.hpp"

namespace wormhole {

/// What --server or the identity says: "relay.example.org", "10.0.0.1:7700", "[2001:db8::1]".
struct HostPort {
  std::string host;
  std::uint16_t port = 0;
  bool operator==(const HostPort&) const = default;
};

/// Takes HOST[:PORT] apart; IPv6 with a port needs brackets. What is not a port number stays part
/// of the host, and fails as one.
HostPort parse_host_port(std::string_view text, std::uint16_t default_port);

/// Finds the server's endpoints: those of the name first, then the known ones. The known ones are
/// used at once, without waiting for a name server that may be unreachable (the first packet
/// counts, and a drone on a network without DNS must fly); the name's come when they come.
class ServerResolver {
 public:
  /// Endpoints without duplicates, never empty.
  using OnServers = std::function<void(std::vector<Endpoint>)>;

  /// `name` may have an empty host: then only the known addresses are used.
  ServerResolver(boost::asio::io_context& io, HostPort name, std::vector<Endpoint> known,
                 OnServers on_servers);

  /// May call back at once, and once more when the name is resolved. While there is no endpoint at
  /// all it tries again every second.
  void resolve();
  void close();

 private:
  void on_answer(const NameLookup::Answer& answer);

  HostPort name_;
  std::vector<Endpoint> known_;
  OnServers on_servers_;
  NameLookup lookup_;
  boost::asio::steady_timer retry_;
  std::string said_;  // the failure that the log says last
  bool started_ = false;
  bool closed_ = false;
};

}  // namespace wormhole
