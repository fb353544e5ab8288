// Names to endpoints, without blocking the loop.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <functional>
#include <string>
#include <vector>

#include "wormhole/base/endpoint.hpp"

namespace wormhole {

class EndpointResolver {
 public:
  /// Empty when the name leads nowhere; `error` then says why.
  using OnResolved = std::function<void(std::vector<Endpoint>, const std::string& error)>;

  explicit EndpointResolver(boost::asio::io_context& io) : resolver_(io) {}
  /// One question at a time: a new one cancels the one before.
  void resolve(const std::string& name, std::uint16_t port, OnResolved done);
  void cancel() { resolver_.cancel(); }

 private:
  boost::asio::ip::udp::resolver resolver_;
};

}  // namespace wormhole
