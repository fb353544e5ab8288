// Runs a test's io_context until something holds.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <memory>

namespace wormhole {

class Loop {
 public:
  boost::asio::io_context io{1};

  /// Runs handlers until `condition` holds; false when it does not within 10 s, long enough for
  /// the slowest sanitizer build on a busy machine.
  template <typename Condition>
  bool run_until(Condition condition) {
    boost::asio::steady_timer limit(io, std::chrono::seconds(10));
    // Shared: the cancelled wait's handler runs within the next call.
    const auto late = std::make_shared<bool>(false);
    limit.async_wait([late](const boost::system::error_code& error) { *late = !error; });
    io.restart();
    while (!*late && !condition()) io.run_one();
    return condition();
  }

  /// Runs what is ready now.
  void turn() {
    io.restart();
    io.poll();
  }
};

}  // namespace wormhole
