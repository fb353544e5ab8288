// When the uplink is full: datagrams and streams wait in the shaper and leave at the pace that the
// uplink carries.
#include <algorithm>

#include "client/client_core.hpp"

namespace wormhole {
namespace {

/// Turns of one call: as many as an application's batch. What is more comes a millisecond later,
/// when sockets have had their turn (600 Mbit/s).
constexpr std::size_t kTurns = 64;
/// … and their bytes, a fraction of the tray's.
constexpr std::size_t kTurnBytes = Outbox::kArenaBytes / 8;
/// Packets that a peer's streams send in one turn: they come again with the next.
constexpr int kStreamPackets = 1;

/// A flow that has so much of its own `rate` is held back by that (payload; headers count there).
constexpr double kOwnLimit = 0.8;

/// Bytes that the sends from `first` on put on the uplink, with UDP's and IP's headers.
std::size_t cost_of(const ClientOutbox& out, std::size_t first) {
  const auto& sends = out.net_sends();
  std::size_t bytes = 0;
  for (std::size_t i = first; i < sends.size(); ++i) {
    bytes += sends[i].size() + headers_of(sends[i].to);
  }
  return bytes;
}

}  // namespace

void Client::Core::shape(FlowPort& flow, ClientNo peer, std::span<const AppDatagram> batch,
                         TimePoint now, ClientOutbox& out) {
  for (const auto& datagram : batch) {
    shaper.add(flow.ref.number, flow.terms, peer, datagram.bytes, now);
  }
  run_shaper(now, out);
}

/// What a turn costs is what it has put into the tray: one upload for a group, several for
/// receivers alone, fragments.
void Client::Core::run_shaper(TimePoint now, ClientOutbox& out) {
  std::size_t bytes = 0;
  for (std::size_t turns = 0; turns < kTurns && bytes < kTurnBytes; ++turns) {
    const auto turn = shaper.next(now);
    if (!turn) break;
    bytes += turn->text.size();
    const auto first = out.net_sends().size();
    if (turn->flow.value == 0) {
      stream_turn(turn->slot, now, out);
    } else {
      datagram_turn(*turn, now, out);
    }
    const auto cost = cost_of(out, first);
    uploaded += cost;
    shaper.charge(cost, now);
  }
  if (bytes > 0) hop.note_traffic(now);
  // Sending finds out that a connection is broken; then others may have something to say.
  if (tcp.has_touched()) flush_streams(now, out);
}

void Client::Core::datagram_turn(const ShaperTurn& turn, TimePoint now, ClientOutbox& out) {
  auto* flow = flows.find(turn.flow);
  if (flow == nullptr) return;
  const auto room = out.reserve(std::max<std::size_t>(turn.text.size(), 1));
  if (room.empty()) {
    ++flow->drops.overload;
    return;
  }
  copy_bytes(turn.text, room);
  flow->let_go.add(turn.text.size());
  const AppDatagram datagram{{}, room.first(turn.text.size())};
  upload(*flow, turn.peer, {&datagram, 1}, now, out);
}

void Client::Core::stream_turn(std::uint16_t slot, TimePoint now, ClientOutbox& out) {
  auto* peer = peer_at(slot);
  if (peer == nullptr) return;
  const auto before = out.net_sends().size();
  peer->flush_streams(now, out, kStreamPackets);
  if (out.net_sends().size() == before) peer->hold_streams(false);  // their timers go on
  tcp.after_sending(slot, now, out);
  touch(*peer);
}

/// The streams of a peer have the highest priority of the flows that they carry.
UplinkClass Client::Core::stream_class(std::uint16_t slot) const {
  auto best = UplinkClass::kLow;
  const auto number = peers[slot].peer->number();
  for (const auto& [id, flow] : flows.all()) {
    if (flow->protocol != Protocol::kTcp) continue;
    if (flow->may_send_to(number) || flow->may_receive_from(number)) {
      best = std::min(best, flow->terms.group);
    }
  }
  return best;
}

/// What is due of it. Apart from everybody's deadlines: it may come every millisecond.
void Client::Core::serve_uplink(TimePoint now, ClientOutbox& out) {
  if (now >= uplink.next_deadline()) tend_uplink(now, out);
  if (now < shaper.next_deadline()) return;
  run_shaper(now, out);
  tend_groups(now, out);
  deadline = std::min(deadline, hop.next_deadline());
}

/// Peers have reported, or the time has come.
void Client::Core::tend_uplink(TimePoint now, ClientOutbox& out) {
  const bool was = uplink.is_shaping();
  note_demand(now);
  collect_ways(now);
  uplink.update(ways, {uploads_per_copy(), uploaded, shaper.backlog(), sends_datagrams()}, now);
  if (uplink.is_shaping()) {
    shaper.set_pace(uplink.pace(), now);
  } else if (was) {
    shaper.set_pace(std::nullopt, now);
  }
  if (was == uplink.is_shaping()) return;
  mark_queues();
  const auto rate = std::to_string(static_cast<int>(uplink.capacity() * 8 / 1000));
  out.log(LogLevel::kInfo, was ? "the uplink is no longer full"
                               : "the uplink is full at " + rate +
                                     " kbit/s: what does not fit waits here, by priority");
  flush_streams(now, out);
  run_shaper(now, out);
}

void Client::Core::collect_ways(TimePoint now) {
  ways.clear();
  for (std::size_t i = 0; i < peers.size(); ++i) {
    if (!peers[i].peer) continue;
    for (const auto which : {Way::kRelay, Way::kDirect}) {
      const auto slot = static_cast<std::uint16_t>(i);
      if (const auto state = way_state(slot, which, now)) {
        ways.push_back({*state, now - peers[i].peer->way(which).monitor.reported()});
      }
    }
  }
}

/// What waits here does not show in the network: the ways' monitors hear of it.
void Client::Core::note_demand(TimePoint now) {
  for (auto& entry : peers) entry.demand = {};
  if (uplink.is_shaping()) {
    for (const auto& [number, flow] : flows.all()) {
      if (flow->queues) add_demand(*flow, shaper.status(number, now).packets > 0, now);
    }
  }
  for (auto& entry : peers) {
    if (!entry.peer) continue;
    for (const auto which : {Way::kRelay, Way::kDirect}) {
      const auto& demand = entry.demand[index_of(which)];
      entry.peer->way(which).monitor.set_demand(demand.unsent_bps, demand.waits, now);
    }
  }
}

void Client::Core::add_demand(const FlowPort& flow, bool waits, TimePoint now) {
  const auto unsent = std::max(0.0, flow.tx.bps - flow.let_go.bps);
  // A limit of the flow's own says nothing of the uplink.
  const bool own = flow.terms.rate > 0 && flow.let_go.bps / 8 > kOwnLimit * flow.terms.rate;
  if (own || (unsent <= 0 && !waits)) return;
  for (const auto slot : flow.send_to) {
    if (peer_at(slot) == nullptr) continue;
    const auto which = goes_by(flow, slot, Way::kRelay, now) ? Way::kRelay : Way::kDirect;
    auto& demand = peers[slot].demand[index_of(which)];
    demand.unsent_bps += unsent;
    demand.waits |= waits;
  }
}

/// Another uplink: nothing is known of it yet.
void Client::Core::forget_uplink(TimePoint now) {
  uplink.reset();
  shaper.set_pace(std::nullopt, now);
  mark_queues();
}

void Client::Core::mark_queues() {
  for (const auto& [number, flow] : flows.all()) {
    const bool queues = uplink.is_shaping() || flow->terms.rate > 0;
    if (queues && !flow->queues) flow->let_go = flow->tx;  // until now all was let go
    flow->queues = queues;
  }
}

/// In the last second or two.
bool Client::Core::sends_datagrams() const {
  return std::any_of(flows.all().begin(), flows.all().end(), [](const auto& item) {
    const auto& [number, flow] = item;
    return flow->protocol == Protocol::kUdp &&
           (flow->tx.pps > 0 || flow->tx.packets > flow->tx.packets_at_tick);
  });
}

/// Peers tell what they got; of a flow with several receivers one upload may be told of by many.
/// Over the bytes of about the last second.
double Client::Core::uploads_per_copy() const {
  double uploads = 0;
  double copies = 0;
  for (const auto& [number, flow] : flows.all()) {
    const auto bytes =
        static_cast<double>(flow->tx.bytes - flow->tx.bytes_at_tick) + flow->tx.bps / 8;
    const auto receivers = static_cast<double>(flow->send_to.size());
    const bool grouped = flow->groups && !flow->groups->ready().empty();
    copies += bytes * receivers;
    uploads +=
        bytes *
        (grouped ? static_cast<double>(flow->groups->alone().size() + flow->groups->ready().size())
                 : receivers);
  }
  return copies > 0 ? uploads / copies : 1;
}

}  // namespace wormhole
