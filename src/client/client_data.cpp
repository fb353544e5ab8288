// The data path: frames of peers to applications, datagrams of applications to peers.
#include <algorithm>

#include "client/client_core.hpp"

namespace wormhole {

void Client::Core::on_peer_frame(const NetDatagram& datagram, const PathAddress* path,
                                 TimePoint now, ClientOutbox& out) {
  constexpr std::uint8_t kKnownFlags = kFlagFragment | kFlagStream | kFlagPath;
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
  const bool stream = (header->flags & kFlagStream) != 0;
  if (header->flow.value == 0) {
    if (fragment) {
      ++drops.unknown_peer;
      return;
    }
    if (stream) return on_stream_frame(slot, *header, datagram.bytes, path, now, out);
    peer->on_frame(*header, {FlowNo{0}, kControlSlot, ""}, datagram.bytes, path, now, out);
    return tend_peer(slot, now, out);
  }
  auto* flow = flows.find(header->flow);
  if (flow == nullptr || stream || flow->protocol != Protocol::kUdp ||
      !flow->may_receive_from(peer->number())) {
    ++drops.no_flow;
    return;
  }
  const auto text = peer->on_frame(*header, flow->ref, datagram.bytes, path, now, out);
  touch(*peer);
  if (!text) return;
  hop.note_traffic(now);
  hand_over(*flow, slot, header->flags, *text, now, out);
  if (peer->has_news()) tend_peer(slot, now, out);
}

void Client::Core::hand_over(FlowPort& flow, std::uint16_t slot, std::uint8_t flags, Bytes text,
                             TimePoint now, Outbox& out) {
  const auto from = peers[slot].peer->number();
  if ((flags & kFlagFragment) == 0) {
    deliver(flow, from, text, now, out);
  } else if (const auto whole = reassembly.add(slot, flow.ref.slot, text, now)) {
    deliver(flow, from, *whole, now, out);
  }
}

/// One receiver's copy of a frame that the sender uploaded once, from the server.
void Client::Core::on_group_frame(const NetDatagram& datagram, TimePoint now, ClientOutbox& out) {
  const auto header = read_header(datagram.bytes);
  const auto slot = header ? slot_of(client_of(header->index)) : std::nullopt;
  auto* peer = slot ? peer_at(*slot) : nullptr;
  if (peer == nullptr || (header->flags & ~kFlagFragment) != 0) {
    ++drops.unknown_peer;
    return;
  }
  auto* flow = flows.find(header->flow);
  if (flow == nullptr || flow->protocol != Protocol::kUdp ||
      !flow->may_receive_from(peer->number())) {
    ++drops.no_flow;
    return;
  }
  const auto text = peers[*slot].groups.open(*header, flow->ref.slot, datagram.bytes, now);
  if (!text) return;
  const auto sealed = datagram.bytes.first(datagram.bytes.size() - kReceiverTagSize);
  peer->on_group_frame(frame_mark(sealed), datagram.bytes.size(), now, out);
  touch(*peer);
  hop.note_traffic(now);
  hand_over(*flow, *slot, header->flags, *text, now, out);
}

void Client::Core::on_stream_frame(std::uint16_t slot, const FrameHeader& header, MutBytes frame,
                                   const PathAddress* path, TimePoint now, ClientOutbox& out) {
  auto& peer = *peers[slot].peer;
  peer.on_frame(header, {FlowNo{0}, kStreamSlot, kStreamKeyName}, frame, path, now, out);
  hop.note_traffic(now);
  tcp.touch(slot);  // answered when the whole batch has been read
  if (peer.has_news()) tend_peer(slot, now, out);
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
  std::size_t begin = 0;  // of those that can be sent
  for (std::size_t i = 0; i < batch.size(); ++i) {
    port->targets.learn(batch[i].from, now);
    const bool too_large = batch[i].bytes.size() > kMaxAppDatagram;
    if (!too_large && i + 1 < batch.size()) continue;
    const auto whole = batch.subspan(begin, i + (too_large ? 0 : 1) - begin);
    if (flow->impairment) [[unlikely]] {
      core_->impair(*flow, id.peer, whole, now, out);
    } else {
      core_->send(*flow, id.peer, whole, now, out);
    }
    begin = i + 1;
    if (too_large) ++flow->drops.too_large;
  }
  core_->tend_groups(now, out);
  core_->hop.note_traffic(now);
  core_->deadline = std::min(core_->deadline, core_->hop.next_deadline());
}

/// `peer` 0: to everybody.
void Client::Core::send(FlowPort& flow, ClientNo peer, std::span<const AppDatagram> batch,
                        TimePoint now, ClientOutbox& out) {
  for (const auto& datagram : batch) flow.tx.add(datagram.bytes.size());
  if (flow.queues) [[unlikely]]
    return shape(flow, peer, batch, now, out);
  upload(flow, peer, batch, now, out);
}

void Client::Core::upload(FlowPort& flow, ClientNo peer, std::span<const AppDatagram> batch,
                          TimePoint now, ClientOutbox& out) {
  if (peer.value == 0 && flow.send_to.size() > 1) return send_to_all(flow, batch, now, out);
  auto slot = flow.send_to.empty() ? std::nullopt : std::optional(flow.send_to.front());
  if (peer.value != 0) slot = flow.may_send_to(peer) ? slot_of(peer) : std::nullopt;
  if (!slot) {
    flow.drops.no_peer += batch.size();
    return;
  }
  for (const auto& datagram : batch) send_to_peer(flow, *slot, datagram.bytes, now, out);
}

/// Each receiver, or group of them, has its own key: all but the last get a copy, for the last it
/// is sealed where it stands. One after the other, so that runs to one destination come together.
void Client::Core::send_to_all(FlowPort& flow, std::span<const AppDatagram> batch, TimePoint now,
                               ClientOutbox& out) {
  std::size_t longest = 0;
  for (const auto& datagram : batch) longest = std::max(longest, datagram.bytes.size());
  auto* groups = groups_of(flow, longest, now);
  const auto& alone = groups == nullptr ? flow.send_to : groups->alone();
  auto left = alone.size() + (groups == nullptr ? 0 : groups->ready().size());
  const auto send_each = [&](auto&& send_one) {
    const bool is_last = --left == 0;
    for (const auto& datagram : batch) {
      auto text = datagram.bytes;
      if (!is_last) {
        const auto room = out.reserve(std::max<std::size_t>(text.size(), 1));
        if (room.empty()) {
          ++flow.drops.overload;
          continue;
        }
        copy_bytes(text, room);
        text = room.first(text.size());
      }
      send_one(text);
    }
  };
  // Groups first: where a full queue takes the rest, it takes what fewer wait for.
  if (groups != nullptr) {
    for (const auto& group : groups->ready()) {
      send_each([&](MutBytes text) { send_by_group(flow, *group, text, now, out); });
    }
  }
  for (const auto slot : alone) {
    send_each([&](MutBytes text) { send_to_peer(flow, slot, text, now, out); });
  }
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

}  // namespace wormhole
