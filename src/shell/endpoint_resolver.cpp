#include "shell/endpoint_resolver.hpp"

#include <algorithm>
#include <utility>

namespace wormhole {
namespace {

Endpoint to_endpoint(const boost::asio::ip::udp::endpoint& from) {
  // Its own text form is the shortest way between the two address types, and names are resolved
  // seldom.
  return {IpAddress::parse(from.address().to_string()).value_or(IpAddress{}), from.port()};
}

}  // namespace

void EndpointResolver::resolve(const std::string& name, std::uint16_t port, OnResolved done) {
  resolver_.cancel();
  resolver_.async_resolve(
      name, std::to_string(port),
      [done = std::move(done)](const boost::system::error_code& error,
                               const boost::asio::ip::udp::resolver::results_type& results) {
        if (error == boost::asio::error::operation_aborted) return;
        std::vector<Endpoint> endpoints;
        for (const auto& result : results) {
          const auto endpoint = to_endpoint(result.endpoint());
          if (std::find(endpoints.begin(), endpoints.end(), endpoint) == endpoints.end()) {
            endpoints.push_back(endpoint);
          }
        }
        done(std::move(endpoints), error ? error.message() : "");
      });
}

}  // namespace wormhole
