// Lines of text by UDP to programs that want them.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "wormhole/base/endpoint.hpp"

namespace wormhole {

/// Sends and forgets: a line that the system does not take at once is counted and gone.
class UdpNotifier {
 public:
  struct Target {
    Endpoint to;
    std::uint64_t sent = 0, failed = 0;
  };

  UdpNotifier(boost::asio::io_context& io, std::vector<Endpoint> targets);

  /// One datagram to each.
  void send(std::string_view line);
  const std::vector<Target>& targets() const { return targets_; }

 private:
  using Socket = boost::asio::ip::udp::socket;
  Socket* socket_for(const Endpoint& to);

  boost::asio::io_context& io_;
  std::vector<Target> targets_;
  std::optional<Socket> v4_, v6_;
};

}  // namespace wormhole
