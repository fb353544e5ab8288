// Which requests are let in, apart from sockets: pure functions.
#pragma once

#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/fields.hpp>
#include <boost/system/error_code.hpp>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "wormhole/api/http_server.hpp"

namespace wormhole {

/// By which names and addresses callers may mean this host.
class HostNames {
 public:
  /// `extra`: names and IP addresses beside "localhost" and the loopback's addresses.
  explicit HostNames(const std::vector<std::string>& extra = {});
  /// For a Host field, with or without a port (RFC 9110 7.2). Names have no case, and may end with
  /// the dot of the DNS root.
  bool allows(std::string_view host) const;

 private:
  std::set<std::string, std::less<>> names_;  ///< lower case
  std::set<IpAddress> addresses_;
};

/// What is wrong with the header, if anything: Host missing, repeated or foreign; Origin present.
std::optional<HttpResponse> refuse_header(const boost::beast::http::fields& header,
                                          const HostNames& hosts);

/// The answer to a request that could not be read; nothing when the connection just ends.
std::optional<HttpResponse> refuse_unreadable(const boost::system::error_code& why,
                                              const HttpLimits& limits);

}  // namespace wormhole
