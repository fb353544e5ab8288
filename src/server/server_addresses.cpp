// Where a client's peers may be reached, as far as the server sees it, and the keys of the openers
// that go there. It follows the roster: only differences are said.
#include <algorithm>
#include <utility>

#include "server/server_core.hpp"

namespace wormhole {

static_assert(kStrategyNames.size() == kStrategies);

/// Before anything is said of peers: they are punched by these.
void Server::Core::tell_settings(ClientRecord& client, TimePoint now, Outbox& out) {
  if (!client.is_online()) return;
  const auto& p2p = plan->network.p2p;
  PunchSettings settings;
  settings.forbidden = p2p.forbidden;
  settings.forced = p2p.forced;
  settings.strict_keepalive = p2p.strict_keepalive;
  settings.most_sockets = p2p.sockets;
  settings.most_probes = p2p.probes;
  settings.opens_per_s = p2p.open_rate;
  settings.probes_per_s_first = p2p.probe_rate_from;
  settings.probes_per_s = p2p.probe_rate_to;
  tell_if_new(client, client.association->told_settings, encode(settings), now, out);
  // A push may have cut the client off.
  if (!client.is_online()) return;
  const StreamSettings streams{static_cast<std::uint8_t>(plan->network.defaults.congestion)};
  tell_if_new(client, client.association->told_streams, encode(streams), now, out);
}

void Server::Core::tell_if_new(ClientRecord& client, std::vector<std::uint8_t>& told,
                               const std::vector<std::uint8_t>& message, TimePoint now,
                               Outbox& out) {
  if (told == message) return;
  told = message;
  push(client, message, now, out);
}

/// The same for both ends, and another one as soon as one of them is another process.
ProbeKey Server::Core::probe_key(const ClientRecord& a, const ClientRecord& b) const {
  const auto& low = a.number < b.number ? a : b;
  const auto& high = a.number < b.number ? b : a;
  std::array<std::uint8_t, 2 * 2 + 2 * 8> names{};
  store_le(&names[0], low.number.value);
  store_le(&names[2], high.number.value);
  store_le(&names[4], low.association->boot_id);
  store_le(&names[12], high.association->boot_id);
  ProbeKey key{};
  blake2b(key, probe_secret.bytes, {names});
  return key;
}

std::vector<std::uint8_t> Server::Core::address_message(const ClientRecord& to,
                                                        const ClientRecord& peer) const {
  PeerAddress message;
  message.number = peer.number;
  message.p2p = to.plan->p2p && peer.plan->p2p;
  if (!message.p2p) return encode(message);
  message.probe_key = probe_key(to, peer);
  message.report = peer.association->nat;
  // What we see counts: else a client could have others send openers to anybody. Direct paths are
  // IPv4's, as the sockets are that open them.
  const auto& seen = peer.sessions.current()->source.endpoint;
  message.report.mapped = seen.address.is_v4() ? seen : Endpoint{};
  return encode(message);
}

void Server::Core::tell_address(ClientRecord& to, const ClientRecord& peer, TimePoint now,
                                Outbox& out) {
  if (!to.is_online()) return;
  auto& told = to.association->told_addresses;
  if (!peer.is_online() || !peer.binding || peer.sessions.current() == nullptr) {
    told.erase(peer.number);  // its PeerPut says so
    return;
  }
  auto message = address_message(to, peer);
  auto& before = told[peer.number];
  if (before == message) return;
  before = message;
  push(to, message, now, out);
}

void Server::Core::tell_addresses(ClientRecord& client, TimePoint now, Outbox& out) {
  if (!client.is_online()) return;
  const auto& peers = client.plan->peers;
  std::erase_if(client.association->told_addresses, [&](const auto& item) {
    return !std::binary_search(peers.begin(), peers.end(), item.first);
  });
  for (const auto number : peers) {
    const auto* peer = numbered(number);
    if (peer != nullptr) tell_address(client, *peer, now, out);
    if (!client.is_online()) return;  // telling may cut it off
  }
}

void Server::Core::tell_address_of(const ClientRecord& client, TimePoint now, Outbox& out) {
  for (const auto number : client.plan->peers) {
    auto* peer = numbered(number);
    if (peer == nullptr || !peer->is_online()) continue;
    tell_address(*peer, client, now, out);
    flush(*peer, now, out);
  }
}

}  // namespace wormhole
