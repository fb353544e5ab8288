#include "wormhole/client/client.hpp"

#include <algorithm>
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
      nat(rng),
      puncher([this](std::uint16_t slot) { return peer_at(slot); }, hop, rng) {}

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
    if (type == FrameType::kRelayed) {
      core_->on_peer_frame(datagram, nullptr, now, out);
      continue;
    }
    core_->hop.on_datagram(socket, datagram, now, out, core_->events);
    // At once: events refer to this datagram.
    core_->handle_events(now, out);
  }
  core_->tend_nat(now, out);
  core_->deadline = std::min(core_->deadline, core_->hop.next_deadline());
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

void Client::Core::on_peer_frame(const NetDatagram& datagram, const PathAddress* path,
                                 TimePoint now, ClientOutbox& out) {
  constexpr std::uint8_t kKnownFlags = kFlagFragment | kFlagPath;
  const auto header = read_header(datagram.bytes);
  const auto slot =
      static_cast<std::uint16_t>((header ? header->index & 0xffffU : 0) / Peer::kIndexSpan);
  auto* peer = peer_at(slot);
  if (!header || (header->flags & ~kKnownFlags) != 0 || client_of(header->index) != hop.number() ||
      peer == nullptr) {
    ++drops.unknown_peer;
    return;
  }
  const bool fragment = (header->flags & kFlagFragment) != 0;
  if (header->flow.value == 0) {
    if (fragment) {
      ++drops.unknown_peer;
      return;
    }
    peer->on_frame(*header, {FlowNo{0}, kControlSlot, ""}, datagram.bytes, path, now, out);
    return tend_peer(slot, now, out);
  }
  auto* flow = flows.find(header->flow);
  if (flow == nullptr || !flow->may_receive_from(peer->number())) {
    ++drops.no_flow;
    return;
  }
  const auto text = peer->on_frame(*header, flow->ref, datagram.bytes, path, now, out);
  touch(*peer);
  if (!text) return;
  hop.note_traffic(now);
  if (!fragment) {
    deliver(*flow, peer->number(), *text, now, out);
  } else if (const auto whole = reassembly.add(slot, flow->ref.slot, *text, now)) {
    deliver(*flow, peer->number(), *whole, now, out);
  }
  if (peer->has_news()) tend_peer(slot, now, out);
}

void Client::Core::on_opener(SocketNo socket, const NetDatagram& datagram, TimePoint now,
                             ClientOutbox& out) {
  if (nat.on_opener(datagram.bytes)) return;
  const auto opener = is_check_socket(socket) ? std::nullopt : read_opener(datagram.bytes);
  const auto from = opener ? by_number.find(opener->from) : by_number.end();
  if (from == by_number.end() || opener->to != hop.number()) {
    ++drops.unknown_opener;
    return;
  }
  puncher.on_opener(from->second, socket, datagram, now, out);
  tend_peer(from->second, now, out);
}

void Client::Core::tend_peer(std::uint16_t slot, TimePoint now, ClientOutbox& out) {
  auto* peer = peer_at(slot);
  if (peer == nullptr) return;
  puncher.on_peer(slot, now, out);
  say_peer_changes(slot, out);
  touch(*peer);
  deadline = std::min(deadline, puncher.next_deadline());
}

void Client::Core::deliver(FlowPort& flow, ClientNo from, Bytes text, TimePoint now, Outbox& out) {
  flow.rx.add(text.size());
  auto* own = flow.addressing == Addressing::kPerPeer ? flow.port_of(from) : nullptr;
  if (own != nullptr && !own->open) own = nullptr;
  const AppPort via{flow.ref.number, own == nullptr ? ClientNo{} : from};
  auto count =
      flow.local.targets.for_each(now, [&](const Endpoint& to) { out.app(via, to, text); });
  if (own != nullptr) {
    count += own->targets.for_each(now, [&](const Endpoint& to) {
      if (!flow.local.targets.holds(to, now)) out.app(via, to, text);
    });
  }
  if (count == 0) ++flow.drops.no_application;
}

