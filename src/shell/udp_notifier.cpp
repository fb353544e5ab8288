#include "wormhole/shell/udp_notifier.hpp"

#include <boost/asio/buffer.hpp>

#include "shell/socket_address.hpp"

namespace wormhole {

using boost::asio::ip::udp;

UdpNotifier::UdpNotifier(boost::asio::io_context& io, std::vector<Endpoint> targets) : io_(io) {
  for (const auto& to : targets) targets_.push_back({to});
}

void UdpNotifier::send(std::string_view line) {
  for (auto& target : targets_) {
    Socket* socket = socket_for(target.to);
    boost::system::error_code error = boost::asio::error::bad_descriptor;
    if (socket != nullptr) {
      const SocketAddress to(target.to);
      error.clear();
      if (::sendto(socket->native_handle(), line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL,
                   to.data(), to.size()) < 0) {
        error.assign(errno, boost::system::system_category());
      }
    }
    ++(error ? target.failed : target.sent);
  }
}

/// Opened with the first line, and tried again with the next when that failed.
UdpNotifier::Socket* UdpNotifier::socket_for(const Endpoint& to) {
  auto& socket = to.address.is_v4() ? v4_ : v6_;
  if (!socket) socket.emplace(io_);
  if (socket->is_open()) return &*socket;
  boost::system::error_code error;
  socket->open(to.address.is_v4() ? udp::v4() : udp::v6(), error);
  return error ? nullptr : &*socket;
}

}  // namespace wormhole
