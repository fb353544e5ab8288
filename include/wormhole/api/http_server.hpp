// A small HTTP/1.1 server for local callers: over TCP on a loopback address or a unix socket.
#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "wormhole/base/endpoint.hpp"
#include "wormhole/base/result.hpp"

namespace wormhole {

/// Header fields are as sent and empty when the caller gave none.
struct HttpRequest {
  std::string method;  ///< HEAD comes as GET: the connection leaves the body out
  std::string path;    ///< without the query, percent-encoded as sent
  std::string body;
  std::string query{};  ///< behind the "?", percent-encoded as sent
  std::string content_type{};
  std::string authorization{};
  std::string if_match{};
  std::string if_none_match{};
  IpAddress from{};  ///< the caller; unspecified on a unix socket
};

struct HttpField {
  std::string name;
  std::string value;
};

class HttpFeed;

struct HttpResponse {
  unsigned status = 200;
  std::string body;
  std::string content_type = "application/json";
  std::vector<HttpField> fields{};  ///< ETag, Allow, …
  /// The body goes on with what this publishes, until the caller leaves. It outlives the server.
  HttpFeed* feed = nullptr;

  /// The value of a field; empty when it is not there.
  std::string_view field(std::string_view name) const;
};

/// An error as JSON (RFC 9457): `detail` is one sentence for the person who called.
HttpResponse problem(unsigned status, const std::string& detail);

/// Answers one request; further calls, and calls after the caller has gone, have no effect. It may
/// be called at once or later, on the io_context's thread, as long as the server lives.
using HttpReply = std::function<void(HttpResponse)>;
/// The request is valid during the call only.
using HttpHandler = std::function<void(const HttpRequest&, HttpReply)>;

struct HttpRoute {
  std::string method;
  std::string path;
  HttpHandler handler;
};
/// One handler out of several: 404 for an unknown path, 405 with Allow for another method.
HttpHandler route(std::vector<HttpRoute> routes);

/// What one caller, and all of them together, may take.
struct HttpLimits {
  std::size_t header_bytes = std::size_t{8} << 10;  ///< nginx's and Apache's default too; else 431
  std::size_t body_bytes = std::size_t{1} << 20;    ///< a routes.yaml of 10,000 clients; else 413
  std::size_t connections = 64;  ///< half of a page with its tabs and scripts is plenty; else 503
  /// For a request from its first byte to the last byte of the answer (else 408), and for an idle
  /// connection: shorter than it takes to be annoying, longer than a storage stall.
  std::chrono::milliseconds request_time{10'000};
};

/// Serves until stop(). A browser must not be able to use it from a foreign page: a Host other than
/// a loopback name or address or one of `hosts` (DNS rebinding) and any Origin are refused with
/// 403. A connection takes one request in each turn of the loop, however many it has sent, so
/// packets wait for one request of each connection at most. Everything happens on the io_context's
/// thread; destroy it only when that no longer runs handlers.
class HttpServer {
 public:
  /// `hosts`: names and IP addresses (without a port) beside the loopback's.
  HttpServer(boost::asio::io_context& io, HttpHandler handler, HttpLimits limits = {},
             const std::vector<std::string>& hosts = {});
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Listens on TCP; port 0 takes a free one. The error names the address and the cause, and who
  /// has the port if that can be seen.
  Result<void> listen(const Endpoint& at);
  /// Listens on a unix socket that only this user may open (0600). What a dead server left at the
  /// path is replaced; the caller makes sure that none is alive.
  Result<void> listen_unix(const std::string& path);
  /// The TCP endpoint in use; not set for a unix socket.
  Endpoint endpoint() const;
  /// Closes every connection and the listener, and removes the unix socket.
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace wormhole
