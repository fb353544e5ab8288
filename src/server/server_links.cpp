// What clients say of their links: kept for ten minutes, for operators.
#include "server/server_core.hpp"

namespace wormhole {
namespace {

/// Ages matter to people: what is 10 s older than it should be costs memory only.
constexpr Duration kSweepLinks = 10s;

LinkState state_of(const LinkNews& news) {
  LinkState state;
  state.verdict = static_cast<LinkVerdict>(news.verdict);
  state.age = std::chrono::milliseconds(news.age_ms);
  state.confidence = news.confidence / 100.0;
  state.capacity_bps = static_cast<double>(news.capacity_bps);
  state.offered_bps = static_cast<double>(news.offered_bps);
  state.sent_bps = static_cast<double>(news.sent_bps);
  state.delivered_bps = static_cast<double>(news.delivered_bps);
  state.queue_delay = std::chrono::microseconds(news.queue_us);
  state.loss = news.loss / 10'000.0;
  if (news.rtt_us != 0) state.rtt = std::chrono::microseconds(news.rtt_us);
  return state;
}

}  // namespace

void Server::Core::on_link_news(ClientRecord& client, const LinkNews& news, TimePoint now) {
  client.links.add(news, link_budget, now);
}

void Server::Core::sweep_links(TimePoint now) {
  if (now < next_link_sweep) return;
  next_link_sweep = now + kSweepLinks;
  for (auto& [id, client] : clients) client->links.expire(now);
}

std::vector<ClientLinks> Server::links(const std::string& id, bool history, TimePoint now) const {
  std::vector<ClientLinks> all;
  const auto sample = [now](const LinkHistory::Sample& of) {
    return LinkSample{now - of.at, state_of(of.news)};
  };
  for (const auto& [client_id, client] : core_->clients) {
    if ((!id.empty() && client_id != id) || client->links.links().empty()) continue;
    ClientLinks row{client_id, client->is_online(), {}};
    for (const auto& [key, link] : client->links.links()) {
      LinkReport report;
      const auto* peer = core_->numbered(key.peer);
      const auto name = core_->plan->flow_names.find(key.flow);
      if (peer != nullptr) report.peer = peer->id;
      if (name != core_->plan->flow_names.end()) report.flow = name->second;
      if (report.peer.empty() && report.flow.empty()) continue;  // taken out of routes.yaml
      report.direct = key.way == 1;
      report.newest = sample(link.newest);
      report.samples = link.samples.size();
      if (history) {
        for (const auto& one : link.samples) report.history.push_back(sample(one));
      }
      row.links.push_back(std::move(report));
    }
    all.push_back(std::move(row));
  }
  return all;
}

}  // namespace wormhole
