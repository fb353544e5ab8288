#include "shell/tcp_link.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <system_error>
#include <utility>

#include "shell/socket_address.hpp"
#include "shell/tcp_listener.hpp"

namespace wormhole {
namespace {

using boost::asio::posix::descriptor_base;

/// Bytes of one connection in one turn of the loop; packets, timers and the others come next. At
/// 2 GB/s (a copy on the loopback) that is 130 µs.
constexpr std::size_t kBytesPerTurn = 256 * 1024;

void set_option(int fd, int level, int name, int value) {
  ::setsockopt(fd, level, name, &value, sizeof value);
}

/// Keys typed into a shell go at once; an application whose machine is gone (a target elsewhere) is
/// noticed after two minutes of silence and five questions of ten seconds each.
void prepare(int fd) {
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 120);
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 10);
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 5);
}

std::string why(int error) {
  switch (error) {
    case ECONNREFUSED:
      return "connection refused";
    case EHOSTUNREACH:
      return "no route to host";
    case ENETUNREACH:
      return "network unreachable";
    case EMFILE:
    case ENFILE:
      return "this client's file descriptors are used up; raise 'ulimit -n' (LimitNOFILE=)";
    default:
      return std::generic_category().message(error);
  }
}

bool would_block(int error) { return error == EAGAIN || error == EWOULDBLOCK; }

}  // namespace

struct TcpLink::State {
  State(boost::asio::io_context& io, TcpCore& the_core, TcpNo the_number)
      : descriptor(io), core(the_core), number(the_number) {}

  /// Calls back when the socket is ready for it; not after close().
  template <typename Then>
  void wait(descriptor_base::wait_type what, Then then) {
    descriptor.async_wait(what, [self = own.lock(), then](const boost::system::error_code& error) {
      if (!error && self->descriptor.is_open()) then(*self);
    });
  }
  int fd() { return descriptor.native_handle(); }

  /// False when the loop can't watch one more.
  bool take(FileDescriptor socket) {
    boost::system::error_code error;
    descriptor.assign(socket.get(), error);
    if (!error) socket.release();
    return !error;
  }

  void begin();
  void wait_to_read();
  void wait_to_write();
  void read();
  void write();
  void watch_for_reset();
  void reset_came();
  void gone();
  void close();
  void connect(const Endpoint& target, Duration limit);
  void connected();
  void failed(const std::string& reason);

  boost::asio::posix::stream_descriptor descriptor;
  std::optional<boost::asio::steady_timer> limit_timer;  // while connecting
  std::weak_ptr<State> own;  // for the waits, which outlive the link by a turn
  TcpCore& core;
  TcpNo number;
  bool waits_to_read = false;
  bool waits_to_write = false;
  bool ended = false;   // the application's FIN came
  bool broken = false;  // it was reset, though something may be left to be read
  bool closed = false;
};

// --- Life -------------------------------------------------------------------

TcpLink::TcpLink(boost::asio::io_context& io, TcpCore& core, TcpNo number, FileDescriptor socket)
    : state_(std::make_shared<State>(io, core, number)) {
  state_->own = state_;
  if (state_->take(std::move(socket))) {
    state_->begin();
    return;
  }
  // The core learns of it when it has the number.
  boost::asio::post(io, [state = state_] {
    if (state->closed) return;
    state->gone();
    state->core.settle();
  });
}

TcpLink::TcpLink(boost::asio::io_context& io, TcpCore& core, TcpNo number, const Endpoint& target,
                 Duration limit)
    : state_(std::make_shared<State>(io, core, number)) {
  state_->own = state_;
  state_->connect(target, limit);
}

TcpLink::~TcpLink() { state_->close(); }

void TcpLink::read() { state_->read(); }
void TcpLink::write() { state_->write(); }

void TcpLink::finish() {
  if (state_->descriptor.is_open()) ::shutdown(state_->fd(), SHUT_WR);
}

void TcpLink::reset() {
  if (!state_->descriptor.is_open()) return;
  FileDescriptor socket(state_->descriptor.release());
  state_->close();
  reset_socket(std::move(socket));
}

void TcpLink::State::begin() {
  prepare(fd());
  watch_for_reset();
  wait_to_read();
}

