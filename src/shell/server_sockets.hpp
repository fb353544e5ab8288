// The server's UDP sockets: two for each address, and those of the relay ports that come and go.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "shell/udp_socket.hpp"
#include "wormhole/model/network.hpp"
#include "wormhole/server/server.hpp"

namespace wormhole {

class ServerSockets {
 public:
  using OnBatch = std::function<void(SocketNo, std::span<const NetDatagram>)>;
  /// Descriptors that relay ports leave for state files, HTTP and name look-ups.
  static constexpr int kSpareDescriptors = 64;

  ServerSockets(boost::asio::io_context& io, OnBatch on_batch)
      : io_(io), on_batch_(std::move(on_batch)) {}

  /// Raises the soft limit of descriptors to the hard one, says when that is too few for all relay
  /// ports, and binds every address. The error names the address, why, and the way out. A probe
  /// port that can't be bound is a warning.
  Result<void> open(const ServerSettings& server);
  struct Answer {
    RelayPortAnswer what = RelayPortAnswer::kOpen;
    std::string error;
  };
  Answer open(const OpenRelayPort& command);
  void close(const CloseRelayPort& command);
  void close() { sockets_.clear(); }

  /// As bound on every address; 0: it is not.
  std::uint16_t probe_port() const { return probe_port_; }
  bool is_open() const { return !sockets_.empty(); }
  /// Contract: it is open.
  SendSocket& sender(SocketNo socket) { return sockets_[socket.value]->sender(); }

 private:
  void open_probe_ports(const ServerSettings& server);
  NetReceiver::OnBatch handler(SocketNo socket) {
    return [this, socket](std::span<const NetDatagram> batch) { on_batch_(socket, batch); };
  }

  boost::asio::io_context& io_;
  OnBatch on_batch_;
  NetReceiver receiver_;
  std::vector<Endpoint> addresses_;                // as bound
  std::vector<std::optional<UdpSocket>> sockets_;  // by SocketNo
  std::uint16_t probe_port_ = 0;
  int descriptors_ = 0;  // the limit in force
};

}  // namespace wormhole
