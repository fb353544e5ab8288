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

std::vector<FlowPut::Member> sorted(std::vector<FlowPut::Member> members) {
  std::sort(members.begin(), members.end(),
            [](const auto& a, const auto& b) { return a.number < b.number; });
  return members;
}

}  // namespace

void Traffic::tick(Duration since_last) {
  const auto seconds = std::chrono::duration<double>(since_last).count();
  bps = seconds > 0 ? static_cast<double>(bytes - bytes_at_tick) * 8 / seconds : 0;
  bytes_at_tick = bytes;
}

bool FlowPort::may_receive_from(ClientNo number) const {
  const auto at = std::lower_bound(members.begin(), members.end(), number,
                                   [](const auto& m, ClientNo n) { return m.number < n; });
  return at != members.end() && at->number == number &&
         may_receive(static_cast<Direction>(at->direction));
}

FlowPort* FlowTable::find(FlowNo number) {
  return number.value < by_number_.size() ? by_number_[number.value] : nullptr;
}

std::optional<FlowRef> FlowTable::make_ref(FlowNo number, const std::string& name) {
  const auto known = slots_.find(name);
  if (known != slots_.end()) return FlowRef{number, known->second, known->first};
  if (names_.size() == kMaxNames) return std::nullopt;
  const std::string_view kept = names_.emplace_back(name);
  const FlowSlot slot{static_cast<std::uint16_t>(names_.size())};  // 0 is control
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
  if (entry && new_port) commands.emplace_back(CloseFlowPort{flow.number});
  if (new_port) entry = std::make_unique<FlowPort>();
  entry->ref = *ref;
  entry->protocol = static_cast<Protocol>(flow.protocol);
  entry->port = flow.port;
  entry->deliver = deliver_of(flow);
  entry->members = sorted(flow.members);
  entry->named = true;
  entry->targets.set_fixed(fixed_target(*entry));
  if (flow.number.value >= by_number_.size()) by_number_.resize(flow.number.value + std::size_t{1});
  by_number_[flow.number.value] = entry.get();
  if (!new_port) return true;
  if (entry->protocol == Protocol::kUdp) {
    commands.emplace_back(OpenFlowPort{flow.number, flow.name, flow.port});
  } else {
    entry->error = "this version carries UDP flows only";
  }
  return true;
}

void FlowTable::remove(FlowNo number, std::vector<ClientCommand>& commands) {
  if (flows_.erase(number) == 0) return;
  by_number_[number.value] = nullptr;
  commands.emplace_back(CloseFlowPort{number});
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

void FlowTable::on_port(FlowNo number, const std::string& error, TimePoint now, Outbox& out) {
  auto* flow = find(number);
  if (flow == nullptr) return;
  if (next_tick_ == kNever) {
    last_tick_ = now;
    next_tick_ = now + kTick;
  }
  flow->open = error.empty();
  if (flow->open) {
    out.log(LogLevel::kInfo, "flow " + std::string(flow->ref.name) + ": on " +
                                 Endpoint{bind_, flow->port}.to_string());
    flow->retry_at = kNever;
    flow->retry_after = kRetryFirst;
  } else {
    if (error != flow->error) out.log(LogLevel::kWarning, error + "; trying again");
    flow->retry_at = now + flow->retry_after;
    flow->retry_after = std::min(flow->retry_after * 2, kRetryMost);
  }
  flow->error = error;
}

void FlowTable::on_timeout(TimePoint now, std::vector<ClientCommand>& commands) {
  const bool tick = now >= next_tick_;
  for (auto& [number, flow] : flows_) {
    if (tick) {
      flow->tx.tick(now - last_tick_);
      flow->rx.tick(now - last_tick_);
    }
    if (now < flow->retry_at) continue;
    flow->retry_at = kNever;
    commands.emplace_back(OpenFlowPort{number, std::string(flow->ref.name), flow->port});
  }
  if (!tick) return;
  last_tick_ = now;
  next_tick_ = now + kTick;
}

TimePoint FlowTable::next_deadline() const {
  auto due = next_tick_;
  for (const auto& [number, flow] : flows_) due = std::min(due, flow->retry_at);
  return due;
}

}  // namespace wormhole
