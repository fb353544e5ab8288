// The snapshot that people and programs see.
#include <algorithm>
#include <utility>

#include "client/client_core.hpp"

namespace wormhole {
namespace {

void add_drop(std::vector<DropCount>& drops, const char* cause, std::uint64_t count) {
  if (count > 0) drops.push_back({cause, count});
}

std::string direction_of(const FlowPort& flow) {
  unsigned all = 0;
  for (const auto& member : flow.members) all |= member.direction;
  return all == 3 ? "both" : all == 2 ? "receive" : "send";
}

ServerLinkStatus server_status(const HopLink& hop) {
  ServerLinkStatus status;
  status.connected = hop.is_connected();
  status.address = hop.server();
  status.rtt = hop.rtt();
  status.observed = hop.observed();
  if (!status.connected) {
    status.reason = kWhySilent;
  }
  return status;
}

/// `other_end`: where its packets go, the peer or the server.
MtuStatus mtu_status(const Peer& peer, const Endpoint& other_end) {
  const auto& mtu = peer.mtu();
  return {mtu.size() + headers_of(other_end),
          mtu.size(),
          mtu.is_searching(),
          mtu.black_holes(),
          peer.sent().datagrams,
          peer.sent().fragmented};
}

PeerStatus peer_status(const Peer& peer, const PunchStatus& punch, const ServerLinkStatus& server,
                       TimePoint now) {
  PeerStatus status;
  status.id = peer.id();
  status.online = peer.is_online();
  status.rtt = peer.rtt();
  status.loss = peer.loss();
  if (!peer.is_online()) {
    status.reason = "offline: it is not connected to the server";
  } else if (!peer.has_session()) {
    status.reason = "handshake under way";
  } else if (const auto* path = peer.paths().in_use()) {
    status.path = PathKind::kDirect;
    status.strategy = words(punch.strategy);
    status.since = now - punch.since;
    status.remote = path->remote;
    status.mtu = mtu_status(peer, path->remote);
    status.time_to_direct = punch.took;
    status.campaigns = punch.campaigns;
  } else if (!server.connected) {
    status.reason = "the server, which relays, does not answer";
  } else {
    status.path = PathKind::kRelay;
    status.strategy = "relay";
    status.since = now - peer.session_since();
    status.reason = punch.reason;
    status.campaigns = punch.campaigns;
    status.mtu = mtu_status(peer, server.address);
  }
  return status;
}

/// Somebody listens when that is so for one of the ports.
AppState app_state(const FlowPort& flow, TimePoint now) {
  auto state = flow.local.targets.state(now);
  for (const auto& [peer, port] : flow.peer_ports) {
    const auto other = port.targets.state(now);
    if (other == AppState::kListening || state == AppState::kUnknown) state = other;
    if (state == AppState::kListening) break;
  }
  return state;
}

std::optional<SpreadStatus> spread_status(const FlowPort& flow) {
  if (flow.send_to.size() < 2 || flow.protocol != Protocol::kUdp) return std::nullopt;
  if (!flow.groups) return SpreadStatus{flow.send_to.size(), 0, flow.send_to.size()};
  SpreadStatus status;
  status.alone = flow.groups->alone().size();
  for (const auto& group : flow.groups->ready()) status.grouped += group->with_keys();
  status.uploads = status.alone + flow.groups->ready().size();
  return status;
}

FlowStatus flow_status(const FlowPort& flow, TimePoint now) {
  FlowStatus status;
  status.name = std::string(flow.ref.name);
  status.protocol = flow.protocol;
  status.port = flow.port;
  status.direction = direction_of(flow);
  status.tx_packets = flow.tx.packets;
  status.tx_bytes = flow.tx.bytes;
  status.tx_bps = flow.tx.bps;
  status.rx_packets = flow.rx.packets;
  status.rx_bytes = flow.rx.bytes;
  status.rx_bps = flow.rx.bps;
  if (flow.protocol == Protocol::kUdp) status.app = app_state(flow, now);
  status.port_open = flow.local.open;
  status.port_error = flow.local.error;
  for (const auto& [peer, port] : flow.peer_ports) {
    if (status.port_error.empty()) status.port_error = port.error;
  }
  status.relay_hint = flow.relay_hint;
  status.spread = spread_status(flow);
  if (flow.impairment) status.impair = flow.impairment->status();
  add_drop(status.drops, "too_large", flow.drops.too_large);
  add_drop(status.drops, "no_peer", flow.drops.no_peer);
  add_drop(status.drops, "peer_offline", flow.drops.peer_offline);
  add_drop(status.drops, "no_server", flow.drops.no_server);
  add_drop(status.drops, "key_used_up", flow.drops.key_used_up);
  add_drop(status.drops, "overload", flow.drops.overload);
  add_drop(status.drops, "no_application", flow.drops.no_application);
  return status;
}

/// What the uplink's queue did to it.
void add_queue(FlowStatus& status, const ShaperQueueStatus& queue) {
  status.queue = {queue.packets, queue.bytes, queue.delay};
  add_drop(status.drops, "queue_age", queue.drops.age);
  add_drop(status.drops, "queue_full", queue.drops.overflow);
  add_drop(status.drops, "queue_codel", queue.drops.codel);
  add_drop(status.drops, "queue_rate", queue.drops.rate);
}

void add_peer_drops(std::vector<DropCount>& drops, const std::vector<const Peer*>& peers) {
  PeerDrops sum;
  std::uint64_t queue_overflow = 0;
  std::uint64_t stray_packets = 0;
  for (const auto* peer : peers) {
    const auto& one = peer->drops();
    sum.unknown_session += one.unknown_session;
    sum.replayed += one.replayed;
    sum.forged += one.forged;
    sum.expired += one.expired;
    sum.malformed += one.malformed;
    sum.bad_handshake += one.bad_handshake;
    sum.foreign_address += one.foreign_address;
    queue_overflow += peer->queue_overflow();
    stray_packets += peer->streams().strays();
  }
  add_drop(drops, "peer_unknown_session", sum.unknown_session);
  add_drop(drops, "peer_replayed", sum.replayed);
  add_drop(drops, "peer_forged", sum.forged);
  add_drop(drops, "peer_expired", sum.expired);
  add_drop(drops, "peer_malformed", sum.malformed);
  add_drop(drops, "peer_bad_handshake", sum.bad_handshake);
  add_drop(drops, "peer_foreign_address", sum.foreign_address);
  add_drop(drops, "queue_overflow", queue_overflow);
  add_drop(drops, "stream_stray", stray_packets);
}

void add_hop_drops(std::vector<DropCount>& drops, const HopDrops& hop) {
  add_drop(drops, "hop_unknown_session", hop.unknown_session);
  add_drop(drops, "hop_replayed", hop.replayed);
  add_drop(drops, "hop_forged", hop.forged);
  add_drop(drops, "hop_malformed", hop.malformed);
  add_drop(drops, "hop_bad_handshake", hop.bad_handshake);
}

StreamPeerStatus stream_status(const Peer& peer, StreamClass group) {
  StreamPeerStatus status;
  status.peer = peer.id();
  const auto* connection = peer.streams().find(group);
  if (connection == nullptr) return status;
  const auto now = connection->statistics();
  status.up = connection->state() == StreamState::kUp;
  status.streams = now.open;
  status.bytes_resent = now.bytes_resent;
  if (now.smoothed_rtt > Duration{}) status.rtt = now.smoothed_rtt;
  status.window = now.window;
  status.in_flight = now.in_flight;
  return status;
}

TcpFlowStatus tcp_status(const FlowPort& flow, std::size_t open) {
  const auto& counts = flow.tcp;
  return {open, counts.opened, counts.refused, counts.cut, counts.last_error, {}};
}

}  // namespace

ClientStatus Client::status(TimePoint now) const {
  ClientStatus status;
  status.id = core_->config.id;
  status.server = server_status(core_->hop);
  std::vector<const Peer*> peers;
  for (std::size_t slot = 0; slot < core_->peers.size(); ++slot) {
    const auto* peer = core_->peers[slot].peer.get();
    if (peer == nullptr) continue;
    peers.push_back(peer);
    const auto punch = core_->puncher.status(static_cast<std::uint16_t>(slot));
    status.peers.push_back(peer_status(*peer, punch, status.server, now));
  }
  for (const auto& [number, entry] : core_->distrusted) {
    PeerStatus row;
    row.id = entry.id;
    row.reason = entry.reason;
    status.peers.push_back(std::move(row));
  }
  auto open = core_->tcp.open();
  core_->note_loads(now);
  for (const auto& [number, flow] : core_->flows.all()) {
    status.flows.push_back(flow_status(*flow, now));
    auto& row = status.flows.back();
    row.link = core_->link_of(*flow, now);
    row.relay_port = core_->hop.relay_port(number);
    add_queue(row, core_->shaper.status(number, now));
    if (flow->protocol == Protocol::kTcp) row.tcp = tcp_status(*flow, open[number]);
    for (const auto& member : flow->members) {
      const auto* peer = core_->peer_numbered(member.number);
      if (peer == nullptr) continue;
      row.peers.push_back(peer->id());
      if (row.tcp) row.tcp->peers.push_back(stream_status(*peer, TcpTable::class_of(*flow)));
      const auto port = flow->peer_ports.find(member.number);
      if (port == flow->peer_ports.end()) continue;
      row.peer_ports.emplace_back(peer->id(), port->second.at);
    }
  }
  const auto& uplink = core_->uplink;
  status.uplink = {uplink.is_shaping(), uplink.is_shaping() ? 8 * uplink.pace() : 0,
                   core_->shaper.backlog()};
  status.links = core_->links(now);
  status.nat = core_->nat.findings();
  status.offers = core_->memberships.status();
  add_hop_drops(status.drops, core_->hop.drops());
  add_peer_drops(status.drops, peers);
  GroupDrops groups;
  for (const auto& entry : core_->peers) {
    const auto& one = entry.groups.drops();
    groups.unknown += one.unknown;
    groups.replayed += one.replayed;
    groups.forged += one.forged;
    groups.too_many += one.too_many;
  }
  add_drop(status.drops, "group_unknown", groups.unknown);
  add_drop(status.drops, "group_replayed", groups.replayed);
  add_drop(status.drops, "group_forged", groups.forged);
  add_drop(status.drops, "group_too_many", groups.too_many);
  const auto& pieces = core_->reassembly.drops();
  add_drop(status.drops, "fragment_malformed", pieces.malformed);
  add_drop(status.drops, "fragment_timed_out", pieces.timed_out);
  add_drop(status.drops, "fragment_made_way", pieces.made_way);
  add_drop(status.drops, "unexpected_source", core_->drops.unexpected_source);
  add_drop(status.drops, "unknown_opener", core_->drops.unknown_opener);
  add_drop(status.drops, "forged_opener", core_->puncher.drops().forged_opener);
  add_drop(status.drops, "no_flow", core_->drops.no_flow);
  add_drop(status.drops, "unknown_peer", core_->drops.unknown_peer);
  add_drop(status.drops, "unreadable_announcement", core_->drops.unreadable_peer);
  add_drop(status.drops, "tcp_too_many", core_->tcp.drops().too_many);
  return status;
}

}  // namespace wormhole
