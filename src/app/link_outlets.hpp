// Who on this machine hears of links: programs by UDP, by server-sent events, and one that is run.
#pragma once

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <optional>
#include <string>
#include <vector>

#include "wormhole/api/http_feed.hpp"
#include "wormhole/base/result.hpp"
#include "wormhole/client/link_change.hpp"
#include "wormhole/shell/event_hook.hpp"
#include "wormhole/shell/udp_notifier.hpp"

namespace wormhole {

/// As they stand on the command line.
struct LinkOutletOptions {
  std::vector<std::string> notify;
  std::string on_congestion;
};
void add_link_outlet_options(CLI::App& command, LinkOutletOptions& options);

struct LinkTargets {
  std::vector<Endpoint> notify;
  std::string command;                 ///< as it was written; empty: none
  std::vector<std::string> arguments;  ///< the same, split; the first is the program's path
};
/// `anywhere`: lines may go to other machines, too. The error names the option and the way out.
Result<LinkTargets> read_link_targets(const LinkOutletOptions& options, bool anywhere);

class LinkOutlets {
 public:
  LinkOutlets(boost::asio::io_context& io, LinkTargets targets);

  /// Never waits for anybody.
  void tell(const LinkChange& change);
  HttpFeed& feed() { return feed_; }
  LinkOutletsStatus status() const;

 private:
  std::string command_;
  UdpNotifier notifier_;
  std::optional<EventHook> hook_;
  HttpFeed feed_;
};

}  // namespace wormhole
