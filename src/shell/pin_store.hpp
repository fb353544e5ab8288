// Peers' keys, remembered durably.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <map>
#include <string>

#include "wormhole/base/result.hpp"
#include "wormhole/client/client.hpp"
#include "wormhole/shell/worker.hpp"

namespace wormhole {

/// Writes the pins on the worker, one write at a time with the newest of each. A full or read-only
/// disk is said once and tried again; the running client loses nothing by it.
class PinStore {
 public:
  /// Long enough to cost nothing, short against the time in which somebody frees a disk.
  static constexpr std::chrono::milliseconds kRetryAfter{10'000};
  using Pins = std::map<std::string, PeerPin>;
  using Save = std::function<Result<void>(const Pins&)>;

  /// `save` is called on the worker's thread.
  PinStore(boost::asio::io_context& io, Worker& worker, Pins pins, Save save,
           std::chrono::milliseconds retry_after = kRetryAfter);

  void remember(const std::string& id, const PeerPin& pin);
  /// Writes what is not yet written, and tries no more after that.
  void close();

 private:
  void write();
  void on_written(const Result<void>& result);

  Worker& worker_;
  Pins pins_;
  Save save_;
  std::chrono::milliseconds retry_after_;
  boost::asio::steady_timer retry_;
  bool dirty_ = false;
  bool writing_ = false;
  bool failing_ = false;
  bool closed_ = false;
};

}  // namespace wormhole
