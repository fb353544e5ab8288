#include "client/tcp_table.hpp"

#include <algorithm>
#include <utility>

#include "client/tcp_copy.hpp"
#include "client/tcp_dial.hpp"

namespace wormhole {

// --- The shell's doors ------------------------------------------------------

std::optional<TcpNo> TcpTable::accept(AppPort port, const Endpoint& application, TimePoint now,
                                      ClientOutbox& out) {
  auto* flow = flows_.find(port.flow);
  if (flow == nullptr || flow->protocol != Protocol::kTcp) return std::nullopt;
  if (bridges_.size() >= kMostConnections) {
    ++drops_.too_many;
    note_refused(port.flow, "this client has " + std::to_string(kMostConnections) +
                                " connections, the most that it keeps");
    return std::nullopt;
  }
  const auto number = next_number();
  DialPlan plan{port.flow, class_of(*flow), slots_to_dial(*flow, port.peer), application.port};
  ++flow->tcp.opened;
  if (flow->copies && port.peer.value == 0) {
    const auto id = port.flow;
    auto copy = std::make_unique<TcpCopy>(
        number, std::move(plan), flow->copy_buffer, streams_,
        [this, id](const std::string& why, bool too_slow) { note_left(id, why, too_slow); });
    copy->begin(now, out);
    keep(number, std::move(copy));
  } else {
    auto dial = std::make_unique<TcpDial>(
        number, std::move(plan), streams_,
        [this, id = port.flow](const std::string& why) { note_refused(id, why); });
    dial->begin(now, out);
    keep(number, std::move(dial));
  }
  return number;
}

std::vector<std::uint16_t> TcpTable::slots_to_dial(const FlowPort& flow, ClientNo only) const {
  std::vector<std::uint16_t> slots;
  for (const auto number : flow.preference) {
    if (only.value != 0 && number != only) continue;
    const auto slot = slot_of_(number);
    if (slot && flow.may_send_to(number)) slots.push_back(*slot);
  }
  return slots;
}

void TcpTable::on_connected(TcpNo number, ClientOutbox& out) {
  auto* serve = dynamic_cast<TcpServe*>(find(number));
  if (serve == nullptr) return;
  serve->on_connected(out);
  done(number);
}

void TcpTable::on_failed(TcpNo number, const std::string& why) {
  auto* serve = dynamic_cast<TcpServe*>(find(number));
  if (serve == nullptr) return;
  const auto flow = serve->flow();
  note_refused(flow, serve->on_failed(why));
  done(number);
}

MutBytes TcpTable::space(TcpNo number) {
  auto* bridge = find(number);
  return bridge == nullptr ? MutBytes{} : bridge->space();
}

void TcpTable::commit(TcpNo number, std::size_t size) {
  auto* bridge = find(number);
  if (bridge == nullptr) return;
  bridge->commit(size);
  if (auto* flow = flows_.find(bridge->flow())) flow->tx.bytes += size;
  tend_later(number);
}

Bytes TcpTable::readable(TcpNo number) const {
  const auto* bridge = find(number);
  return bridge == nullptr ? Bytes{} : bridge->readable();
}

void TcpTable::consume(TcpNo number, std::size_t size) {
  auto* bridge = find(number);
  if (bridge == nullptr) return;
  bridge->consume(size);
  if (auto* flow = flows_.find(bridge->flow())) flow->rx.bytes += size;
  tend_later(number);
}

void TcpTable::on_end(TcpNo number, ClientOutbox& out) {
  auto* bridge = find(number);
  if (bridge == nullptr) return;
  bridge->on_end(out);
  done(number);
}

void TcpTable::on_reset(TcpNo number, ClientOutbox& out) {
  auto* bridge = find(number);
  if (bridge == nullptr) return;
  bridge->give_up(kApplicationReset, false, out);
  done(number);
}

// --- Streams ----------------------------------------------------------------

void TcpTable::flush(TimePoint now, ClientOutbox& out,
                     const std::function<void(std::uint16_t, Peer&)>& send,
                     const std::function<void(const Peer&)>& flushed) {
  tending_.clear();
  tending_.swap(to_tend_);
  for (const auto number : tending_) {
    if (auto* bridge = find(number)) bridge->tend(now, out);
    done(number);
  }
  // What events make bridges do touches peers again; each has its turn until nobody is left.
  while (streams_.has_touched()) {
    for (const auto slot : streams_.take_touched()) {
      auto* peer = streams_.peer(slot);
      if (peer == nullptr) continue;
      run_events(slot, now, out);
      send(slot, *peer);
      // Sending finds out that a connection is broken.
      run_events(slot, now, out);
      flushed(*peer);
      if (!waiting_.empty()) tend_waiting(now, out);
    }
  }
  say_errors(out);
}

void TcpTable::say_errors(Outbox& out) {
  if (!std::exchange(has_errors_, false)) return;
  for (const auto& [number, flow] : flows_.all()) {
    auto& tcp = flow->tcp;
    if (tcp.last_error == tcp.said_error) continue;
    tcp.said_error = tcp.last_error;
    out.log(LogLevel::kWarning, "flow " + std::string(flow->ref.name) + ": " + tcp.last_error);
  }
}

void TcpTable::run_events(std::uint16_t slot, TimePoint now, ClientOutbox& out) {
  auto& streams = streams_.peer(slot)->streams();
  while (const auto next = streams.next_event()) {
    if (!next->event) {
      on_lost(slot, next->group, now, out);
      continue;
    }
    const StreamRef ref{slot, next->group, next->event->stream};
    if (next->event->kind == StreamEvent::Kind::kOpened) on_opened(ref);
    const auto owner = streams_.owner(ref);
    if (!owner) continue;
    if (auto* bridge = find(*owner)) bridge->on_stream(ref, *next->event, now, out);
    done(*owner);
  }
}

void TcpTable::on_opened(const StreamRef& ref) {
  if (bridges_.size() >= kMostConnections) {
    ++drops_.too_many;
    streams_.connection(ref)->reset(ref.id, kStreamRefused);
    return;
  }
  const auto number = next_number();
  streams_.bind(ref, number);
  keep(number, std::make_unique<TcpServe>(number, ref, streams_,
                                          [this](const StreamRef& at, const StreamHello& hello) {
                                            return admit(at, hello);
                                          }));
}

void TcpTable::on_lost(std::uint16_t slot, StreamClass group, TimePoint now, ClientOutbox& out) {
  for (const auto& [ref, owner] : streams_.streams_of(slot, group)) {
    if (auto* bridge = find(owner)) bridge->on_lost(ref, now, out);
    done(owner);
  }
}

std::variant<ServePlan, std::string> TcpTable::admit(const StreamRef& ref,
                                                     const StreamHello& hello) {
  auto* flow = flows_.find(hello.flow);
  const auto* peer = streams_.peer(ref.slot);
  if (flow == nullptr || flow->protocol != Protocol::kTcp || class_of(*flow) != ref.group ||
      !flow->may_receive_from(peer->number())) {
    return "it does not serve this flow (routes.yaml has just changed?)";
  }
  const auto target = flows_.target_of(*flow);
  if (!target) {
    return "its owner does not allow the target " + flow->deliver.endpoint.to_string() +
           " on another machine";
  }
  ++flow->tcp.opened;
  ServePlan plan{*target, {}};
  if (!flow->proxy_header) return plan;
  // The peer's stable address, so that a service can tell clients apart without the ID.
  const auto local = bind_.is_v4() ? bind_ : IpAddress::v4(127, 0, 0, 1);
  const Endpoint source{peer_address(bind_, peer->number()).value_or(local),
                        hello.application_port};
  plan.header = proxy_header(source, {local, flow->port}, peer->id());
  return plan;
}

void TcpTable::note_refused(FlowNo number, const std::string& why) {
  auto* flow = flows_.find(number);
  if (flow == nullptr) return;
  ++flow->tcp.refused;
  flow->tcp.last_error = why;
  has_errors_ = true;
}

void TcpTable::note_left(FlowNo number, const std::string& why, bool too_slow) {
  auto* flow = flows_.find(number);
  if (flow == nullptr) return;
  ++(too_slow ? flow->tcp.cut : flow->tcp.refused);
  flow->tcp.last_error = why;
  has_errors_ = true;
}

// --- Changes around them ----------------------------------------------------

bool TcpTable::permits(const TcpBridge& bridge, std::uint16_t slot) const {
  if (bridge.serves() && bridge.flow().value == 0) return true;  // its hello will be looked at
  const auto* flow = flows_.find(bridge.flow());
  const auto* peer = streams_.peer(slot);
  if (flow == nullptr || flow->protocol != Protocol::kTcp || peer == nullptr) return false;
  return bridge.serves() ? flow->may_receive_from(peer->number())
                         : flow->may_send_to(peer->number());
}

void TcpTable::enforce(TimePoint now, ClientOutbox& out) {
  restrict_all(
      [this](const TcpBridge& bridge, std::uint16_t slot) { return permits(bridge, slot); }, now,
      out);
}

void TcpTable::remove_peer(std::uint16_t gone, TimePoint now, ClientOutbox& out) {
  restrict_all([gone](const TcpBridge&, std::uint16_t slot) { return slot != gone; }, now, out);
}

template <typename Permits>
void TcpTable::restrict_all(Permits permits, TimePoint now, ClientOutbox& out) {
  std::vector<TcpNo> all;
  all.reserve(bridges_.size());
  for (const auto& [number, bridge] : bridges_) all.push_back(number);
  std::sort(all.begin(), all.end());  // one order whatever the hash
  for (const auto number : all) {
    auto* bridge = find(number);
    bridge->restrict_to([&](std::uint16_t slot) { return permits(*bridge, slot); }, now, out);
    done(number);
  }
}

void TcpTable::on_timeout(TimePoint now, ClientOutbox& out) {
  if (now >= deadline_) tend_waiting(now, out);
}

/// Those that wait for something that may have come.
void TcpTable::tend_waiting(TimePoint now, ClientOutbox& out) {
  deadline_ = kNever;
  for (const auto number : std::exchange(waiting_, {})) {
    if (auto* bridge = find(number)) bridge->tend(now, out);
    done(number);
  }
}

// --- Keeping ----------------------------------------------------------------

TcpBridge* TcpTable::find(TcpNo number) const {
  const auto at = bridges_.find(number);
  return at == bridges_.end() ? nullptr : at->second.get();
}

void TcpTable::keep(TcpNo number, std::unique_ptr<TcpBridge> bridge) {
  bridges_.emplace(number, std::move(bridge));
  done(number);
}

/// After anything that a bridge did: it may be over, or wait until some time.
void TcpTable::done(TcpNo number) {
  const auto at = bridges_.find(number);
  if (at == bridges_.end()) return;
  if (at->second->is_over()) {
    bridges_.erase(at);
    return;
  }
  if (at->second->deadline() == kNever) return;
  deadline_ = std::min(deadline_, at->second->deadline());
  if (std::find(waiting_.begin(), waiting_.end(), number) == waiting_.end()) {
    waiting_.push_back(number);
  }
}

void TcpTable::tend_later(TcpNo number) {
  if (to_tend_.empty() || to_tend_.back() != number) to_tend_.push_back(number);
}

std::map<FlowNo, std::size_t> TcpTable::open() const {
  std::map<FlowNo, std::size_t> count;
  for (const auto& [number, bridge] : bridges_) ++count[bridge->flow()];
  return count;
}

}  // namespace wormhole
