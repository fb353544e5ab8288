#include "shell/flow_port.hpp"

#include <linux/errqueue.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

#include "shell/bind_error.hpp"
#include "shell/port_owner.hpp"
#include "shell/udp_socket.hpp"

namespace wormhole {
namespace {

/// Errors read in one go; the queue is bounded by the receive buffer.
constexpr int kErrorsPerTurn = 64;

std::string lock_name(const Endpoint& at) { return "wormhole-flow-port-" + at.to_string(); }

/// An abstract unix address (unix(7)): it lives in the network namespace, as the port does, and
/// goes with the process. Not open (see errno) when another has it.
FileDescriptor take_lock(const Endpoint& at) {
  FileDescriptor fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto name = lock_name(at);  // 66 bytes at most, of 107
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (!fd.is_open()) return fd;
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), size) == 0) return fd;
  const int error = errno;
  fd.reset();
  errno = error;
  return fd;
}

void set_option(int fd, int level, int name, int value) {
  ::setsockopt(fd, level, name, &value, sizeof value);
}

}  // namespace

void drain_error_queue(int fd, const FlowSocket::OnRefused& on_refused) {
  for (int i = 0; i < kErrorsPerTurn; ++i) {
    SocketAddress to;
    std::array<std::uint8_t, 1> ignored{};
    iovec part{ignored.data(), ignored.size()};
    alignas(cmsghdr) std::array<char, 512> control{};
    msghdr header{};
    header.msg_name = to.data();
    header.msg_namelen = SocketAddress::capacity();
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    if (::recvmsg(fd, &header, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return;
    for (auto* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, c)) {
      const bool ipv4 = c->cmsg_level == SOL_IP && c->cmsg_type == IP_RECVERR;
      const bool ipv6 = c->cmsg_level == SOL_IPV6 && c->cmsg_type == IPV6_RECVERR;
      if (!ipv4 && !ipv6) continue;
      sock_extended_err error{};
      std::memcpy(&error, CMSG_DATA(c), sizeof error);
      if (error.ee_errno == ECONNREFUSED) on_refused(to.endpoint());
    }
  }
}

boost::system::result<FlowSocket, FlowSocket::OpenError> FlowSocket::open(
    boost::asio::io_context& io, const Endpoint& at, AppReceiver& receiver,
    AppReceiver::OnBatch on_batch, OnRefused on_refused) {
  FlowSocket port;
  port.lock_ = take_lock(at);
  if (!port.lock_.is_open()) return OpenError{at, errno, errno == EADDRINUSE};
  const bool ipv4 = at.address.is_v4();
  FileDescriptor fd(::socket(family_of(at.address), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.is_open()) return OpenError{at, errno};
  set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  set_option(fd.get(), ipv4 ? SOL_IP : SOL_IPV6, ipv4 ? IP_RECVERR : IPV6_RECVERR, 1);
  enlarge_buffers(fd.get());
  const SocketAddress address(at);
  if (::bind(fd.get(), address.data(), address.size()) != 0) return OpenError{at, errno};
  port.sender_ = std::make_shared<SendSocket>(new_send_socket(fd.get()));
  port.readable_ = Readable(io, std::move(fd),
                            [sender = port.sender_, &receiver, handle = std::move(on_batch),
                             refused = std::move(on_refused)] {
                              // A system call less for each datagram. While errors wait, the
                              // kernel goes on calling, until one time there is nothing else.
                              if (receiver.drain(sender->fd, handle)) return;
                              drain_error_queue(sender->fd, refused);
                            });
  return port;
}

FlowSocket& FlowSocket::operator=(FlowSocket&& other) noexcept {
  if (this == &other) return *this;
  close();
  lock_ = std::move(other.lock_);
  readable_ = std::move(other.readable_);
  sender_ = std::move(other.sender_);
  return *this;
}

void FlowSocket::close() {
  readable_.close();
  if (sender_) sender_->fd = -1;
}

std::string explain(const FlowSocket::OpenError& error, const std::string& flow) {
  if (!error.held_by_client) {
    const auto text = explain_bind_error(error.error, "flow " + flow, error.at);
    return error.error == EADDRINUSE ? text + " (or let it bind 127.0.0.1, or set address reuse)"
                                     : text;
  }
  auto text = "cannot open flow " + flow + " on UDP " + error.at.to_string();
  text += ": another wormhole client";
  if (const auto holder = who_has_abstract_socket(lock_name(error.at))) {
    text += " (" + holder->name + ", pid " + std::to_string(holder->pid) + ")";
  }
  return text + " has it; give this one its own address, for example --bind 127.1.0.2";
}

}  // namespace wormhole
