#include "shell/server_sockets.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "shell/bind_error.hpp"
#include "shell/descriptor_limit.hpp"

namespace wormhole {
namespace {

std::size_t size_of(const PortRange& range) {
  return range.last < range.first ? 0 : std::size_t{range.last} - range.first + 1;
}

/// What relay ports could take at most.
std::size_t most_relay_ports(const ServerSettings& server) {
  if (server.relay_ports.shared) return 0;
  return server.addresses.size() *
         (size_of(server.relay_ports.from) + size_of(server.relay_ports.to));
}

}  // namespace

Result<void> ServerSockets::open(const ServerSettings& server) {
  descriptors_ = raise_descriptor_limit();
  const auto needed = most_relay_ports(server) + kSpareDescriptors;
  if (std::cmp_greater(needed, descriptors_)) {
    spdlog::warn(
        "this process may have {} open files, all relay ports would need {}: flows beyond that "
        "share port {}; raise LimitNOFILE= (systemd) or 'ulimit -Hn'",
        descriptors_, needed, server.port);
  }
  for (const auto& address : server.addresses) {
    const Endpoint at{address.bind, server.port};
    const SocketNo number{static_cast<std::uint16_t>(sockets_.size())};
    auto socket = UdpSocket::open(io_, at, receiver_, handler(number));
    if (!socket) return socket.error();
    sockets_.emplace_back(std::move(*socket));
    addresses_.push_back(at);
    spdlog::info("listening on UDP {}", at.to_string());
  }
  open_probe_ports(server);
  return {};
}

void ServerSockets::open_probe_ports(const ServerSettings& server) {
  const auto count = addresses_.size();
  sockets_.resize(2 * count);
  if (server.probe_port == 0) return;
  for (std::size_t i = 0; i < count; ++i) {
    const Endpoint at{addresses_[i].address, server.probe_port};
    const SocketNo number{static_cast<std::uint16_t>(count + i)};
    int error = 0;
    sockets_[number.value] = UdpSocket::try_open(io_, at, receiver_, handler(number), error);
    if (sockets_[number.value]) continue;
    spdlog::warn(
        "{}; clients check their NATs less exactly without it (server.probe_port in routes.yaml)",
        explain_bind_error(error, "the probe port", at));
    for (auto probe = count; probe < sockets_.size(); ++probe) sockets_[probe].reset();
    return;
  }
  probe_port_ = server.probe_port;
}

ServerSockets::Answer ServerSockets::open(const OpenRelayPort& command) {
  const Endpoint at{addresses_.at(command.address).address, command.port};
  int error = 0;
  auto socket = UdpSocket::try_open(io_, at, receiver_, handler(command.socket), error);
  if (socket && socket->sender().fd >= descriptors_ - kSpareDescriptors) {
    socket.reset();
    error = EMFILE;
  }
  if (!socket) {
    const bool taken = error == EADDRINUSE;
    // Who has the port is a search through /proc: not for one of thousands.
    return {taken ? RelayPortAnswer::kTaken : RelayPortAnswer::kRefused,
            taken ? "relay port " + at.to_string() + " is taken by another program"
                  : explain_bind_error(error, "a relay port", at)};
  }
  if (command.socket.value >= sockets_.size())
    sockets_.resize(command.socket.value + std::size_t{1});
  sockets_[command.socket.value] = std::move(socket);
  return {};
}

void ServerSockets::close(const CloseRelayPort& command) {
  if (command.socket.value < sockets_.size()) sockets_[command.socket.value].reset();
}

}  // namespace wormhole
