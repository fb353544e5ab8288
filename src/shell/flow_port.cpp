#include "shell/flow_port.hpp"

#include <linux/errqueue.h>
#include <netinet/in.h>
#include <sys/un.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <system_error>
#include <utility>

#include "shell/port_holder.hpp"
#include "shell/udp_socket.hpp"

namespace wormhole {
namespace {

/// Errors read in one go; the queue is bounded by the receive buffer.
constexpr int kErrorsPerTurn = 64;

/// An abstract unix address (unix(7)): it lives in the network namespace, as the port does, and
/// goes with the process.
FileDescriptor take_lock(const Endpoint& at) {
  FileDescriptor fd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const auto name = "wormhole-flow-port " + at.to_string();
  std::memcpy(address.sun_path + 1, name.data(), name.size());
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  if (::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), size) != 0) fd.reset();
  return fd;
}

Error taken(const Endpoint& at) {
  const auto holder = holder_of_port(Protocol::kUdp, at);
  return {"UDP " + at.to_string() + " is taken" + (holder.empty() ? "" : " by " + holder) +
          ": let it bind 127.0.0.1 or set address reuse, or give the flow another port"};
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
      if (c->cmsg_level != SOL_IP || c->cmsg_type != IP_RECVERR) continue;
      sock_extended_err error{};
      std::memcpy(&error, CMSG_DATA(c), sizeof error);
      if (error.ee_errno == ECONNREFUSED) on_refused(to.endpoint());
    }
  }
}

Result<FlowSocket> FlowSocket::open(boost::asio::io_context& io, const Endpoint& at,
                                    AppReceiver& receiver, AppReceiver::OnBatch on_batch,
                                    OnRefused on_refused) {
  FlowSocket port;
  port.lock_ = take_lock(at);
  if (!port.lock_.is_open()) return taken(at);
  FileDescriptor fd(::socket(family_of(at.address), SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.is_open()) {
    return Error{"socket for flow port " + at.to_string() + ": " +
                 std::generic_category().message(errno)};
  }
  set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  set_option(fd.get(), SOL_IP, IP_RECVERR, 1);
  enlarge_buffers(fd.get());
  const SocketAddress address(at);
  if (::bind(fd.get(), address.data(), address.size()) != 0) {
    if (errno == EADDRINUSE) return taken(at);
    return Error{"UDP " + at.to_string() + ": " + std::generic_category().message(errno)};
  }
  port.sender_ = std::make_unique<SendSocket>();
  port.sender_->fd = fd.get();
  auto* sender = port.sender_.get();
  port.readable_ =
      Readable(io, std::move(fd),
               [sender, &receiver, handle = std::move(on_batch), refused = std::move(on_refused)] {
                 // Before the datagrams: handling them may close this port.
                 const int number = sender->fd;
                 drain_error_queue(number, refused);
                 receiver.drain(number, handle);
               });
  return port;
}

}  // namespace wormhole