void TcpLink::State::close() {
  closed = true;
  limit_timer.reset();
  boost::system::error_code ignored;
  if (descriptor.is_open()) descriptor.close(ignored);
}

void TcpLink::State::gone() {
  close();
  core.on_reset(number);
}

/// While nothing is read, a reset would go unnoticed.
void TcpLink::State::watch_for_reset() {
  wait(descriptor_base::wait_error, [](State& self) {
    int error = 0;
    socklen_t size = sizeof error;
    ::getsockopt(self.fd(), SOL_SOCKET, SO_ERROR, &error, &size);
    // Both directions have ended, or urgent data came: then reading and writing will tell.
    if (error == 0) return;
    self.reset_came();
  });
}

/// What came before the reset is still there, and may be on its way before the reset is.
void TcpLink::State::reset_came() {
  broken = true;
  waits_to_read = false;
  read();
  core.settle();
  if (closed) return;
  gone();
  core.settle();
}

// --- Bytes ------------------------------------------------------------------

void TcpLink::State::wait_to_read() {
  if (std::exchange(waits_to_read, true)) return;
  wait(descriptor_base::wait_read, [](State& self) {
    self.waits_to_read = false;
    self.read();
    self.core.settle();
  });
}

void TcpLink::State::read() {
  if (!descriptor.is_open() || ended || waits_to_read) return;
  for (std::size_t total = 0; total < kBytesPerTurn;) {
    const auto room = core.space(number);
    if (room.empty()) return;  // the core will say when there is
    const auto size = ::recv(fd(), room.data(), room.size(), 0);
    if (size > 0) {
      core.commit(number, static_cast<std::size_t>(size));
      total += static_cast<std::size_t>(size);
      continue;
    }
    if (size == 0) {
      if (broken) return;  // no FIN: the kernel has told of the reset already
      ended = true;
      return core.on_end(number);
    }
    if (would_block(errno)) break;
    if (errno != EINTR) return gone();
  }
  wait_to_read();
}

void TcpLink::State::wait_to_write() {
  if (std::exchange(waits_to_write, true)) return;
  wait(descriptor_base::wait_write, [](State& self) {
    self.waits_to_write = false;
    self.write();
    self.core.settle();
  });
}

void TcpLink::State::write() {
  if (!descriptor.is_open() || waits_to_write) return;
  for (;;) {
    const auto bytes = core.readable(number);
    if (bytes.empty()) return;  // the core will say when there is more
    const auto size = ::send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size >= 0) {
      core.consume(number, static_cast<std::size_t>(size));
    } else if (would_block(errno)) {
      return wait_to_write();
    } else if (errno != EINTR) {
      if (std::exchange(broken, true)) return;
      // From the loop: settling is for whoever has asked to write.
      return boost::asio::post(descriptor.get_executor(), [self = own.lock()] {
        if (!self->closed) self->reset_came();
      });
    }
  }
}

// --- Connecting -------------------------------------------------------------

void TcpLink::State::connect(const Endpoint& target, Duration limit) {
  FileDescriptor socket(
      ::socket(family_of(target.address), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  const SocketAddress address(target);
  const bool begun =
      socket.is_open() &&
      (::connect(socket.get(), address.data(), address.size()) == 0 || errno == EINPROGRESS);
  const int error = errno;
  if (!begun || !take(std::move(socket))) {
    // From the loop, as all answers.
    boost::asio::post(descriptor.get_executor(),
                      [self = own.lock(), reason = why(begun ? EMFILE : error)] {
                        if (!self->closed) self->failed(reason);
                      });
    return;
  }
  wait(descriptor_base::wait_write, [](State& self) { self.connected(); });
  limit_timer.emplace(descriptor.get_executor(), limit);
  limit_timer->async_wait([self = own.lock(), limit](const auto& failure) {
    if (!failure && self->limit_timer) {
      self->failed("no answer within " + std::to_string(to_ms(limit)) + " ms");
    }
  });
}

void TcpLink::State::connected() {
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(fd(), SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return failed(why(error));
  limit_timer.reset();
  core.on_connected(number);
  begin();
  core.settle();
}

void TcpLink::State::failed(const std::string& reason) {
  close();
  core.on_failed(number, reason);
  core.settle();
}

}  // namespace wormhole
