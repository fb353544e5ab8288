// Rendezvous: who is told of whom. Every client has a wanted state (its peers, its flows); what it
// has been told is remembered, and only differences are said.
#include <algorithm>
#include <utility>

#include "server/server_core.hpp"

namespace wormhole {
namespace {

FlowPut flow_put(FlowNo number, const MemberFlow& member, const std::string& id) {
  const auto& flow = *member.flow;
  const auto& deliver = flow.deliver_of(id);
  FlowPut message;
  message.number = number;
  message.protocol = static_cast<std::uint8_t>(flow.protocol);
  message.port = flow.port;
  if (flow.addressing == Addressing::kPerPeer) message.options |= kFlowPerPeer;
  message.deliver = static_cast<std::uint8_t>(deliver.kind);
  message.deliver_to = deliver.endpoint;
  message.name = flow.name;
  return message;
}

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

void Server::Core::load(Network net, Directory dir) {
  network = std::move(net);
  directory = std::move(dir);
  by_key.clear();
  by_id_hash.clear();
  by_number.clear();
  for (const auto& entry : network.clients) {
    const auto& known = directory.clients.at(entry.id);
    auto& client = clients[entry.id];
    if (!client) client = std::make_unique<ClientRecord>();
    client->id = entry.id;
    client->number = known.number;
    client->binding = known.binding;
    if (known.number.value >= by_number.size())
      by_number.resize(known.number.value + std::size_t{1});
    by_number[known.number.value] = client.get();
    by_id_hash[id_hash(entry.id)] = client.get();
    if (client->binding) by_key[client->binding->key] = client.get();
  }
  rebuild_routing();
}

void Server::Core::rebuild_routing() {
  routing = resolve(network);
  for (auto& [id, client] : clients) renew_ports(*client);
  for (auto& [id, client] : clients) {
    client->peers.clear();
    client->may_send.clear();
    const auto at = routing.find(id);
    if (at == routing.end()) continue;
    for (const auto& member : at->second) {
      const auto flow = directory.flows.at(member.flow->name);
      for (const auto& [peer, direction] : member.peers) {
        const auto& other = *clients.at(peer);
        const auto number = other.number;
        client->peers.push_back(number);
        client->may_send.try_emplace(permission(number, FlowNo{0}));
        if (!may_send(direction)) continue;
        client->may_send[permission(number, flow)] = {client->port_position(flow),
                                                      other.port_position(flow)};
      }
    }
    std::sort(client->peers.begin(), client->peers.end());
    client->peers.erase(std::unique(client->peers.begin(), client->peers.end()),
                        client->peers.end());
  }
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
  for (const auto number : client.peers) {
    const auto& peer = *by_number[number.value];
    if (peer.binding) wanted.emplace(number, peer_message(peer));
  }
  return wanted;
}

std::map<FlowNo, std::vector<std::uint8_t>> Server::Core::wanted_flows(
    const ClientRecord& client) const {
  std::map<FlowNo, std::vector<std::uint8_t>> wanted;
  const auto at = routing.find(client.id);
  if (at == routing.end()) return wanted;
  for (const auto& member : at->second) {
    const auto number = directory.flows.at(member.flow->name);
    auto message = flow_put(number, member, client.id);
    for (const auto& [peer, direction] : member.peers) {
      message.members.push_back({clients.at(peer)->number, static_cast<std::uint8_t>(direction)});
    }
    wanted.emplace(number, encode(message));
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
  tell_peers_about(client, now, out);
}

void Server::Core::tell_everything(ClientRecord& client, TimePoint now, Outbox& out) {
  client.association->told_peers.clear();
  client.association->told_flows.clear();
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
  say_differences(
      peers, wanted_peers(client), [](ClientNo n) { return encode(PeerRemove{n}); }, say);
  say_differences(
      flows, wanted_flows(client), [](FlowNo n) { return encode(FlowRemove{n}); }, say);
  if (!client.association) return;
  client.association->told_peers = std::move(peers);
  client.association->told_flows = std::move(flows);
  tell_ports(client, now, out);
  flush(client, now, out);
}

void Server::Core::tell_peers_about(const ClientRecord& client, TimePoint now, Outbox& out) {
  if (!client.binding) return;
  const auto message = peer_message(client);
  for (const auto number : client.peers) {
    auto* peer = numbered(number);
    if (peer == nullptr || !peer->is_online()) continue;
    auto& told = peer->association->told_peers[client.number];
    if (told == message) continue;
    told = message;
    push(*peer, message, now, out);
    flush(*peer, now, out);
  }
}

void Server::Core::go_offline(ClientRecord& client, const std::string& why, TimePoint now,
                              Outbox& out) {
  client.association->online = false;
  leave_ports(client, now);
  out.log(LogLevel::kInfo, "client " + client.id + ": offline (" + why + ")");
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
}

void Server::set_network(Network network, Directory directory, TimePoint now, ServerOutbox& out) {
  auto& core = *core_;
  for (auto at = core.clients.begin(); at != core.clients.end();) {
    auto& client = *at->second;
    const auto known = directory.clients.find(client.id);
    const bool stays = network.find_client(client.id) != nullptr;
    const bool other_key =
        stays && client.binding &&
        (!known->second.binding || known->second.binding->key != client.binding->key);
    if (!stays || other_key) {
      out.log(LogLevel::kInfo, "client " + client.id +
                                   (stays ? ": its key has changed" : ": removed") + "; cut off");
      core.cut_off(client, CloseReason::kRemoved, now, out);
    }
    at = stays ? std::next(at) : core.clients.erase(at);
  }
  core.load(std::move(network), std::move(directory));
  for (auto& [id, client] : core.clients) core.tell_differences(*client, now, out);
}

}  // namespace wormhole
