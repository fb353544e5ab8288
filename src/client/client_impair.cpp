// Impaired flows: datagrams on their way from the application to the seal.
#include <algorithm>
#include <utility>

#include "client/client_core.hpp"

namespace wormhole {
namespace {

/// Bytes that one call lets go: a fraction of the tray's. What is more leaves with the next call,
/// at once.
constexpr std::size_t kReleaseBytes = Outbox::kArenaBytes / 8;

/// A copy with room around it; empty when the tray is full.
MutBytes copy_of(Bytes text, Outbox& out) {
  const auto room = out.reserve(std::max<std::size_t>(text.size(), 1));
  if (room.empty()) return {};
  copy_bytes(text, room);
  return room.first(text.size());
}

}  // namespace

void Client::Core::impair(FlowPort& flow, ClientNo peer, std::span<const AppDatagram> batch,
                          TimePoint now, ClientOutbox& out) {
  auto* part = flow.impairment->part_for(peer);
  for (const auto& datagram : batch) {
    if (part == nullptr && peer.value == 0 && flow.impairment->is_in_force()) {
      impair_apart(flow, datagram.bytes, now, out);
      continue;
    }
    const bool leaves =
        part == nullptr || part->machine->on_datagram(datagram.bytes, peer.value, now);
    release_impaired(flow, now, out);
    if (leaves) send(flow, peer, {&datagram, 1}, now, out);
  }
  tend_impairments(now, out);
}

/// Receivers have different rules, or some have none: each set of them decides for itself, and each
/// receiver gets an upload of its own.
void Client::Core::impair_apart(FlowPort& flow, Bytes text, TimePoint now, ClientOutbox& out) {
  for (auto& part : flow.impairment->parts()) {
    if (!part.in_force) continue;
    const auto copy = copy_of(text, out);
    if (copy.data() == nullptr) {
      ++flow.drops.overload;
      continue;
    }
    const bool leaves = part.machine->on_datagram(copy, 0, now);
    release_impaired(flow, now, out);
    if (leaves) send_to_each(flow, part.receivers, copy, now, out);
  }
  std::vector<ClientNo> others;
  for (const auto& member : flow.members) {
    if (!may_send(static_cast<Direction>(member.direction))) continue;
    if (flow.impairment->part_for(member.number) == nullptr) others.push_back(member.number);
  }
  send_to_each(flow, others, text, now, out);
}

void Client::Core::send_to_each(FlowPort& flow, const std::vector<ClientNo>& receivers, Bytes text,
                                TimePoint now, ClientOutbox& out) {
  for (const auto receiver : receivers) {
    const AppDatagram copy{{}, copy_of(text, out)};
    if (copy.bytes.data() == nullptr) {
      ++flow.drops.overload;
      continue;
    }
    send(flow, receiver, {&copy, 1}, now, out);
  }
}

/// What is held and due.
void Client::Core::release_impaired(FlowPort& flow, TimePoint now, ClientOutbox& out) {
  std::size_t bytes = 0;
  for (auto& part : flow.impairment->parts()) {
    while (bytes < kReleaseBytes) {
      const auto due = part.machine->next_due(now);
      if (!due) break;
      const auto room = out.reserve(std::max<std::size_t>(due->size, 1));
      if (room.empty()) {
        part.machine->drop(now);
        ++flow.drops.overload;
        continue;
      }
      const AppDatagram datagram{{}, room.first(due->size)};
      part.machine->take(datagram.bytes, now);
      bytes += due->size + kHeadroom + kTailroom;
      if (due->tag == 0 && !part.receivers.empty()) {
        send_to_each(flow, part.receivers, datagram.bytes, now, out);
      } else {
        send(flow, ClientNo{due->tag}, {&datagram, 1}, now, out);
      }
    }
  }
}

/// Apart from everybody's deadlines: it may come for each datagram.
void Client::Core::serve_impairments(TimePoint now, ClientOutbox& out) {
  if (now < impair_due) return;
  for (const auto& [number, flow] : flows.all()) {
    if (!flow->impairment || flow->impairment->next_deadline() > now) continue;
    release_impaired(*flow, now, out);
    hop.note_traffic(now);
  }
  tend_impairments(now, out);
  tend_groups(now, out);
  deadline = std::min(deadline, hop.next_deadline());
}

void Client::Core::tend_impairments(TimePoint /*now*/, ClientOutbox& out) {
  impair_due = kNever;
  for (const auto& [number, flow] : flows.all()) {
    if (!flow->impairment) continue;
    flow->impairment->tidy();
    if (flow->impairment->is_over()) {
      flow->impairment.reset();
      out.log(LogLevel::kInfo,
              "flow " + std::string(flow->ref.name) + ": nothing impairs it any more");
      continue;
    }
    impair_due = std::min(impair_due, flow->impairment->next_deadline());
  }
}

void Client::Core::on_message(const FlowImpair& message, TimePoint now, ClientOutbox& out) {
  if (message.first) {
    impair_pieces.clear();
    impaired_flow = message.flow;
  }
  constexpr auto kMost = FlowImpair::kMostPieces * FlowImpair::kMostBytes;
  if (message.flow != impaired_flow || impair_pieces.size() + message.bytes.size() > kMost) {
    ++drops.unreadable_peer;
    return;
  }
  impair_pieces.insert(impair_pieces.end(), message.bytes.begin(), message.bytes.end());
  if (!message.last) return;
  auto parts = decode_impairment(std::exchange(impair_pieces, {}));
  auto* flow = flows.find(message.flow);
  if (!parts || (flow != nullptr && flow->protocol != Protocol::kUdp)) {
    ++drops.unreadable_peer;
    return;
  }
  if (flow != nullptr) set_impairment(*flow, std::move(*parts), now, out);
}

void Client::Core::set_impairment(FlowPort& flow, std::vector<ImpairPart> parts, TimePoint now,
                                  ClientOutbox& out) {
  if (!parts.empty()) {
    out.log(LogLevel::kWarning,
            "flow " + std::string(flow.ref.name) + ": routes.yaml impairs what this client sends" +
                (parts[0].profile.name.empty() ? "" : " by the profile ") + parts[0].profile.name);
    if (!flow.impairment) flow.impairment = std::make_unique<FlowImpairment>(held_pool, rng);
  }
  if (!flow.impairment) return;
  flow.impairment->named = true;
  flow.impairment->set(std::move(parts));
  tend_impairments(now, out);
}

/// What the server has not said again is not in force any more.
void Client::Core::end_impair_snapshot(TimePoint now, ClientOutbox& out) {
  for (const auto& [number, flow] : flows.all()) {
    if (flow->impairment && !flow->impairment->named) flow->impairment->set({});
  }
  tend_impairments(now, out);
}

}  // namespace wormhole
