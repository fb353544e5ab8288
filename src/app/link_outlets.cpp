#include "link_outlets.hpp"

#include <utility>

#include "wormhole/api/congestion.hpp"

namespace wormhole {
namespace {

/// A video encoder, a flight controller's companion and a log are three.
constexpr std::size_t kMostNotified = 8;

Result<Endpoint> read_target(const std::string& text, bool anywhere) {
  const auto at = Endpoint::parse(text);
  if (!at || at->port == 0) {
    return Error{"--notify " + text + " is not ADDRESS:PORT: give one like 127.0.0.1:9100"};
  }
  if (!at->address.is_loopback() && !anywhere) {
    return Error{"--notify " + text +
                 " is another machine: give a loopback address like 127.0.0.1:" +
                 std::to_string(at->port) + ", or allow it with --deliver-anywhere"};
  }
  return {boost::system::in_place_value, *at};
}

}  // namespace

void add_link_outlet_options(CLI::App& command, LinkOutletOptions& options) {
  command
      .add_option("--notify", options.notify,
                  "send a line of JSON by UDP to ADDRESS:PORT at each change of a link, a flow "
                  "or a path; may be given 8 times")
      ->allow_extra_args(false);
  command.add_option("--on-congestion", options.on_congestion,
                     "run this program (no shell) at each of them, with WORMHOLE_EVENT, "
                     "WORMHOLE_STATE, … in its environment; killed after 5 s");
}

Result<LinkTargets> read_link_targets(const LinkOutletOptions& options, bool anywhere) {
  LinkTargets targets;
  if (options.notify.size() > kMostNotified) {
    return Error{"--notify is given " + std::to_string(options.notify.size()) + " times: at most " +
                 std::to_string(kMostNotified) + " are told; let one of them tell the others"};
  }
  for (const auto& text : options.notify) {
    const auto at = read_target(text, anywhere);
    if (!at) return at.error();
    targets.notify.push_back(*at);
  }
  targets.command = options.on_congestion;
  if (targets.command.empty()) return {boost::system::in_place_value, std::move(targets)};
  auto arguments = split_command(targets.command);
  if (!arguments) return Error{"--on-congestion: " + arguments.error().message};
  targets.arguments = *std::move(arguments);
  return {boost::system::in_place_value, std::move(targets)};
}

LinkOutlets::LinkOutlets(boost::asio::io_context& io, LinkTargets targets)
    : command_(std::move(targets.command)), notifier_(io, std::move(targets.notify)) {
  if (!targets.arguments.empty()) hook_.emplace(io, std::move(targets.arguments));
}

void LinkOutlets::tell(const LinkChange& change) {
  notifier_.send(change_json(change) + '\n');
  if (feed_.listeners() > 0) feed_.publish(event_text(change));
  if (hook_) hook_->post(change_subject(change), change_environment(change));
}

LinkOutletsStatus LinkOutlets::status() const {
  LinkOutletsStatus status;
  for (const auto& [to, sent, failed] : notifier_.targets()) {
    status.notify.push_back({to, sent, failed});
  }
  if (hook_) {
    const auto& counts = hook_->counts();
    status.hook = {command_,     counts.runs,    counts.failures,
                   counts.kills, counts.skipped, hook_->outcome()};
  }
  status.listeners = feed_.listeners();
  status.listeners_cut = feed_.counts().cut;
  status.listeners_refused = feed_.counts().refused;
  return status;
}

}  // namespace wormhole
