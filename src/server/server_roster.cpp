// Rendezvous: who is told of whom. Every client has a wanted state (its peers, its flows); what it
// has been told is remembered, and only differences are said.
#include <algorithm>
#include <utility>

#include "server/server_core.hpp"
#include "wormhole/wire/impairment.hpp"

namespace wormhole {
namespace {

/// Says what is in `wanted` and not in `told`, and removes what is only in `told`.
template <typename Key, typename Remove, typename Push>
void say_differences(std::map<Key, std::vector<std::uint8_t>>& told,
                     std::map<Key, std::vector<std::uint8_t>> wanted, Remove remove, Push push) {
  for (const auto& [key, message] : told) {
    if (!wanted.contains(key)) push(remove(key));
  }
  for (const auto& [key, message] : wanted) {
    const auto before = told.find(key);
    if (before == told.end() || before->second != message) push(message);
  }
  told = std::move(wanted);
}

}  // namespace

/// Every client's record follows its plan; those that are new are made.
void Server::Core::adopt(std::shared_ptr<const ServerPlan> next) {
  plan = std::move(next);
  campaigns.set_limits(plan->network.p2p);
  auto at = clients.begin();  // both are in the IDs' order
  for (const auto& [id, client_plan] : plan->clients) {
    if (at == clients.end() || at->first != id) {
      at = clients.emplace_hint(at, id, std::make_unique<ClientRecord>());
      at->second->id = id;
    }
    at->second->plan = &client_plan;
    ++at;
  }
}

/// Takes over what the client's plan says anew.
void Server::Core::update(ClientRecord& client) {
  const auto& wanted = *client.plan;
  client.number = wanted.number;
  client.binding = wanted.binding;
  client.p2p = wanted.p2p;
  if (client.number.value >= by_number.size()) {
    by_number.resize(client.number.value + std::size_t{1});
  }
  by_number[client.number.value] = &client;
  by_id_hash[id_hash(client.id)] = &client;
  if (client.binding) by_key[client.binding->key] = &client;
  renew_ports(client);
}

std::vector<std::uint8_t> Server::Core::peer_message(const ClientRecord& peer) const {
  PeerPut message;
  message.number = peer.number;
  message.boot_id = peer.is_online() ? peer.association->boot_id : 0;
  message.binding = *peer.binding;
  return encode(message);
}

std::map<ClientNo, std::vector<std::uint8_t>> Server::Core::wanted_peers(
    const ClientRecord& client) const {
  std::map<ClientNo, std::vector<std::uint8_t>> wanted;
  for (const auto number : client.plan->peers) {
    const auto& peer = *by_number[number.value];
    if (peer.binding) wanted.emplace(number, peer_message(peer));
  }
  return wanted;
}

void Server::Core::push(ClientRecord& client, const std::vector<std::uint8_t>& message,
                        TimePoint now, Outbox& out) {
  if (!client.is_online() || client.association->stream.push(message)) return;
  ++counters.control_overflow;
  drop_ports(client);
  client.association.reset();
  client.sessions.clear();
  forget_sources(client);
  out.log(LogLevel::kWarning,
          "client " + client.id + ": does not read its control stream; cut off");
  leave_campaigns(client, now, out);
  tell_peers_about(client, now, out);
}

void Server::Core::tell_everything(ClientRecord& client, TimePoint now, Outbox& out) {
  client.association->told_peers.clear();
  client.association->told_flows.clear();
  client.association->told_impairs.clear();
  client.association->told_offers.clear();
  client.association->told_addresses.clear();
  client.association->told_settings.clear();
  client.association->told_streams.clear();
  tell_settings(client, now, out);
  tell_differences(client, now, out);
  push(client, encode(Sync{++revision}), now, out);
  flush(client, now, out);
}

void Server::Core::tell_differences(ClientRecord& client, TimePoint now, Outbox& out) {
  if (!client.is_online()) return;
  const auto say = [&](const std::vector<std::uint8_t>& message) {
    push(client, message, now, out);
  };
  // Copies: a push may cut the client off, and its association with it.
  auto peers = client.association->told_peers;
  auto flows = client.association->told_flows;
  auto impairs = client.association->told_impairs;
  auto offers = client.association->told_offers;
  say_differences(
      peers, wanted_peers(client), [](ClientNo n) { return encode(PeerRemove{n}); }, say);
  say_differences(
      flows, client.plan->flow_puts, [](FlowNo n) { return encode(FlowRemove{n}); }, say);
  say_differences(
      impairs, client.plan->flow_impairs, [](FlowNo n) { return impair_messages(n, {}); }, say);
  say_differences(
      offers, client.plan->offers, [](FlowNo n) { return encode(FlowOfferRemove{n}); }, say);
  if (!client.association) return;
  client.association->told_peers = std::move(peers);
  client.association->told_flows = std::move(flows);
  client.association->told_impairs = std::move(impairs);
  client.association->told_offers = std::move(offers);
  tell_ports(client, now, out);
  tell_addresses(client, now, out);
  flush(client, now, out);
}

void Server::Core::tell_peers_about(const ClientRecord& client, TimePoint now, Outbox& out) {
  if (!client.binding) return;
  const auto message = peer_message(client);
  for (const auto number : client.plan->peers) {
    auto* peer = numbered(number);
    if (peer == nullptr || !peer->is_online()) continue;
    auto& told = peer->association->told_peers[client.number];
    if (told == message) continue;
    told = message;
    push(*peer, message, now, out);
    tell_address(*peer, client, now, out);
    flush(*peer, now, out);
  }
}

void Server::Core::go_offline(ClientRecord& client, const std::string& why, TimePoint now,
                              Outbox& out) {
  client.association->online = false;
  leave_ports(client, now);
  out.log(LogLevel::kInfo, "client " + client.id + ": offline (" + why + ")");
  leave_campaigns(client, now, out);
  tell_peers_about(client, now, out);
}

void Server::Core::cut_off(ClientRecord& client, CloseReason reason, TimePoint now, Outbox& out) {
  if (auto* session = client.sessions.current()) {
    ControlWriter items;
    items.add(Close{reason});
    send_control(*session, items, now, out);
  }
  drop_ports(client);
  forget_sources(client);
  client.sessions.clear();
  client.association.reset();
  leave_campaigns(client, now, out);
}

/// Cuts off who is not in `next` any more, or has another key there.
void Server::Core::remove_clients(const ServerPlan& next, TimePoint now, Outbox& out) {
  for (auto at = clients.begin(); at != clients.end();) {
    auto& client = *at->second;
    const auto wanted = next.clients.find(client.id);
    const bool stays = wanted != next.clients.end();
    const auto* other = stays && wanted->second.binding ? &*wanted->second.binding : nullptr;
    const bool same_key =
        !client.binding || (other != nullptr && other->key == client.binding->key);
    if (stays && same_key) {
      ++at;
      continue;
    }
    out.log(LogLevel::kInfo,
            "client " + client.id + (stays ? ": its key has changed" : ": removed") + "; cut off");
    cut_off(client, CloseReason::kRemoved, now, out);
    if (client.binding) by_key.erase(client.binding->key);
    if (!stays) {
      by_id_hash.erase(id_hash(client.id));
      by_number[client.number.value] = nullptr;
    }
    at = stays ? std::next(at) : clients.erase(at);
  }
}

void Server::set_plan(std::shared_ptr<const ServerPlan> plan, TimePoint now, ServerOutbox& out) {
  auto& core = *core_;
  const bool same_p2p = plan->network.p2p == core.plan->network.p2p;
  const bool by_difference = plan->based_on == core.plan->number;
  core.remove_clients(*plan, now, out);
  core.adopt(std::move(plan));
  const auto for_each_changed = [&](auto&& action) {
    if (!by_difference) {
      for (auto& [id, client] : core.clients) action(*client);
    } else {
      for (const auto& id : core.plan->changed) action(*core.clients.at(id));
    }
  };
  // All records first: telling one looks at others.
  std::vector<const ClientRecord*> other_keys;
  std::vector<const ClientRecord*> other_p2p;
  for_each_changed([&](ClientRecord& client) {
    if (client.p2p != client.plan->p2p) other_p2p.push_back(&client);
    if (client.binding != client.plan->binding) other_keys.push_back(&client);
    core.update(client);
  });
  for_each_changed([&](ClientRecord& client) { core.tell_differences(client, now, out); });
  for (const auto* client : other_keys) core.tell_peers_about(*client, now, out);
  for (const auto* client : other_p2p) core.tell_address_of(*client, now, out);
  if (same_p2p) return;
  for (auto& [id, client] : core.clients) {
    core.tell_settings(*client, now, out);
    core.flush(*client, now, out);
  }
}

const ServerPlan& Server::plan() const { return *core_->plan; }

}  // namespace wormhole
