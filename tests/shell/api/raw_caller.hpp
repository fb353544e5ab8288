// A server on its own thread and callers that send bytes as they please.
#pragma once

#include <boost/asio.hpp>
#include <string>
#include <thread>

#include "wormhole/api/http_server.hpp"

namespace wormhole::test {

/// Serves on a free port of 127.0.0.1 until the end of the test.
class RunningServer {
 public:
  RunningServer(HttpHandler handler, HttpLimits limits = {})
      : server_(io_, std::move(handler), limits) {
    const Result<void> listening = server_.listen({IpAddress::v4(127, 0, 0, 1), 0});
    EXPECT_TRUE(listening) << listening.error().message;
    thread_ = std::thread([this] { io_.run(); });
  }
  ~RunningServer() {
    boost::asio::post(io_, [this] { server_.stop(); });
    thread_.join();  // run() returns: stop() leaves no work behind
  }
  Endpoint endpoint() const { return server_.endpoint(); }
  boost::asio::io_context& io() { return io_; }

 private:
  boost::asio::io_context io_{1};
  HttpServer server_;
  std::thread thread_;
};

/// One TCP connection with blocking reads; the server's deadlines end them.
class RawCaller {
 public:
  explicit RawCaller(const Endpoint& to) : socket_(io_) {
    socket_.connect({boost::asio::ip::make_address(to.address.to_string()), to.port});
  }
  void send(const std::string& bytes) { boost::asio::write(socket_, boost::asio::buffer(bytes)); }
  /// One answer's head.
  std::string head() {
    const std::size_t size = boost::asio::read_until(socket_, boost::asio::dynamic_buffer(input_),
                                                     std::string("\r\n\r\n"));
    const std::string head = input_.substr(0, size);
    input_.erase(0, size);
    return head;
  }
  /// So many bytes of what comes.
  std::string bytes(std::size_t size) {
    if (input_.size() < size) {
      boost::asio::read(socket_, boost::asio::dynamic_buffer(input_),
                        boost::asio::transfer_exactly(size - input_.size()));
    }
    const std::string found = input_.substr(0, size);
    input_.erase(0, size);
    return found;
  }
  /// One answer's head and body.
  std::string answer() {
    const std::size_t head = boost::asio::read_until(socket_, boost::asio::dynamic_buffer(input_),
                                                     std::string("\r\n\r\n"));
    const std::size_t size = content_length(input_.substr(0, head));
    if (input_.size() < head + size) {
      boost::asio::read(socket_, boost::asio::dynamic_buffer(input_),
                        boost::asio::transfer_exactly(head + size - input_.size()));
    }
    const std::string whole = input_.substr(0, head + size);
    input_.erase(0, head + size);
    return whole;
  }
  /// True when the server closes without another byte.
  bool is_closed() {
    boost::system::error_code error;
    boost::asio::read(socket_, boost::asio::dynamic_buffer(input_),
                      boost::asio::transfer_at_least(1), error);
    return input_.empty() && error;
  }

 private:
  static std::size_t content_length(const std::string& head) {
    const std::size_t at = head.find("Content-Length: ");
    return at == head.npos ? 0 : std::stoul(head.substr(at + 16));
  }

  boost::asio::io_context io_;
  boost::asio::ip::tcp::socket socket_;
  std::string input_;
};

/// Answers {"path":…} at once.
inline HttpHandler echo_path() {
  return [](const HttpRequest& request, const HttpReply& reply) {
    reply({200, R"({"path":")" + request.path + "\"}", "application/json", {}});
  };
}

inline std::string get(const std::string& path, const std::string& more_header = "") {
  return "GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + more_header + "\r\n";
}

/// "HTTP/1.1 NNN" of an answer.
inline std::string status_of(const std::string& answer) { return answer.substr(0, 12); }

}  // namespace wormhole::test
