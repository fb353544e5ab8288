#include "wormhole/api/http_server.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <boost/asio.hpp>
#include <cstring>

#include "http_connection.hpp"
#include "socket_owner.hpp"

namespace wormhole {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

/// How long to wait after a failed accept (file descriptors used up): no spin, no long deafness.
constexpr std::chrono::milliseconds kAcceptPause{100};

}  // namespace

struct HttpServer::Impl {
  Impl(asio::io_context& io, HttpHandler handler, HttpLimits limits, HostNames hosts)
      : acceptor(io), pause(io), connections(io, std::move(handler), limits, std::move(hosts)) {}

  error_code open(const LocalStream::endpoint& at, bool reuse);
  void accept();

  asio::basic_socket_acceptor<LocalStream> acceptor;
  asio::steady_timer pause;
  HttpConnections connections;
  std::string unix_path;
  Endpoint endpoint;
};

error_code HttpServer::Impl::open(const LocalStream::endpoint& at, bool reuse) {
  error_code error;
  acceptor.open(at.protocol(), error);
  if (!error) acceptor.set_option(asio::socket_base::reuse_address(reuse), error);
  if (!error) acceptor.bind(at, error);
  if (!error) acceptor.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    error_code ignored;
    acceptor.close(ignored);
  }
  return error;
}

void HttpServer::Impl::accept() {
  acceptor.async_accept([this](const error_code& error, LocalStream::socket socket) {
    // Closed meanwhile: an accept that was already done is still handed over, without an error.
    if (!acceptor.is_open()) return;
    if (!error) {
      connections.add(std::move(socket));
      return accept();
    }
    pause.expires_after(kAcceptPause);
    pause.async_wait([this](const error_code& aborted) {
      if (!aborted && acceptor.is_open()) accept();
    });
  });
}

HttpServer::HttpServer(asio::io_context& io, HttpHandler handler, HttpLimits limits,
                       const std::vector<std::string>& hosts)
    : impl_(std::make_unique<Impl>(io, std::move(handler), limits, HostNames(hosts))) {}

HttpServer::~HttpServer() { stop(); }

Result<void> HttpServer::listen(const Endpoint& at) {
  const asio::ip::tcp::endpoint endpoint = to_asio(at);
  if (const error_code error = impl_->open(endpoint, true)) {
    std::string message = "cannot listen on " + at.to_string() + " (TCP): " + error.message();
    if (error == asio::error::address_in_use) message += who_listens_on(at);
    return Error{message};
  }
  error_code ignored;
  const auto bound = impl_->acceptor.local_endpoint(ignored);
  asio::ip::tcp::endpoint actual;
  std::memcpy(actual.data(), bound.data(), bound.size());
  impl_->endpoint = {at.address, actual.port()};
  impl_->accept();
  return {};
}

Result<void> HttpServer::listen_unix(const std::string& path) {
  if (path.size() > kMaxUnixPath) {
    return Error{"the path of the socket " + path +
                 " is longer than 107 bytes; use a shorter state directory"};
  }
  ::unlink(path.c_str());
  // A socket gets its mode from the umask; nothing else of this process makes files meanwhile.
  const mode_t before = ::umask(0177);
  const error_code error = impl_->open(asio::local::stream_protocol::endpoint(path), false);
  ::umask(before);
  if (error) return Error{"cannot listen on the socket " + path + ": " + error.message()};
  impl_->unix_path = path;
  impl_->accept();
  return {};
}

Endpoint HttpServer::endpoint() const { return impl_->endpoint; }

void HttpServer::stop() {
  error_code ignored;
  impl_->acceptor.close(ignored);
  impl_->pause.cancel();
  impl_->connections.close_all();
  if (!impl_->unix_path.empty()) ::unlink(impl_->unix_path.c_str());
  impl_->unix_path.clear();
}

}  // namespace wormhole
