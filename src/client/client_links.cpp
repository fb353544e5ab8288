// What is known of the links, and who hears of it.
#include <utility>

#include "client/client_core.hpp"

namespace wormhole {

std::vector<LinkStatus> Client::Core::links(TimePoint /*now*/) const { return {}; }

std::optional<LinkState> Client::Core::link_of(const FlowPort& /*flow*/, TimePoint /*now*/) const {
  return std::nullopt;
}

void Client::Core::tend_links(TimePoint now, ClientOutbox& out) {
  if (now < links_due) return;
  std::vector<LinkRow> rows;
  for (auto& link : links(now)) {
    rows.push_back({link.number, link.way, FlowNo{0}, std::move(link.peer), link.state});
  }
  for (const auto& [number, flow] : flows.all()) {
    const auto state = link_of(*flow, now);
    if (!state) continue;
    rows.push_back({ClientNo{0}, PathKind::kNone, number, std::string(flow->ref.name), *state});
  }
  auto news = link_watch.look(rows, hop.is_connected(), now);
  for (auto& change : news.changes) out.commands.emplace_back(std::move(change));
  for (const auto& report : news.reports) hop.send_message(report, now, out);
  links_due = news.active ? now + LinkWatch::kLook : kNever;
}

}  // namespace wormhole
