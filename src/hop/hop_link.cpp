#include "wormhole/hop/hop_link.hpp"

#include <algorithm>
#include <utility>

namespace wormhole {
namespace {

/// Our session indices on the hop: the high half 0 tells them from peers' (docs/protocol.md,
/// section 3).
constexpr std::uint32_t kIndexBase = 1;
constexpr std::uint32_t kIndexSpan = 256;

InitPayload init_payload(const HopConfig& config) {
  InitPayload payload;
  payload.boot_id = config.boot_id;
  payload.id_hash = id_hash(config.id);
  payload.invite_hash = config.invite_hash;
  return payload;
}

}  // namespace

HopLink::HopLink(HopConfig config, Rng& rng)
    : config_(std::move(config)),
      rng_(rng),
      initiation_(config_.keys, config_.server_key,
                  HandshakeContext{hop_prologue(config_.network), config_.knock, SecretKey{}},
                  init_payload(config_)) {}

void HopLink::set_servers(std::vector<Endpoint> servers, TimePoint now, Outbox& out) {
  if (servers.size() > kMaxServers) servers.resize(kMaxServers);
  if (servers.empty() || closed_) return;
  servers_ = std::move(servers);
  target_ = 0;
  if (slots_.current() == nullptr) {
    initiation_.start(now);
    send_init(now, out);
  }
  if (next_resolve_ == kNever) next_resolve_ = now + kResolveAgain;
}

void HopLink::send_init(TimePoint now, Outbox& out) {
  const auto init = initiation_.next_init(slots_.free_index(kIndexBase, kIndexSpan), now, rng_);
  if (!init) return;
  tried_ = servers_[target_++ % servers_.size()];
  const auto bytes = out.reserve(init->size());
  if (bytes.empty()) return;
  copy_bytes(*init, bytes);
  out.net(socket_for(tried_), tried_, bytes);
}

void HopLink::on_timeout(TimePoint now, Outbox& out, std::vector<HopEvent>& events) {
  if (closed_ || servers_.empty()) return;
  auto* session = slots_.current();
  if (slots_.expire(now)) {  // a long outage, or a suspend
    session = nullptr;
    initiation_.start(now);
  }
  if (session != nullptr && session->wants_rekey(now) && !initiation_.is_trying()) {
    target_ = static_cast<std::size_t>(
        std::find(servers_.begin(), servers_.end(), session->server) - servers_.begin());
    initiation_.start(now);
  }
  if (now >= suspect_time()) become_suspect(now, out);
  if (now >= next_ping_) send_ping(now, out);
  ping_ports(now, out, events);
  if (initiation_.next_deadline() <= now) {
    if (session == nullptr && initiation_.tries() >= kSilentTries) say_unreachable(out);
    send_init(now, out);
  }
  if (stream_.next_deadline() <= now) flush_stream(now, out);
  if (now >= next_resolve_) {
    next_resolve_ = now + kResolveAgain;
    if (!is_connected()) events.emplace_back(HopWantsResolve{});
  }
}

TimePoint HopLink::next_deadline() const {
  if (closed_ || servers_.empty()) return kNever;
  auto due = std::min({initiation_.next_deadline(), next_ping_, next_resolve_});
  const auto* session = slots_.current();
  if (session == nullptr) return due;
  if (!initiation_.is_trying()) due = std::min(due, session->rekey_time());
  due = std::min({due, suspect_time(), ports_.next_deadline()});
  return std::min(due, stream_.next_deadline());
}

void HopLink::become_suspect(TimePoint now, Outbox& out) {
  if (suspect_) return;
  suspect_ = true;
  // The next address first: the one in use is the one that is silent.
  if (const auto* session = slots_.current()) {
    const auto at = std::find(servers_.begin(), servers_.end(), session->server);
    target_ = static_cast<std::size_t>(at - servers_.begin()) + 1;
  }
  initiation_.start(now);
  say_unreachable(out);
}

void HopLink::say_unreachable(Outbox& out) {
  if (said_unreachable_) return;
  said_unreachable_ = true;
  out.log(LogLevel::kWarning, std::string(kWhySilent) + " (last tried " + server().to_string() +
                                  ", of " + std::to_string(servers_.size()) +
                                  " address(es)); trying on");
}

TimePoint HopLink::suspect_time() const {
  if (!unanswered_since_ || suspect_) return kNever;
  return std::max(*unanswered_since_ + suspect_after(), quiet_until_);
}

bool HopLink::answer_is_missing(TimePoint now) const {
  return unanswered_since_ && now - *unanswered_since_ >= rtt_.value_or(kMissingPing) * 3 / 2;
}

Duration HopLink::suspect_after() const {
  return std::clamp<Duration>(rtt_.value_or(0s) * 3, kSuspectAfter, kSuspectMost);
}

Duration HopLink::ping_interval(TimePoint now) const {
  const bool active = last_traffic_ != TimePoint::min() && now - last_traffic_ < kActiveFor;
  if (answer_is_missing(now)) return kMissingPing;
  return active || unanswered_since_ ? kActivePing : kIdlePing;
}

void HopLink::note_traffic(TimePoint now) {
  last_traffic_ = now;
  if (next_ping_ != kNever) next_ping_ = std::min(next_ping_, last_ping_ + kActivePing);
}

void HopLink::send_ping(TimePoint now, Outbox& out) {
  if (slots_.current() == nullptr) {
    next_ping_ = kNever;
    return;
  }
  if (!unanswered_since_) unanswered_since_ = now;
  last_ping_ = now;
  next_ping_ = now + ping_interval(now);
  ControlWriter items;
  // The token is our time: the answer needs no memory here.
  items.add(Ping{static_cast<std::uint64_t>(now.time_since_epoch().count())});
  send_control(items, now, out);
}

void HopLink::send_control(const ControlWriter& items, TimePoint now, Outbox& out) {
  auto* session = slots_.current();
  if (session != nullptr) send_control(*session, session->server, items, now, out);
}

void HopLink::send_control(ServerSession& session, const Endpoint& to, const ControlWriter& items,
                           TimePoint now, Outbox& out) {
  if (items.empty()) return;
  const auto text = out.reserve(items.bytes().size());
  if (text.empty()) return;
  copy_bytes(items.bytes(), text);
  const auto frame =
      session.seal(session.keys(kControlSlot, ""), FrameType::kDirect, FlowNo{0}, text, now);
  if (!frame.empty()) out.net(socket_for(to), to, frame);
}

void HopLink::send_probe(SocketNo socket, const Endpoint& to, const Probe& probe, TimePoint now,
                         Outbox& out) {
  auto* session = relaying_session();
  if (session == nullptr) return;
  ControlWriter items;
  items.add(probe);
  const auto text = out.reserve(items.bytes().size());
  if (text.empty()) return;
  copy_bytes(items.bytes(), text);
  const auto frame = session->seal(session->keys(kControlSlot, ""), FrameType::kDirect, FlowNo{0},
                                   text, now, kFlagProbe);
  if (!frame.empty()) out.net(socket, to, frame);
}

void HopLink::set_relay_port(FlowNo flow, std::uint16_t port, TimePoint now) {
  ports_.put(flow, port, now);
}

void HopLink::ping_ports(TimePoint now, Outbox& out, std::vector<HopEvent>& events) {
  auto* session = relaying_session();
  if (session == nullptr) return;
  ControlWriter items;
  items.add(Ping{static_cast<std::uint64_t>(now.time_since_epoch().count())});
  ports_.on_timeout(
      now, rtt_, [&](const Endpoint& to) { send_control(*session, to, items, now, out); },
      port_changes_);
  for (const auto& change : port_changes_) events.emplace_back(change);
  port_changes_.clear();
}

void HopLink::flush_stream(TimePoint now, Outbox& out) {
  if (slots_.current() == nullptr) return;
  while (const auto segment = stream_.next_segment(now)) {
    ControlWriter items;
    items.add(*segment);
    send_control(items, now, out);
  }
}

void HopLink::send_message(const StreamMessage& message, TimePoint now, Outbox& out) {
  // Our own messages are few and small: the buffer can't fill while the link lives.
  if (stream_.push(encode(message))) flush_stream(now, out);
}

void HopLink::send_handshake(ClientNo peer, Bytes message, TimePoint now, Outbox& out) {
  ControlWriter items;
  items.add(HandshakeCarriage{peer, message});
  send_control(items, now, out);
}

HopLink::ServerSession* HopLink::relaying_session() {
  auto* session = slots_.current();
  if (session == nullptr) return nullptr;
  // Until the server has confirmed the new keys it may only know the old ones.
  auto* before = slots_.previous();
  const bool too_new =
      !session->is_confirmed() && before != nullptr && before->server == session->server;
  return too_new ? before : session;
}

bool HopLink::relay(MutBytes frame, Outbox& out) {
  const auto* session = relaying_session();
  if (session == nullptr) return false;
  const auto tag = hop_tag(session->relay_key, frame.first(kHeaderSize));
  copy_bytes(tag, {frame.data() + frame.size(), tag.size()});
  auto to = session->server;
  if (const auto port = ports_.in_use(frame_flow(frame))) to.port = port;
  out.net(socket_for(to), to, {frame.data(), frame.size() + tag.size()});
  return true;
}

void HopLink::close_session(TimePoint now, Outbox& out) {
  ControlWriter items;
  items.add(Close{CloseReason::kShuttingDown});
  send_control(items, now, out);
}

void HopLink::close(TimePoint now, Outbox& out) {
  close_session(now, out);
  closed_ = true;
}

bool HopLink::may_be_server(const Endpoint& from) const {
  const auto* session = slots_.current();
  return (session != nullptr && session->server.address == from.address) ||
         std::any_of(servers_.begin(), servers_.end(),
                     [&](const Endpoint& server) { return server.address == from.address; });
}

bool HopLink::is_server_port(const Endpoint& from) const {
  const auto* session = slots_.current();
  return (session != nullptr && session->server == from) ||
         std::find(servers_.begin(), servers_.end(), from) != servers_.end();
}

Endpoint HopLink::server() const {
  return slots_.current() != nullptr ? slots_.current()->server : tried_;
}

void HopLink::note_answer(TimePoint now) {
  unanswered_since_.reset();
  next_ping_ = std::max(now, last_ping_ + ping_interval(now));
}

}  // namespace wormhole
