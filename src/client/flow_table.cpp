#include "client/flow_table.hpp"

#include <algorithm>
#include <utility>

namespace wormhole {
namespace {

constexpr Duration kTick = 1s;

Deliver deliver_of(const FlowPut& flow) {
  switch (static_cast<Deliver::Kind>(flow.deliver)) {
    case Deliver::Kind::kNone:
      return {Deliver::Kind::kNone, {}};
    case Deliver::Kind::kEndpoint:
      return {Deliver::Kind::kEndpoint, flow.deliver_to};
    case Deliver::Kind::kDefault:
      break;
  }
  return {};
}

/// A class that we do not know is as usual.
ShaperTerms terms_of(const FlowPut& flow) {
  constexpr auto kLast = static_cast<std::uint8_t>(UplinkClass::kLow);
  const auto group =
      flow.priority <= kLast ? static_cast<UplinkClass>(flow.priority) : UplinkClass::kNormal;
  return {group, std::chrono::milliseconds(flow.max_age), 1000.0 / 8 * flow.rate};
}

std::vector<FlowPut::Member> sorted(std::vector<FlowPut::Member> members) {
  std::sort(members.begin(), members.end(),
            [](const auto& a, const auto& b) { return a.number < b.number; });
  return members;
}

std::optional<Direction> direction_towards(const std::vector<FlowPut::Member>& members,
                                           ClientNo number) {
  const auto at = std::lower_bound(members.begin(), members.end(), number,
                                   [](const auto& m, ClientNo n) { return m.number < n; });
  if (at == members.end() || at->number != number) return std::nullopt;
  return static_cast<Direction>(at->direction);
}

OpenFlowPort open_command(const FlowPort& flow, ClientNo peer, const LocalPort& port) {
  return {{flow.ref.number, peer}, std::string(flow.ref.name), port.at, flow.protocol};
}

/// A port of its own: any peer's in a UDP flow, those that can be dialled in a TCP flow.
bool wants_port(const FlowPort& flow, ClientNo peer) {
  const auto direction = direction_towards(flow.members, peer);
  return direction && (flow.protocol == Protocol::kUdp || may_send(*direction));
}

/// Asks again for what could not be opened.
void retry(const FlowPort& flow, ClientNo peer, LocalPort& port, TimePoint now,
           std::vector<ClientCommand>& commands) {
  if (now < port.retry_at) return;
  port.retry_at = kNever;
  commands.emplace_back(open_command(flow, peer, port));
}

}  // namespace

void Traffic::tick(Duration since_last) {
  const auto seconds = std::chrono::duration<double>(since_last).count();
  bps = seconds > 0 ? static_cast<double>(bytes - bytes_at_tick) * 8 / seconds : 0;
  pps = seconds > 0 ? static_cast<double>(packets - packets_at_tick) / seconds : 0;
  bytes_at_tick = bytes;
  packets_at_tick = packets;
}

bool FlowPort::may_receive_from(ClientNo number) const {
  const auto direction = direction_towards(members, number);
  return direction && may_receive(*direction);
}

bool FlowPort::may_send_to(ClientNo number) const {
  const auto direction = direction_towards(members, number);
  return direction && may_send(*direction);
}

bool FlowPort::may_send_to_any() const {
  return std::any_of(members.begin(), members.end(), [](const auto& member) {
    return may_send(static_cast<Direction>(member.direction));
  });
}

LocalPort* FlowPort::port_of(ClientNo peer) {
  if (peer.value == 0) return &local;
  const auto at = peer_ports.find(peer);
  return at == peer_ports.end() ? nullptr : &at->second;
}

FlowPort* FlowTable::find(FlowNo number) {
  return number.value < by_number_.size() ? by_number_[number.value] : nullptr;
}

std::optional<FlowRef> FlowTable::make_ref(FlowNo number, const std::string& name) {
  const auto known = slots_.find(name);
  if (known != slots_.end()) return FlowRef{number, known->second, known->first};
  if (names_.size() == kMaxNames) return std::nullopt;
  const std::string_view kept = names_.emplace_back(name);
  const FlowSlot slot{static_cast<std::uint16_t>(names_.size() - 1 + kFirstFlowSlot.value)};
  slots_.emplace(kept, slot);
  return FlowRef{number, slot, kept};
}

bool FlowTable::withholds_delivery(const FlowPort& flow) const {
  return !deliver_anywhere_ && flow.deliver.kind == Deliver::Kind::kEndpoint &&
         !flow.deliver.endpoint.address.is_loopback();
}

std::optional<Endpoint> FlowTable::fixed_target(const FlowPort& flow) const {
  switch (flow.deliver.kind) {
    case Deliver::Kind::kNone:
      return std::nullopt;
    case Deliver::Kind::kEndpoint:
      if (withholds_delivery(flow)) return std::nullopt;
      return flow.deliver.endpoint;
    case Deliver::Kind::kDefault:
      break;
  }
  if (bind_ != IpAddress::v4(127, 1, 0, 1)) return std::nullopt;
  return Endpoint{IpAddress::v4(127, 0, 0, 1), flow.port};
}

std::optional<Endpoint> FlowTable::target_of(const FlowPort& flow) const {
  if (withholds_delivery(flow)) return std::nullopt;
  if (flow.deliver.kind == Deliver::Kind::kEndpoint) return flow.deliver.endpoint;
  return Endpoint{IpAddress::v4(127, 0, 0, 1), flow.port};
}

bool FlowTable::put(const FlowPut& flow, std::vector<ClientCommand>& commands) {
  const auto ref = make_ref(flow.number, flow.name);
  auto& entry = flows_[flow.number];
  if (!ref || (!entry && flows_.size() > kMaxFlows)) {
    if (!entry) flows_.erase(flow.number);
    return false;
  }
  const bool new_port = !entry || entry->port != flow.port ||
                        static_cast<std::uint8_t>(entry->protocol) != flow.protocol ||
                        entry->ref.name != ref->name;
  if (entry && new_port) close(*entry, commands);
  if (new_port) {
    // What impairs it is said apart, and only when it changes.
    auto impairment = entry ? std::move(entry->impairment) : nullptr;
    entry = std::make_unique<FlowPort>();
    entry->impairment = std::move(impairment);
  }
  entry->ref = *ref;
  entry->ref.relay_only = (flow.options & kFlowRelayOnly) != 0;
  entry->protocol = static_cast<Protocol>(flow.protocol);
  entry->port = flow.port;
  entry->deliver = deliver_of(flow);
  entry->members = sorted(flow.members);
  entry->terms = terms_of(flow);
  entry->addressing =
      (flow.options & kFlowPerPeer) != 0 ? Addressing::kPerPeer : Addressing::kShared;
  entry->preference.clear();
  for (const auto& member : flow.members) entry->preference.push_back(member.number);
  entry->spread = static_cast<Spread>((flow.options & kFlowSpread) >> kFlowSpreadShift);
  entry->copies = (flow.options & kFlowCopy) != 0;
  entry->copy_buffer = flow.copy_buffer;
  entry->proxy_header = (flow.options & kFlowProxy) != 0;
  entry->named = true;
  entry->local.at = {bind_, flow.port};
  entry->local.targets.set_fixed(fixed_target(*entry));
  if (flow.number.value >= by_number_.size()) by_number_.resize(flow.number.value + std::size_t{1});
  by_number_[flow.number.value] = entry.get();
  update_port(*entry, commands);
  update_peer_ports(*entry, commands);
  return true;
}

/// Who only serves a TCP flow needs no port.
void FlowTable::update_port(FlowPort& flow, std::vector<ClientCommand>& commands) {
  const bool wanted = flow.protocol == Protocol::kUdp || flow.may_send_to_any();
  if (std::exchange(flow.listens, wanted) == wanted) return;
  if (wanted) {
    commands.emplace_back(open_command(flow, ClientNo{}, flow.local));
    return;
  }
  commands.emplace_back(CloseFlowPort{{flow.ref.number, ClientNo{}}});
  flow.local.on_closed();
}

void FlowTable::update_peer_ports(FlowPort& flow, std::vector<ClientCommand>& commands) const {
  const bool wanted = flow.addressing == Addressing::kPerPeer;
  std::erase_if(flow.peer_ports, [&](const auto& item) {
    if (wanted && wants_port(flow, item.first)) return false;
    commands.emplace_back(CloseFlowPort{{flow.ref.number, item.first}});
    return true;
  });
  if (!wanted) return;
  for (const auto& member : flow.members) {
    if (!wants_port(flow, member.number)) continue;
    const auto [at, is_new] = flow.peer_ports.try_emplace(member.number);
    if (!is_new) continue;
    auto& port = at->second;
    const auto address = peer_address(bind_, member.number);
    port.at = {address.value_or(bind_), flow.port};
    if (address) {
      commands.emplace_back(open_command(flow, member.number, port));
    } else {
      port.error = "addressing: per-peer has no address for this peer on a client at " +
                   bind_.to_string() + "; it needs a --bind of 127.1.0.1 to 127.1.0.255";
    }
  }
}

void FlowTable::close(const FlowPort& flow, std::vector<ClientCommand>& commands) const {
  commands.emplace_back(CloseFlowPort{{flow.ref.number, ClientNo{}}});
  for (const auto& [peer, port] : flow.peer_ports) {
    commands.emplace_back(CloseFlowPort{{flow.ref.number, peer}});
  }
}

void FlowTable::remove(FlowNo number, std::vector<ClientCommand>& commands) {
  const auto at = flows_.find(number);
  if (at == flows_.end()) return;
  close(*at->second, commands);
  flows_.erase(at);
  by_number_[number.value] = nullptr;
}

void FlowTable::begin_snapshot() {
  for (auto& [number, flow] : flows_) flow->named = false;
}

void FlowTable::end_snapshot(std::vector<ClientCommand>& commands) {
  std::vector<FlowNo> gone;
  for (const auto& [number, flow] : flows_) {
    if (!flow->named) gone.push_back(number);
  }
  for (const auto number : gone) remove(number, commands);
}

void FlowTable::on_port(AppPort id, const std::string& error, TimePoint now, Outbox& out) {
  auto* flow = find(id.flow);
  auto* port = flow == nullptr ? nullptr : flow->port_of(id.peer);
  // An answer can come when the port is wanted no longer.
  if (port == nullptr || !flow->listens) return;
  if (next_tick_ == kNever) {
    last_tick_ = now;
    next_tick_ = now + kTick;
  }
  if (error.empty()) {
    out.log(LogLevel::kInfo,
            "flow " + std::string(flow->ref.name) + ": on " + port->at.to_string());
  } else if (error != port->error) {
    out.log(LogLevel::kWarning, error + "; trying again");
  }
  port->on_result(error, now);
}

void FlowTable::on_timeout(TimePoint now, std::vector<ClientCommand>& commands) {
  const bool tick = now >= next_tick_;
  for (auto& [number, flow] : flows_) {
    if (tick) {
      flow->tx.tick(now - last_tick_);
      flow->let_go.tick(now - last_tick_);
      flow->rx.tick(now - last_tick_);
    }
    retry(*flow, ClientNo{}, flow->local, now, commands);
    for (auto& [peer, port] : flow->peer_ports) retry(*flow, peer, port, now, commands);
  }
  if (!tick) return;
  last_tick_ = now;
  next_tick_ = now + kTick;
}

TimePoint FlowTable::next_deadline() const {
  auto due = next_tick_;
  for (const auto& [number, flow] : flows_) {
    due = std::min(due, flow->local.retry_at);
    for (const auto& [peer, port] : flow->peer_ports) due = std::min(due, port.retry_at);
  }
  return due;
}

}  // namespace wormhole
