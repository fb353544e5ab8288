// "This host is attached to the network in another way now."
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <optional>
#include <vector>

#include "shell/readable.hpp"
#include "shell/way_out.hpp"
#include "wormhole/base/result.hpp"

namespace wormhole {

/// What a client's paths depend on.
struct Attachment {
  std::vector<IpAddress> addresses;  ///< local_addresses()
  std::optional<WayOut> v4;
  std::optional<WayOut> v6;
  bool operator==(const Attachment&) const = default;
};

/// Watches links, addresses and routes by rtnetlink(7), in the network namespace of the thread that
/// calls start(). Events are only a hint to look: what counts is whether the attachment is another
/// one than at the last look, so that unrelated events (neighbours, other routes, link-local
/// addresses) and changes that are undone at once cost a look and tell nothing.
class NetworkWatch {
 public:
  using OnChange = std::function<void()>;

  /// From one look to the next: a look costs some 50 µs, and an interface that comes up says so in
  /// about ten events. The first event after a pause is looked at at once, the last one always.
  static constexpr std::chrono::milliseconds kPause{100};
  /// The same while there is no way out: an uplink that takes over should not wait.
  static constexpr std::chrono::milliseconds kShortPause{10};

  NetworkWatch(boost::asio::io_context& io, OnChange on_change);

  /// Looks, and watches from now on. After an error attachment() is what it was found to be, and
  /// stays.
  Result<void> start();
  /// May be called from inside the callback.
  void close();

  const Attachment& attachment() const { return attachment_; }

 private:
  void on_events();
  void look();

  boost::asio::io_context& io_;
  OnChange on_change_;
  boost::asio::steady_timer pause_;
  Attachment attachment_;
  std::chrono::steady_clock::time_point looked_at_;
  bool waiting_ = false;
  Readable netlink_;
};

}  // namespace wormhole
