#include "wormhole/client/client.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include "client/client_core.hpp"

namespace wormhole {
namespace {

HopConfig hop_config(const ClientConfig& config) {
  HopConfig hop;
  hop.id = config.id;
  hop.keys = config.keys;
  hop.server_key = config.network.server_key;
  hop.network = config.network.network;
  hop.knock = config.network.knock;
  hop.boot_id = config.boot_id;
  if (config.enrol) hop.invite_hash = invite_hash(config.enrol->chain->statement.invite_key);
  return hop;
}

}  // namespace

Client::Core::Core(ClientConfig client_config, Rng& random)
    : config(std::move(client_config)),
      rng(random),
      context{config.id, config.keys, config.network.network, config.network.knock, config.boot_id},
      hop(hop_config(config), rng),
      flows(config.bind, config.deliver_anywhere),
      tcp(
          flows, [this](std::uint16_t slot) { return peer_at(slot); },
          [this](ClientNo number) { return slot_of(number); }, config.bind),
      nat(rng),
      puncher([this](std::uint16_t slot) { return peer_at(slot); }, hop, rng),
      next_group(rng.number<std::uint16_t>()),
      group_fragments(rng.number<std::uint32_t>()) {}

Client::Client(ClientConfig config, Rng& rng)
    : core_(std::make_unique<Core>(std::move(config), rng)) {}
Client::~Client() = default;

void Client::set_servers(std::vector<Endpoint> servers, TimePoint now, ClientOutbox& out) {
  core_->hop.set_servers(std::move(servers), now, out);
  core_->deadline = core_->recomputed_deadline();
}

void Client::on_net_datagrams(SocketNo socket, std::span<const NetDatagram> batch, TimePoint now,
                              ClientOutbox& out) {
  if (core_->ended) return;
  core_->reassembly.release();
  for (const auto& datagram : batch) {
    const auto type = frame_type(datagram.bytes);
    if (type == FrameType::kOpener) {
      core_->on_opener(socket, datagram, now, out);
      continue;
    }
    // On the hop the index's high half is 0: a frame for a peer's session is a peer's.
    const auto header = type == FrameType::kDirect ? read_header(datagram.bytes) : std::nullopt;
    if (header && client_of(header->index).value != 0) {
      const PathAddress path{socket, datagram.from};
      core_->on_peer_frame(datagram, is_check_socket(socket) ? nullptr : &path, now, out);
      continue;
    }
    // Answers to probes come from any of the server's addresses; sealed they are.
    if (!is_probe(datagram.bytes) && !core_->hop.may_be_server(datagram.from)) {
      ++core_->drops.unexpected_source;
      continue;
    }
    if (type == FrameType::kGroupDown) {
      core_->on_group_frame(datagram, now, out);
      continue;
    }
    if (type == FrameType::kRelayed) {
      core_->on_peer_frame(datagram, nullptr, now, out);
      continue;
    }
    core_->hop.on_datagram(socket, datagram, now, out, core_->events);
    // At once: events refer to this datagram.
    core_->handle_events(now, out);
  }
  core_->tend_nat(now, out);
  core_->tend_hop(now, out);
  core_->flush_streams(now, out);
  core_->tend_groups(now, out);
  core_->deadline = std::min(core_->deadline, core_->hop.next_deadline());
}

/// The server is back: what was lost meanwhile need not wait for timers.
void Client::Core::tend_hop(TimePoint now, ClientOutbox& out) {
  const bool connected = hop.is_connected();
  if (connected == std::exchange(was_connected, connected) || !connected) return;
  for (auto& entry : peers) {
    if (!entry.peer) continue;
    entry.peer->rouse(now, out);
    touch(*entry.peer);
  }
}

void Client::Core::tend_nat(TimePoint now, ClientOutbox& out) {
  const bool news = nat.take_news();
  if (news) {
    puncher.on_nat(nat.findings(), now, out);
    path_settings.mapping_lifetime = nat.findings().lifetime;
    set_path_settings();
  }
  const bool wanted = puncher.take_check_wish() && nat.check(hop, now, out);
  if (news || wanted) {
    deadline = std::min({deadline, puncher.next_deadline(), nat.next_deadline()});
  }
}

/// Streams hear what has happened, and send what they have.
void Client::Core::flush_streams(TimePoint now, ClientOutbox& out) {
  const auto send = [&](std::uint16_t slot, Peer& peer) {
    if (!uplink.is_shaping()) return peer.flush_streams(now, out);
    shaper.want_streams(slot, stream_class(slot));
    peer.hold_streams(true);
  };
  tcp.flush(now, out, std::ref(send), [this](const Peer& peer) { touch(peer); });
  deadline = std::min(deadline, tcp.next_deadline());
  if (uplink.is_shaping()) run_shaper(now, out);
}

void Client::Core::tend_peer(std::uint16_t slot, TimePoint now, ClientOutbox& out) {
  auto* peer = peer_at(slot);
  if (peer == nullptr) return;
  puncher.on_peer(slot, now, out);
  say_peer_changes(slot, out);
  if (peer->take_stirred()) tcp.touch(slot);
  on_group_items(slot, now, out);
  on_feedback(slot, now, out);
  touch(*peer);
  deadline = std::min(deadline, puncher.next_deadline());
}

void Client::on_flow_port(AppPort port, const std::string& error, TimePoint now,
                          ClientOutbox& out) {
  core_->flows.on_port(port, error, now, out);
  core_->deadline = std::min(core_->deadline, core_->flows.next_deadline());
}

void Client::on_network_change(LocalNetwork local, TimePoint now, ClientOutbox& out) {
  if (core_->ended) return;
  if (core_->nat.on_network_change(std::move(local), core_->hop, now, out)) {
    core_->hop.nudge(now);
    for (std::size_t slot = 0; slot < core_->peers.size(); ++slot) {
      if (!core_->peers[slot].peer) continue;
      core_->peers[slot].peer->doubt_paths(now, out);
      core_->tend_peer(static_cast<std::uint16_t>(slot), now, out);
    }
    core_->puncher.on_network_change(now);
    core_->forget_uplink(now);
  }
  core_->flush_streams(now, out);
  core_->deadline = core_->recomputed_deadline();
}

void Client::change_membership(std::uint32_t ticket, const MembershipChange& change, TimePoint now,
                               ClientOutbox& out) {
  core_->memberships.request(ticket, change, core_->hop, now, out);
  core_->deadline = core_->recomputed_deadline();
}

bool Client::check_nat(TimePoint now, ClientOutbox& out) {
  if (core_->ended || !core_->hop.is_connected()) return false;
  if (core_->nat.is_checking()) return true;
  const bool begun = core_->nat.check(core_->hop, now, out);
  core_->deadline = core_->recomputed_deadline();
  return begun;
}

bool Client::is_checking_nat() const { return core_->nat.is_checking(); }

void Client::on_timeout(TimePoint now, ClientOutbox& out) {
  if (core_->ended) return;
  core_->serve_impairments(now, out);
  core_->serve_uplink(now, out);
  if (now < core_->deadline) return;
  core_->hop.on_timeout(now, out, core_->events);
  core_->handle_events(now, out);
  for (std::size_t slot = 0; slot < core_->peers.size(); ++slot) {
    if (!core_->peers[slot].peer) continue;
    core_->peers[slot].peer->on_timeout(now, out);
    core_->tend_peer(static_cast<std::uint16_t>(slot), now, out);
  }
  core_->puncher.on_timeout(now, out);
  core_->flows.on_timeout(now, out.commands);
  core_->memberships.on_timeout(now, out.commands);
  core_->nat.on_timeout(core_->hop, now, out);
  core_->tend_nat(now, out);
  core_->tend_hop(now, out);
  core_->tcp.on_timeout(now, out);
  core_->flush_streams(now, out);
  core_->tend_groups(now, out);
  core_->tend_links(now, out);
  core_->deadline = core_->recomputed_deadline();
}

TimePoint Client::next_deadline() const {
  if (core_->ended) return kNever;
  return std::min({core_->deadline, core_->impair_due, core_->shaper.next_deadline(),
                   core_->uplink.next_deadline()});
}

TimePoint Client::Core::recomputed_deadline() const {
  auto due = std::min({hop.next_deadline(), flows.next_deadline(), memberships.next_deadline(),
                       nat.next_deadline(), puncher.next_deadline(), tcp.next_deadline(),
                       groups_due, links_due});
  if (groups_changed && !in_snapshot) due = TimePoint::min();
  for (const auto& entry : peers) {
    if (entry.peer) due = std::min(due, entry.peer->next_deadline());
  }
  return due;
}

void Client::shutdown(TimePoint now, ClientOutbox& out) {
  if (core_->ended) return;
  for (auto& entry : core_->peers) {
    if (entry.peer) entry.peer->close_streams(now, out);
  }
  core_->hop.close(now, out);
  core_->ended = true;
}

}  // namespace wormhole
