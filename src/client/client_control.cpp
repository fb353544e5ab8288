// What the server says: peers, flows, refusals.
#include <algorithm>
#include <utility>

#include "client/client_core.hpp"

namespace wormhole {
namespace {

std::string refusal_text(const ClientConfig& config, Verdict verdict) {
  switch (verdict) {
    case Verdict::kUnknownId:
      return "the server knows no client \"" + config.id +
             "\" (or it was removed): add it under `clients:` in routes.yaml";
    case Verdict::kWrongKey:
      return "another key is bound to \"" + config.id +
             "\" on the server: enrol this machine anew with `wormhole invite " + config.id + "`";
    case Verdict::kSuperseded:
      return "\"" + config.id + "\" was started elsewhere with the same key; this process ends";
    case Verdict::kNoCommonVersion:
      return "client and server speak no common protocol version: install the same release on both";
    case Verdict::kAccepted:
    case Verdict::kResumed:
    case Verdict::kServerFull:
      break;
  }
  return "the server refused us";
}

Refused::Reason refusal_reason(Verdict verdict) {
  switch (verdict) {
    case Verdict::kWrongKey:
      return Refused::Reason::kWrongKey;
    case Verdict::kSuperseded:
      return Refused::Reason::kReplaced;
    case Verdict::kNoCommonVersion:
      return Refused::Reason::kVersion;
    case Verdict::kUnknownId:
    case Verdict::kAccepted:
    case Verdict::kResumed:
    case Verdict::kServerFull:
      break;
  }
  return Refused::Reason::kUnknownId;
}

std::optional<std::string> enrol_error(const std::string& id, std::uint8_t result) {
  // The server's EnrolResult (docs/protocol.md, section 5).
  switch (result) {
    case 0:
      return std::nullopt;
    case 1:
      return "the server does not know this code: it was withdrawn by a newer one, or belongs to "
             "another server";
    case 2:
      return "this code has been used: ask for a new one (wormhole invite " + id + ")";
    case 3:
      return "this code has expired: ask for a new one (wormhole invite " + id + ")";
    case 4:
      return "\"" + id + "\" is not in the server's routes.yaml any more: add it under `clients:`";
    case 5:
      return "the server could not store the enrolment (see its log); the code is still good";
    default:
      return "the server does not accept this code as genuine: ask for a new one";
  }
}

}  // namespace

void Client::Core::handle_events(TimePoint now, ClientOutbox& out) {
  // Events don't make events, so the list does not grow meanwhile.
  for (const auto& event : events) {
    if (ended) break;
    std::visit([&](const auto& e) { on_event(e, now, out); }, event);
  }
  if (!events.empty()) deadline = recomputed_deadline();
  events.clear();
}

void Client::Core::end(Refused::Reason reason, std::string message, ClientOutbox& out) {
  ended = true;
  out.commands.emplace_back(Refused{reason, std::move(message)});
}

void Client::Core::on_event(const HopConnected& event, TimePoint now, ClientOutbox& out) {
  if (!config.enrol) nat.on_connected(event, hop, now, out);
  if (!event.stream_restarted) return;
  if (config.enrol) {
    hop.send_message(EnrolRequest{*config.enrol}, now, out);
    return;
  }
  in_snapshot = true;
  link_watch.tell_anew();
  for (const auto& [number, flow] : flows.all()) {
    if (flow->groups) flow->groups->on_relay_restart();
  }
  groups_changed = true;
  flows.begin_snapshot();
  for (const auto& [number, flow] : flows.all()) {
    flow->relay_hint.clear();
    if (flow->impairment) flow->impairment->named = false;
  }
  memberships.restart(out.commands);
  for (auto& entry : peers) entry.named = false;
  for (auto& [number, entry] : distrusted) entry.named = false;
}

void Client::Core::on_event(const HopRefused& event, TimePoint /*now*/, ClientOutbox& out) {
  end(refusal_reason(event.verdict), refusal_text(config, event.verdict), out);
}

void Client::Core::on_event(const HopClosed& event, TimePoint /*now*/, ClientOutbox& out) {
  switch (event.reason) {
    case CloseReason::kReplaced:
      return end(Refused::Reason::kReplaced, refusal_text(config, Verdict::kSuperseded), out);
    case CloseReason::kRemoved:
      return end(
          Refused::Reason::kRemoved,
          "\"" + config.id +
              "\" was removed from the server's routes.yaml, or enrolled anew with another key",
          out);
    case CloseReason::kShuttingDown:
      break;  // the link finds out by itself when the server is gone
  }
}

void Client::Core::on_event(const HopHandshake& event, TimePoint now, ClientOutbox& out) {
  auto* peer = peer_numbered(event.peer);
  if (peer == nullptr) {
    ++drops.unknown_peer;
    return;
  }
  peer->on_handshake(event.message, now, out);
  tend_peer(by_number.at(event.peer), now, out);
}

void Client::Core::on_event(const HopWantsResolve& /*event*/, TimePoint /*now*/,
                            ClientOutbox& out) {
  out.commands.emplace_back(ResolveServer{});
}

void Client::Core::on_event(const RelayPortChange& event, TimePoint /*now*/, ClientOutbox& out) {
  auto* flow = flows.find(event.flow);
  if (flow == nullptr) return;
  const auto shared = std::to_string(hop.server().port);
  const auto port = "relay port " + std::to_string(event.port) + " of the server ";
  const auto about = "flow " + std::string(flow->ref.name) + ": ";
  switch (event.kind) {
    case RelayPortChange::Kind::kAnswers:
      flow->relay_hint.clear();
      flow->said_silent = false;
      out.log(LogLevel::kInfo, about + port + "carries it");
      return;
    case RelayPortChange::Kind::kLost:
      flow->relay_hint = port + "has stopped answering; the flow is back on " + shared;
      break;
    case RelayPortChange::Kind::kSilent:
      flow->relay_hint = port + "does not answer (a firewall that opens only " + shared +
                         "?); the flow stays on " + shared;
      if (std::exchange(flow->said_silent, true)) return;
  }
  out.log(LogLevel::kWarning, about + flow->relay_hint);
}

void Client::Core::on_event(const HopProbeAnswered& event, TimePoint now, ClientOutbox& out) {
  nat.on_answer(event, hop, now, out);
}

void Client::Core::on_event(const StreamMessage& event, TimePoint now, ClientOutbox& out) {
  std::visit([&](const auto& message) { on_message(message, now, out); }, event);
}

void Client::Core::on_message(const PeerPut& message, TimePoint now, ClientOutbox& out) {
  if (message.binding.id == config.id || message.number.value == 0) {
    ++drops.unreadable_peer;
    return;
  }
  if (auto reason = distrust(message.binding, out)) {
    remove_peer(message.number, now, out);
    auto& entry = distrusted[message.number];
    if (entry.reason != *reason) {
      out.log(LogLevel::kError, "peer " + message.binding.id + ": " + *reason);
    }
    entry = {message.binding.id, std::move(*reason), true};
    relink(now, out);
    return;
  }
  distrusted.erase(message.number);
  auto* peer = peer_numbered(message.number);
  if (peer != nullptr &&
      (peer->id() != message.binding.id || peer->binding().key != message.binding.key)) {
    remove_peer(message.number, now, out);
    peer = nullptr;
  }
  if (peer == nullptr) {
    const auto slot = add_peer(message.binding);
    if (!slot) {
      ++drops.unreadable_peer;
      return;
    }
    by_number[message.number] = *slot;
    peer = peers[*slot].peer.get();
  }
  auto& entry = peers[by_number[message.number]];
  entry.named = true;
  entry.lead = in_snapshot;
  peer->set_presence(message.number, message.boot_id, in_snapshot, now);
  tend_peer(by_number[message.number], now, out);
  relink(now, out);
}

void Client::Core::on_message(const PeerRemove& message, TimePoint now, ClientOutbox& out) {
  distrusted.erase(message.number);
  remove_peer(message.number, now, out);
  relink(now, out);
}

void Client::Core::on_message(const FlowPut& message, TimePoint now, ClientOutbox& out) {
  if (!flows.put(message, out.commands)) ++drops.unreadable_peer;
  mark_queues();
  const auto* flow = flows.find(message.number);
  if (flow != nullptr && flows.withholds_delivery(*flow)) {
    out.log(LogLevel::kWarning,
            "flow " + message.name + ": routes.yaml delivers to " + message.deliver_to.to_string() +
                ", another machine; start this client with --deliver-anywhere to allow that");
  }
  relink(now, out);
}

void Client::Core::on_message(const FlowRemove& message, TimePoint now, ClientOutbox& out) {
  hop.set_relay_port(message.number, 0, now);
  flows.remove(message.number, out.commands);
  shaper.remove(message.number);
  relink(now, out);
}

void Client::Core::on_message(const Sync& /*message*/, TimePoint now, ClientOutbox& out) {
  in_snapshot = false;
  flows.end_snapshot(out.commands);
  for (const auto number : shaper.flows()) {
    if (flows.find(number) == nullptr) shaper.remove(number);
  }
  end_impair_snapshot(now, out);
  std::vector<ClientNo> gone;
  for (const auto& [number, slot] : by_number) {
    if (!peers[slot].named) gone.push_back(number);
  }
  for (const auto number : gone) remove_peer(number, now, out);
  std::erase_if(distrusted, [](const auto& item) { return !item.second.named; });
  relink(now, out);
}

void Client::Core::on_message(const EnrolAnswer& message, TimePoint /*now*/, ClientOutbox& out) {
  if (!config.enrol) return;
  out.commands.emplace_back(EnrolFinished{enrol_error(config.id, message.result)});
  ended = true;
}

void Client::Core::on_message(const RelayPort& message, TimePoint now, ClientOutbox& /*out*/) {
  auto* flow = flows.find(message.flow);
  if (flow == nullptr) return;  // it was taken away meanwhile
  if (message.port == 0) flow->relay_hint.clear();
  hop.set_relay_port(message.flow, message.port, now);
}

void Client::Core::on_message(const FlowOffer& message, TimePoint /*now*/, ClientOutbox& /*out*/) {
  if (!memberships.put(message)) ++drops.unreadable_peer;
}

void Client::Core::on_message(const FlowOfferRemove& message, TimePoint /*now*/,
                              ClientOutbox& /*out*/) {
  memberships.remove(message.number);
}

void Client::Core::on_message(const MembershipAnswer& message, TimePoint /*now*/,
                              ClientOutbox& out) {
  memberships.on_answer(message, out.commands);
}

void Client::Core::on_message(const MembershipRequest& /*message*/, TimePoint /*now*/,
                              ClientOutbox& /*out*/) {
  ++drops.unreadable_peer;  // clients ask, servers don't
}

void Client::Core::on_message(const EnrolRequest& /*message*/, TimePoint /*now*/,
                              ClientOutbox& /*out*/) {
  ++drops.unreadable_peer;  // clients ask, servers don't
}

void Client::Core::on_message(const PeerAddress& message, TimePoint now, ClientOutbox& out) {
  const auto at = by_number.find(message.number);
  if (at == by_number.end()) return;  // a peer whose key is not accepted
  puncher.set_address(at->second, message, peers[at->second].lead, now, out);
  tend_peer(at->second, now, out);
}

void Client::Core::on_message(const PunchSettings& message, TimePoint /*now*/,
                              ClientOutbox& /*out*/) {
  puncher.set_settings(message);
  path_settings.strict_keepalive = message.strict_keepalive;
  set_path_settings();
}

/// Connections that there are keep theirs.
void Client::Core::on_message(const StreamSettings& message, TimePoint now, ClientOutbox& out) {
  congestion = message.congestion == 0 ? Congestion::kBbr : Congestion::kCubic;
  relink(now, out);
}

void Client::Core::on_message(const NatNews& /*message*/, TimePoint /*now*/,
                              ClientOutbox& /*out*/) {
  ++drops.unreadable_peer;  // clients tell, servers don't
}

void Client::Core::on_message(const CampaignAsk& /*message*/, TimePoint /*now*/,
                              ClientOutbox& /*out*/) {
  ++drops.unreadable_peer;  // clients ask, servers don't
}

void Client::Core::on_message(const CampaignTurn& message, TimePoint now, ClientOutbox& out) {
  const auto at = by_number.find(message.peer);
  if (at == by_number.end()) return;  // it was taken away meanwhile
  puncher.on_turn(at->second, message, now, out);
  tend_peer(at->second, now, out);
}

void Client::Core::on_message(const GroupPut& /*message*/, TimePoint /*now*/,
                              ClientOutbox& /*out*/) {
  ++drops.unreadable_peer;  // clients tell, servers don't
}

void Client::Core::on_message(const LinkNews& /*message*/, TimePoint /*now*/,
                              ClientOutbox& /*out*/) {
  ++drops.unreadable_peer;  // clients tell, servers don't
}

void Client::Core::on_message(const GroupAnswer& message, TimePoint now, ClientOutbox& out) {
  for (const auto& [number, flow] : flows.all()) {
    if (flow->groups) flow->groups->on_relay_answer(message, now);
  }
  if (!message.ready) {
    out.log(LogLevel::kWarning,
            "the server keeps no more groups for this client: some receivers get uploads of "
            "their own");
  }
  groups_changed = true;
}

}  // namespace wormhole
