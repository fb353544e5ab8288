// One caller's connection: a coroutine owns its course, the server's table its memory.
#pragma once

#include <boost/asio.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>

#include "http_rules.hpp"
#include "local_stream.hpp"
#include "wormhole/api/http_server.hpp"

namespace wormhole {

/// How the caller wants an answer.
struct HttpForm {
  unsigned version = 11;  ///< 10 × major + minor
  bool keep_alive = false;
  bool head_only = false;  ///< the request was HEAD
};

/// All connections of one server. Timers and replies refer to a connection by its number, because
/// they may come after its end.
class HttpConnections {
 public:
  HttpConnections(boost::asio::io_context& io, HttpHandler handler, HttpLimits limits,
                  HostNames hosts);
  ~HttpConnections();

  /// Serves the caller until it leaves or breaks a limit.
  void add(LocalStream::socket socket);
  void close_all();

 private:
  struct Connection;
  enum class Next : std::uint8_t { kKeep, kClose };

  boost::asio::awaitable<void> serve(Connection& c);
  boost::asio::awaitable<bool> has_more(Connection& c);
  boost::asio::awaitable<void> take_turn();
  boost::asio::awaitable<Next> exchange(Connection& c);
  boost::asio::awaitable<HttpResponse> answer(Connection& c, const HttpRequest& request);
  boost::asio::awaitable<void> write(Connection& c, HttpResponse& response, const HttpForm& form);
  boost::asio::awaitable<void> follow(Connection& c, HttpResponse& response);
  boost::asio::awaitable<bool> push(Connection& c, const std::string& text);
  void watch_for_end(Connection& c);
  boost::asio::awaitable<void> drain(Connection& c);
  void arm(Connection& c);
  static void disarm(Connection& c);
  void on_deadline(std::uint64_t number);
  void on_reply(std::uint64_t number, HttpResponse response);

  boost::asio::io_context& io_;
  HttpHandler handler_;
  HttpLimits limits_;
  HostNames hosts_;
  bool closed_ = false;
  unsigned turns_ = 0;  ///< taken in this turn of the loop
  std::uint64_t next_number_ = 1;
  std::map<std::uint64_t, std::unique_ptr<Connection>> connections_;
};

}  // namespace wormhole
