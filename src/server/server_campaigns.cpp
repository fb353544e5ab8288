// Heavy campaigns of clients: one at a time for each public address.
#include <algorithm>

#include "server/server_core.hpp"

namespace wormhole {

void Server::Core::on_campaign(ClientRecord& client, const CampaignAsk& ask, TimePoint now,
                               Outbox& out) {
  if (!ask.begin) {
    campaigns.end(client.number, ask.peer, ask.turn, now);
    return tell_campaigns(now, out);
  }
  auto* peer = numbered(ask.peer);
  if (!may_punch(client, peer) || !pays_for_campaign(client, now)) {
    campaigns.refuse(client.number, ask.peer);
  } else {
    const auto end_of = [](const ClientRecord& c) {
      return CampaignLeases::End{c.number, c.sessions.current()->source.endpoint.address};
    };
    campaigns.ask(end_of(client), end_of(*peer), now);
  }
  tell_campaigns(now, out);
}

/// Whether they share a flow, may use direct paths, and are there.
bool Server::Core::may_punch(const ClientRecord& client, const ClientRecord* peer) const {
  if (peer == nullptr || !peer->is_online()) return false;
  const auto& peers = client.plan->peers;
  return std::binary_search(peers.begin(), peers.end(), peer->number) && client.plan->p2p &&
         peer->plan->p2p && client.sessions.current() != nullptr &&
         peer->sessions.current() != nullptr;
}

bool Server::Core::pays_for_campaign(ClientRecord& client, TimePoint now) {
  const auto paid = std::max(client.campaigns_paid, now - kCampaignPause) + kCampaignPause;
  if (paid >= now + kCampaignPause * kCampaignBurst) return false;
  client.campaigns_paid = paid;
  return true;
}

void Server::Core::leave_campaigns(const ClientRecord& client, TimePoint now, Outbox& out) {
  campaigns.leave(client.number, now);
  tell_campaigns(now, out);
}

void Server::Core::tell_campaigns(TimePoint now, Outbox& out) {
  // A push may cut a client off, whose turns then end: that makes news again.
  for (auto news = campaigns.take_news(); !news.empty(); news = campaigns.take_news()) {
    for (const auto& item : news) {
      auto* client = numbered(item.to);
      if (client == nullptr || !client->is_online()) continue;
      push(*client, encode(item.turn), now, out);
      flush(*client, now, out);
    }
  }
}

}  // namespace wormhole
