// Flows to several receivers: which of them one upload serves.
#include <algorithm>

#include "client/client_core.hpp"
#include "wormhole/peer/fragments.hpp"

namespace wormhole {
namespace {

/// fanout: auto keeps a receiver on its direct path when the relay would add more than this to the
/// round trip: 10 ms on the way there, most of a video frame at 60 a second.
constexpr Duration kWorthAnUpload = 20ms;
/// … and brings it back to the path above this, so that jitter does not move it to and fro.
constexpr Duration kWorthLeaving = 30ms;
/// Round trips change without anybody saying so.
constexpr Duration kReviewEvery = 5s;
/// Whether large frames still pass is asked for one receiver after the other, each every 2 s: a
/// hole is left within 3 s, and 10 receivers' questions are 8 kB a second.
constexpr std::size_t kRoundsOfMtu = 2s / FlowGroups::kNoteEvery;

}  // namespace

FlowGroups* Client::Core::groups_of(FlowPort& flow, std::size_t longest, TimePoint now) {
  if (!flow.groups) {
    flow.groups = std::make_unique<FlowGroups>(flow.ref.number, flow.ref.name, next_group, rng);
    groups_changed = true;
  }
  const bool note = flow.groups->note_use(now);
  if (flow.groups->ready().empty()) {
    groups_changed |= note;  // after a rest nothing else makes them anew
    return nullptr;
  }
  // The relay may be gone: then direct paths are all there is. Where there are none, uploads for
  // each would only make a full uplink fuller, which is why the server seems to be gone.
  const auto has_direct = [&] {
    return std::any_of(flow.send_to.begin(), flow.send_to.end(), [this](auto slot) {
      const auto* peer = peer_at(slot);
      return peer != nullptr && peer->paths().in_use() != nullptr;
    });
  };
  if (!hop.is_connected() && has_direct() && !flow.ref.relay_only) return nullptr;
  if (note) note_group_use(*flow.groups, longest, now);
  return flow.groups.get();
}

/// Once in kNoteEvery, while datagrams flow. `longest`: as large as frames may be.
void Client::Core::note_group_use(const FlowGroups& groups, std::size_t longest, TimePoint now) {
  const auto round = static_cast<std::size_t>(now.time_since_epoch() / FlowGroups::kNoteEvery);
  for (const auto& group : groups.ready()) {
    const auto frame = group->frame_size(std::min(longest, group_room(*group))) + kHopTagSize;
    for (std::size_t i = 0; i < group->members().size(); ++i) {
      auto* peer = peer_at(group->members()[i].slot);
      if (peer == nullptr) continue;
      peer->note_group_traffic(now);
      const bool is_its_turn = (round + i) % kRoundsOfMtu == 0;
      peer->note_relayed(is_its_turn ? frame : PathMtu::kBase, now);
      touch(*peer);
    }
  }
}

/// The longest text that passes to all members in one frame.
std::size_t Client::Core::group_room(const Group& group) {
  auto room = PathMtu::kMost;
  for (const auto& member : group.members()) {
    if (const auto* peer = peer_at(member.slot)) room = std::min(room, peer->relay_room());
  }
  return room - group.frame_size(0) - kHopTagSize;
}

void Client::Core::send_by_group(FlowPort& flow, Group& group, MutBytes text, TimePoint now,
                                 ClientOutbox& out) {
  const auto most = group_room(group);
  if (text.size() <= most) return seal_for_group(flow, group, text, kNoFlags, now, out);
  const bool whole = send_in_fragments(text, most, ++group_fragments, out, [&](MutBytes fragment) {
    seal_for_group(flow, group, fragment, kFlagFragment, now, out);
    return true;
  });
  if (!whole) ++flow.drops.overload;
}

void Client::Core::seal_for_group(FlowPort& flow, Group& group, MutBytes text, std::uint8_t flags,
                                  TimePoint now, ClientOutbox& out) {
  const auto frame = group.seal(hop.number(), text, flags, now);
  if (frame.empty()) {
    ++flow.drops.key_used_up;
  } else if (!hop.relay(frame, out)) {
    ++flow.drops.no_server;
  } else {
    group.note_sent(frame, text.size(), now);
  }
}

bool Client::Core::may_be_grouped(const FlowPort& flow, const Peer& peer, bool is_now) const {
  if (!peer.is_online() || !peer.has_session()) return false;
  if (flow.ref.relay_only || peer.paths().in_use() == nullptr) return true;
  switch (flow.spread) {
    case Spread::kRelay:
      return true;
    case Spread::kDirect:
      return false;
    case Spread::kAuto:
      break;
  }
  const auto direct = peer.paths().rtt();
  // Not measured: at least the way to the server and back.
  const auto relay = peer.relay_rtt() ? peer.relay_rtt() : hop.rtt();
  return direct && relay && *relay - *direct <= (is_now ? kWorthLeaving : kWorthAnUpload);
}

void Client::Core::choose_receivers(FlowPort& flow) {
  std::vector<GroupReceiver> all;
  std::vector<GroupReceiver> grouped;
  for (const auto slot : flow.send_to) {
    const auto* peer = peer_at(slot);
    if (peer == nullptr) continue;
    const GroupReceiver receiver{peer->number(), slot};
    all.push_back(receiver);
    const auto& alone = flow.groups->alone();
    const bool is_now =
        !flow.groups->ready().empty() && std::find(alone.begin(), alone.end(), slot) == alone.end();
    if (may_be_grouped(flow, *peer, is_now)) grouped.push_back(receiver);
  }
  flow.groups->set_receivers(std::move(all), std::move(grouped));
}

void Client::Core::tend_groups(TimePoint now, ClientOutbox& out) {
  // What the server has not said again yet is not gone.
  if ((!groups_changed && now < groups_due) || in_snapshot) return;
  groups_changed = false;
  groups_due = kNever;
  for (const auto& [number, flow] : flows.all()) {
    if (!flow->groups) continue;
    choose_receivers(*flow);
    flow->groups->tend(now, group_actions);
    groups_due = std::min(groups_due, flow->groups->next_deadline());
    if (flow->groups->is_used(now)) groups_due = std::min(groups_due, now + kReviewEvery);
  }
  for (const auto& action : std::exchange(group_actions, {})) {
    if (const auto* relay = std::get_if<TellRelay>(&action)) {
      hop.send_message(relay->message, now, out);
    } else if (const auto* receiver = std::get_if<TellReceiver>(&action)) {
      if (auto* peer = peer_at(receiver->slot)) peer->send_group_item(receiver->keys, now, out);
    }
  }
  deadline = std::min({deadline, groups_due, hop.next_deadline()});
}

/// What the peer has said of groups, its own and ours; and whether it has forgotten ours.
void Client::Core::on_group_items(std::uint16_t slot, TimePoint now, ClientOutbox& out) {
  auto& entry = peers[slot];
  if (std::exchange(entry.group_boot, entry.peer->session_boot()) != entry.peer->session_boot()) {
    groups_changed = true;
    for (const auto& [number, flow] : flows.all()) {
      if (flow->groups) flow->groups->forget(slot);
    }
  }
  for (const auto& item : entry.peer->take_group_items()) {
    if (const auto* keys = std::get_if<GroupKey>(&item)) {
      on_group_keys(slot, *keys, now, out);
    } else if (const auto* ack = std::get_if<GroupKeyAck>(&item)) {
      on_group_ack(slot, *ack);
    }
  }
}

void Client::Core::on_group_keys(std::uint16_t slot, const GroupKey& keys, TimePoint now,
                                 ClientOutbox& out) {
  auto& entry = peers[slot];
  const auto* flow = flows.find(keys.flow);
  // The server's word may still be on its way: they are told again.
  if (flow == nullptr || !flow->may_receive_from(entry.peer->number())) return;
  if (!entry.groups.put(keys, flow->ref.slot, flow->ref.name, now)) return;
  entry.peer->send_group_item(GroupKeyAck{keys.group}, now, out);
}

void Client::Core::on_group_ack(std::uint16_t slot, const GroupKeyAck& ack) {
  groups_changed = true;
  for (const auto& [number, flow] : flows.all()) {
    if (flow->groups) flow->groups->on_ack(slot, ack.group);
  }
}

}  // namespace wormhole
