#include "shell/udp_socket.hpp"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <spdlog/spdlog.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "shell/port_holder.hpp"

namespace wormhole {
namespace {

void set_option(int fd, int level, int name, int value) {
  // Options that older kernels lack cost speed, not function: so failures are passed over.
  ::setsockopt(fd, level, name, &value, sizeof value);
}

int buffer_size(int fd, int name) {
  int size = 0;
  socklen_t length = sizeof size;
  ::getsockopt(fd, SOL_SOCKET, name, &size, &length);
  return size / 2;  // Linux doubles what was asked for (socket(7))
}

Error bind_error(const Endpoint& at, int error) {
  const auto where = "UDP " + at.to_string();
  if (error == EADDRINUSE) {
    const auto holder = holder_of_port(Protocol::kUdp, at);
    return {where + " is taken" + (holder.empty() ? "" : " by " + holder) +
            ": stop that, or choose another port"};
  }
  if (error == EADDRNOTAVAIL) {
    return {where + ": no interface of this host has that address (ip addr); behind 1:1 NAT give " +
            "{public: …, bind: …} under server.addresses"};
  }
  if (error == EACCES) return {where + ": no permission; use a port from 1024 on, or run as root"};
  return {where + ": " + std::generic_category().message(error)};
}

}  // namespace

void enlarge_buffers(int fd) {
  for (const int name : {SO_RCVBUFFORCE, SO_SNDBUFFORCE}) {
    set_option(fd, SOL_SOCKET, name, kSocketBuffer);
  }
  static bool said = false;
  for (const auto& [name, sysctl] :
       {std::pair{SO_RCVBUF, "net.core.rmem_max"}, std::pair{SO_SNDBUF, "net.core.wmem_max"}}) {
    if (buffer_size(fd, name) >= kSocketBuffer) continue;
    set_option(fd, SOL_SOCKET, name, kSocketBuffer);
    const int got = buffer_size(fd, name);
    if (got >= kSocketBuffer || said) continue;
    said = true;
    spdlog::warn(
        "socket buffers are {} KiB instead of 4096: bursts may be lost; as root: sysctl -w {}={}",
        got / 1024, sysctl, kSocketBuffer);
  }
}

Result<UdpSocket> UdpSocket::open(boost::asio::io_context& io, const Endpoint& at,
                                  NetReceiver& receiver, NetReceiver::OnBatch on_batch) {
  const int family = family_of(at.address);
  FileDescriptor fd(::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.is_open()) {
    return Error{"UDP socket for " + at.to_string() + ": " +
                 std::generic_category().message(errno)};
  }
  if (family == AF_INET6) set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
  enlarge_buffers(fd.get());
  set_option(fd.get(), SOL_UDP, UDP_GRO, 1);
  // Without path MTU discovery a frame that is too large for a link is fragmented there (DF off)
  // rather than lost. IP_PMTUDISC_DONT, not _INTERFACE: the latter keeps DF on IPv4 paths where
  // routers then drop.
  if (family == AF_INET) {
    set_option(fd.get(), IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
  } else {
    set_option(fd.get(), IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DONT);
  }
  const SocketAddress address(at);
  if (::bind(fd.get(), address.data(), address.size()) != 0) return bind_error(at, errno);
  UdpSocket socket;
  socket.sender_ = std::make_unique<SendSocket>();
  socket.sender_->fd = fd.get();
  const int number = fd.get();
  socket.readable_ = Readable(io, std::move(fd), [number, &receiver, handle = std::move(on_batch)] {
    receiver.drain(number, handle);
  });
  return socket;
}

}  // namespace wormhole
