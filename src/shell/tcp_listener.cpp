#include "shell/tcp_listener.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "shell/socket_address.hpp"

namespace wormhole {
namespace {

/// So that a flood of dialling does not starve packets and timers.
constexpr int kAcceptsPerTurn = 64;

bool is_exhaustion(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

void accept_some(int fd, const TcpListener::Handlers& handlers, const std::weak_ptr<bool>& alive) {
  for (int i = 0; i < kAcceptsPerTurn && !alive.expired(); ++i) {
    SocketAddress from;
    auto size = SocketAddress::capacity();
    FileDescriptor socket(::accept4(fd, from.data(), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (socket.is_open()) {
      handlers.on_accepted(std::move(socket), from.endpoint());
    } else if (is_exhaustion(errno)) {
      return handlers.on_failed(errno);
    } else if (errno != ECONNABORTED && errno != EINTR) {
      return;
    }
  }
}

}  // namespace

void reset_socket(FileDescriptor socket) {
  if (!socket.is_open()) return;
  const linger abort{1, 0};
  ::setsockopt(socket.get(), SOL_SOCKET, SO_LINGER, &abort, sizeof abort);
}

boost::system::result<TcpListener, int> TcpListener::open(boost::asio::io_context& io,
                                                          const Endpoint& at, Handlers handlers) {
  FileDescriptor fd(::socket(family_of(at.address), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd.is_open()) return errno;
  // Connections of a client that ran before may still be in TIME_WAIT.
  const int on = 1;
  ::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const SocketAddress address(at);
  if (::bind(fd.get(), address.data(), address.size()) != 0) return errno;
  if (::listen(fd.get(), SOMAXCONN) != 0) return errno;
  auto alive = std::make_shared<bool>(true);
  TcpListener listener;
  const int number = fd.get();
  listener.readable_ = Readable(io, std::move(fd),
                                [number, calls = std::move(handlers), weak = std::weak_ptr(alive)] {
                                  accept_some(number, calls, weak);
                                  calls.on_done();
                                });
  listener.alive_ = std::move(alive);
  return listener;
}

}  // namespace wormhole
