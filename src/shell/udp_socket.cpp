#include "shell/udp_socket.hpp"

#include <netinet/in.h>
#include <netinet/udp.h>
#include <spdlog/spdlog.h>

#include <cerrno>
#include <utility>

#include "shell/bind_error.hpp"

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

/// Datagrams leave whole, with DF, or are refused (EMSGSIZE): the core finds out what passes, so
/// that nothing hangs on fragments, which many NATs and firewalls drop. PROBE ignores what ICMP
/// says of the path, which anybody can forge; only the interface's own MTU still counts.
void forbid_fragments(int fd, int family) {
  if (family == AF_INET) return set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_PROBE);
  set_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_PROBE);
  // Else this host itself would fragment what exceeds the interface's MTU.
  set_option(fd, IPPROTO_IPV6, IPV6_DONTFRAG, 1);
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
  int error = 0;
  auto socket = try_open(io, at, receiver, std::move(on_batch), error);
  if (!socket) return Error{explain_bind_error(error, "a socket", at)};
  return std::move(*socket);
}

std::optional<UdpSocket> UdpSocket::try_open(boost::asio::io_context& io, const Endpoint& at,
                                             NetReceiver& receiver, NetReceiver::OnBatch on_batch,
                                             int& error) {
  const int family = family_of(at.address);
  FileDescriptor fd(::socket(family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.is_open()) {
    error = errno;
    return std::nullopt;
  }
  if (family == AF_INET6) set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
  enlarge_buffers(fd.get());
  set_option(fd.get(), SOL_UDP, UDP_GRO, 1);
  forbid_fragments(fd.get(), family);
  const SocketAddress address(at);
  if (::bind(fd.get(), address.data(), address.size()) != 0) {
    error = errno;
    return std::nullopt;
  }
  UdpSocket socket;
  socket.sender_ = std::make_shared<SendSocket>(new_send_socket(fd.get()));
  socket.readable_ = Readable(io, std::move(fd),
                              [sender = socket.sender_, &receiver, handle = std::move(on_batch)] {
                                receiver.drain(sender->fd, handle);
                              });
  return socket;
}

UdpSocket& UdpSocket::operator=(UdpSocket&& other) noexcept {
  if (this == &other) return *this;
  close();
  readable_ = std::move(other.readable_);
  sender_ = std::move(other.sender_);
  return *this;
}

void UdpSocket::close() {
  readable_.close();
  if (sender_) sender_->fd = -1;
}

}  // namespace wormhole
