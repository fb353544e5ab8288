// People and programs who wait for a fresh NAT check.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <vector>

#include "wormhole/client/status.hpp"

namespace wormhole {

/// Where the check is made.
struct NatChecker {
  std::function<bool()> begin;  ///< or joins one that runs; false without a server
  std::function<bool()> runs;
  std::function<ClientStatus()> status;
};

/// They share one check, which begins as soon as there is a server, and nobody waits for more than
/// kPatience.
class NatDesk {
 public:
  using OnReport = std::function<void(const NatCheckReport&)>;
  /// A quarter of the API's connections.
  static constexpr std::size_t kMostWaiting = 16;
  /// Four tries of each probe and three of each filter test take 4.4 s at most, on a path whose
  /// round trip is below 130 ms.
  static constexpr std::chrono::seconds kPatience{5};

  NatDesk(boost::asio::io_context& io, NatChecker checker, std::chrono::milliseconds patience);

  /// False when there are too many.
  bool ask(OnReport done);
  /// To be called when something may have changed.
  void look();
  /// Nobody is called any more.
  void close();

 private:
  struct Caller {
    OnReport done;
    std::chrono::steady_clock::time_point until;
  };
  void arm();
  void answer(std::size_t count, bool in_time);

  NatChecker checker_;
  std::chrono::milliseconds patience_;
  boost::asio::steady_timer timer_;
  std::vector<Caller> waiting_;  // in the order of their coming
  bool begun_ = false;
};

}  // namespace wormhole