void Client::on_app_datagrams(AppPort id, std::span<const AppDatagram> batch, TimePoint now,
                              ClientOutbox& out) {
  auto* flow = core_->flows.find(id.flow);
  auto* port = flow == nullptr ? nullptr : flow->port_of(id.peer);
  if (port == nullptr || core_->ended) return;
  for (const auto& datagram : batch) {
    port->targets.learn(datagram.from, now);
    if (datagram.bytes.size() > kMaxAppDatagram) {
      ++flow->drops.too_large;
      continue;
    }
    if (id.peer.value == 0) {
      core_->send(*flow, datagram.bytes, now, out);
    } else {
      core_->send_to_one(*flow, id.peer, datagram.bytes, now, out);
    }
  }
  core_->hop.note_traffic(now);
  core_->deadline = std::min(core_->deadline, core_->hop.next_deadline());
}

void Client::Core::send(FlowPort& flow, MutBytes text, TimePoint now, ClientOutbox& out) {
  if (flow.send_to.empty()) {
    ++flow.drops.no_peer;
    return;
  }
  flow.tx.add(text.size());
  // Each receiver has its own key: all but the last get a copy, the last is sealed where it stands.
  for (std::size_t i = 0; i + 1 < flow.send_to.size(); ++i) {
    const auto room = out.reserve(std::max<std::size_t>(text.size(), 1));
    if (room.empty()) {
      ++flow.drops.overload;
      continue;
    }
    copy_bytes(text, room);
    send_to_peer(flow, flow.send_to[i], room.first(text.size()), now, out);
  }
  send_to_peer(flow, flow.send_to.back(), text, now, out);
}

void Client::Core::send_to_one(FlowPort& flow, ClientNo peer, MutBytes text, TimePoint now,
                               ClientOutbox& out) {
  const auto slot = by_number.find(peer);
  if (slot == by_number.end() || !flow.may_send_to(peer)) {
    ++flow.drops.no_peer;
    return;
  }
  flow.tx.add(text.size());
  send_to_peer(flow, slot->second, text, now, out);
}

void Client::Core::send_to_peer(FlowPort& flow, std::uint16_t slot, MutBytes text, TimePoint now,
                                ClientOutbox& out) {
  auto* peer = peer_at(slot);
  if (peer == nullptr) {
    ++flow.drops.no_peer;
    return;
  }
  switch (peer->send(flow.ref, text, now, out)) {
    case SendOutcome::kSent:
    case SendOutcome::kQueued:
      break;
    case SendOutcome::kOffline:
      ++flow.drops.peer_offline;
      break;
    case SendOutcome::kNoServer:
      ++flow.drops.no_server;
      break;
    case SendOutcome::kKeyUsedUp:
      ++flow.drops.key_used_up;
      break;
    case SendOutcome::kOverload:
      ++flow.drops.overload;
      break;
  }
  touch(*peer);
}

void Client::on_app_refused(AppPort id, const Endpoint& application, TimePoint now) {
  auto* flow = core_->flows.find(id.flow);
  auto* port = flow == nullptr ? nullptr : flow->port_of(id.peer);
  if (port == nullptr) return;
  // What came from a peer's port may have been for an application that the flow's own port knows.
  port->targets.refuse(application, now);
  if (port != &flow->local) flow->local.targets.refuse(application, now);
  ++flow->drops.no_application;
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
  }
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
  if (core_->ended || now < core_->deadline) return;
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
  core_->deadline = core_->recomputed_deadline();
}

TimePoint Client::next_deadline() const { return core_->ended ? kNever : core_->deadline; }

TimePoint Client::Core::recomputed_deadline() const {
  auto due = std::min({hop.next_deadline(), flows.next_deadline(), memberships.next_deadline(),
                       nat.next_deadline(), puncher.next_deadline()});
  for (const auto& entry : peers) {
    if (entry.peer) due = std::min(due, entry.peer->next_deadline());
  }
  return due;
}

void Client::shutdown(TimePoint now, ClientOutbox& out) {
  if (core_->ended) return;
  core_->hop.close(now, out);
  core_->ended = true;
}

}  // namespace wormhole
