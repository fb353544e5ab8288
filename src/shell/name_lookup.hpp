// DNS without waiting for it.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "shell/readable.hpp"
#include "wormhole/base/endpoint.hpp"

namespace wormhole {

/// Resolves names with getaddrinfo(3) on a detached thread. Asio's resolver would make the process
/// wait at its end until a dead name server has timed out, which takes many seconds.
class NameLookup {
 public:
  struct Answer {
    std::vector<Endpoint> endpoints;  ///< in the system's order of preference (RFC 6724)
    std::string error;                ///< why there are none
  };
  using OnAnswer = std::function<void(const Answer&)>;

  explicit NameLookup(boost::asio::io_context& io) : io_(io) {}

  /// Calls back once, on the io_context. One lookup at a time: a second one is ignored.
  void start(const std::string& host, std::uint16_t port, OnAnswer on_answer);
  bool under_way() const { return answered_.is_open(); }
  /// No callback comes after it.
  void close() { answered_.close(); }

 private:
  boost::asio::io_context& io_;
  Readable answered_;
};

}  // namespace wormhole
