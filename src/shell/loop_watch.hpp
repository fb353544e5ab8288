// How long things wait for the loop.
#pragma once

#include <array>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>

#include "wormhole/server/server.hpp"

namespace wormhole {

/// A timer that notes how late it is. A packet that arrives while the loop does something else
/// waits as long.
class LoopWatch {
 public:
  /// Ten times a second costs 0.02 % of a core; a stall is seen when it meets one of them.
  static constexpr std::chrono::milliseconds kInterval{100};
  static constexpr std::size_t kKept = 100;  // 10 s

  explicit LoopWatch(boost::asio::io_context& io) : timer_(io) {}
  void start();
  void close();
  LoopStatus status() const;

 private:
  boost::asio::steady_timer timer_;
  std::array<Duration, kKept> late_{};
  std::size_t count_ = 0;
  bool closed_ = false;
};

}  // namespace wormhole
