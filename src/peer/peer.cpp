#include "wormhole/peer/peer.hpp"

#include <algorithm>
#include <utility>

#include "wormhole/peer/fragments.hpp"
#include "wormhole/wire/handshake_payload.hpp"

namespace wormhole {
namespace {

constexpr Duration kActiveFor = HopLink::kActiveFor;
constexpr Duration kLossWindow = 10s;

InitPayload init_payload(const PeerContext& context) {
  InitPayload payload;
  payload.boot_id = context.boot_id;
  payload.id_hash = id_hash(context.id);
  payload.attempt = context.attempts;
  return payload;
}

}  // namespace

Peer::Peer(const PeerContext& context, std::uint16_t slot, const KeyBinding& binding, HopLink& hop,
           WaitingBudget& budget, Rng& rng)
    : context_(context),
      hop_(hop),
      rng_(rng),
      slot_(slot),
      binding_(binding),
      mac1_key_(mac1_key(context.keys.public_key, context.knock)),
      initiation_(context_.keys, binding_.key, handshake_context(true), init_payload(context)),
      waiting_(budget),
      streams_(rng),
      paths_(rng),
      direct_mtu_(rng),
      relay_mtu_(rng),
      fragmented_(rng.number<std::uint32_t>()) {
  streams_.set_role(context.id < binding.id ? StreamRole::kCaller : StreamRole::kListener);
}

HandshakeContext Peer::handshake_context(bool we_initiate) const {
  const auto& initiator = we_initiate ? context_.id : binding_.id;
  const auto& responder = we_initiate ? binding_.id : context_.id;
  return {e2e_prologue(context_.network, initiator, responder), context_.knock, SecretKey{}};
}

std::uint32_t Peer::index_base() const {
  return make_index(hop_.number(), static_cast<std::uint16_t>(slot_ * kIndexSpan));
}

void Peer::set_presence(ClientNo number, std::uint64_t boot_id, bool initiate, TimePoint now) {
  number_ = number;
  boot_id_ = boot_id;
  stirred_ = true;
  // A direct path outlives the server's word: after a restart it may not know yet who is there.
  if (!is_online()) return go_offline();
  if (boot_id_ == 0) return;
  const bool was_stale =
      std::exchange(stale_, slots_.current() != nullptr && session_boot_ != boot_id);
  if (stale_ && !was_stale) new_process(now);
  if (has_session()) return;
  initiation_.start(initiate ? now : now + kInitiateAnyway);
}

void Peer::go_offline() {
  initiation_.stop();
  waiting_.clear();
  next_ping_ = kNever;
}

SendOutcome Peer::send(const FlowRef& flow, MutBytes text, TimePoint now, Outbox& out) {
  if (!is_online()) return SendOutcome::kOffline;
  note_activity(now);
  auto* session = slots_.current();
  if (!has_session()) {
    waiting_.add(flow, text, now);
    return SendOutcome::kQueued;
  }
  ++sent_.datagrams;
  const auto way = way_of(flow, now);
  if (text.size() > text_room(way)) return send_fragments(flow, way, text, now, out);
  return dispatch(session->keys(flow.slot, flow.name), flow, way, text, kNoFlags, now, out);
}

SendOutcome Peer::send_fragments(const FlowRef& flow, Way way, Bytes text, TimePoint now,
                                 Outbox& out) {
  ++sent_.fragmented;
  auto& keys = slots_.current()->keys(flow.slot, flow.name);
  auto outcome = SendOutcome::kOverload;
  send_in_fragments(text, text_room(way), ++fragmented_, out, [&](MutBytes room) {
    outcome = dispatch(keys, flow, way, room, kFlagFragment, now, out);
    return outcome == SendOutcome::kSent;
  });
  return outcome;
}

void Peer::note_activity(TimePoint now) {
  last_activity_ = now;
  paths_.on_traffic(now);
  if (next_ping_ == kNever && has_session()) next_ping_ = now;
}

bool Peer::is_active(TimePoint now) const {
  // What a stream has under way is waited for however long that takes.
  if (streams_.awaits_answer()) return true;
  return last_activity_ != TimePoint::min() && now - last_activity_ < kActiveFor;
}

void Peer::send_ping(TimePoint now, Outbox& out) {
  const auto* session = slots_.current();
  const bool unconfirmed = session != nullptr && !session->is_confirmed();
  if (session == nullptr || !is_online() || (!unconfirmed && !is_active(now))) {
    next_ping_ = kNever;
    unanswered_since_.reset();
    return;
  }
  if (!unanswered_since_) unanswered_since_ = now;
  next_ping_ = now + (unconfirmed ? kConfirmPing : kPing);
  ControlWriter items;
  items.add(Ping{static_cast<std::uint64_t>(now.time_since_epoch().count())});
  send_control(items, now, out);
}

void Peer::on_timeout(TimePoint now, Outbox& out) {
  if (slots_.expire(now) && is_online()) initiation_.start(now);
  const auto* session = slots_.current();
  const bool trying = initiation_.is_trying();
  if (session != nullptr && is_online() && !trying && session->wants_rekey(now)) {
    initiation_.start(now);
  }
  if (now >= next_ping_) {
    measure_loss(now);
    send_ping(now, out);
  }
  // Without a server, silence says nothing about the peer.
  if (unanswered_since_ && !hop_.is_connected()) unanswered_since_ = now;
  if (unanswered_since_ && now - *unanswered_since_ >= kDeadSession) {
    unanswered_since_ = now;
    initiation_.start(now);
  }
  if (initiation_.next_deadline() <= now) send_init(now, out);
  paths_.on_timeout(now, path_actions_);
  run_path_actions(now, out);
  serve_mtu(now, out);
  if (!streams_can_run() || (!streams_due_ && streams_.next_deadline() > now)) return;
  streams_.on_timeout(now);
  stirred_ = true;
}

TimePoint Peer::next_deadline() const {
  auto due = std::min({initiation_.next_deadline(), next_ping_, paths_.next_deadline(),
                       direct_mtu_.next_deadline(), relay_mtu_.next_deadline()});
  const auto* session = slots_.current();
  if (session != nullptr && is_online() && !initiation_.is_trying()) {
    due = std::min(due, session->rekey_time());
  }
  if (!streams_can_run() || streams_held_) return due;
  return streams_due_ ? TimePoint::min() : std::min(due, streams_.next_deadline());
}

void Peer::measure_loss(TimePoint now) {
  const auto* session = slots_.current();
  if (session == nullptr) return;
  if (session->born() != loss_session_born_) {
    loss_session_born_ = session->born();
    loss_from_ = now;
    loss_base_ = session->seen_and_received();
  }
  if (now - loss_from_ < kLossWindow) return;
  const auto [seen, received] = session->seen_and_received();
  const auto expected = seen - loss_base_.first;
  const auto arrived = std::min(received - loss_base_.second, expected);
  loss_ =
      expected == 0 ? 0 : static_cast<double>(expected - arrived) / static_cast<double>(expected);
  loss_base_ = {seen, received};
  loss_from_ = now;
}

void Peer::session_ready(TimePoint now, Outbox& out) {
  stale_ = false;
  news_ = stirred_ = true;
  if (streams_boot_ != session_boot_) streams_.restart(now);
  streams_boot_ = session_boot_;
  session_since_ = now;
  unanswered_since_.reset();
  next_ping_ = now;
  send_ping(now, out);
  flush_queue(now, out);
  paths_.on_session(now, path_actions_);
  run_path_actions(now, out);
}

void Peer::flush_queue(TimePoint now, Outbox& out) {
  for (const auto& item : waiting_.take(now)) {
    // An empty datagram is a datagram too; reserve() wants at least a byte.
    const auto room = out.reserve(std::max<std::size_t>(item.bytes.size(), 1));
    if (room.empty()) return;
    copy_bytes(item.bytes, room);
    send(item.flow, room.first(item.bytes.size()), now, out);
  }
}

std::optional<MutBytes> Peer::on_frame(const FrameHeader& header, const FlowRef& flow,
                                       MutBytes frame, const PathAddress* path, TimePoint now,
                                       Outbox& out) {
  auto* session = slots_.find(header.index);
  if (session == nullptr) {
    ++drops_.unknown_session;
    return std::nullopt;
  }
  auto& keys = session->keys(flow.slot, flow.name);
  const auto opened = session->open(keys, header, frame, now);
  if (opened.failure) {
    switch (*opened.failure) {
      case Unopened::kReplayed:
        ++drops_.replayed;
        if (is_path_frame(header, path)) on_copy(header, keys, frame, *path, now, out);
        break;
      case Unopened::kForged:
        ++drops_.forged;
        break;
      case Unopened::kExpired:
        ++drops_.expired;
    }
    return std::nullopt;
  }
  unanswered_since_.reset();
  note_heard(now);
  if (slots_.confirm(session, now)) {
    session_boot_ = session->boot_id;
    session_attempt_ = session->attempt;
    initiation_.stop();
    session_ready(now, out);
  }
  if (is_path_frame(header, path)) note_path(header, keys, *path, now, out);
  if (flow.slot == kControlSlot) {
    on_control(opened.text, path, now, out);
    return std::nullopt;
  }
  note_activity(now);
  note_arrival(path != nullptr ? Way::kDirect : Way::kRelay, frame_mark(frame), frame.size(), now,
               out);
  if (flow.slot != kStreamSlot) return opened.text;
  // A session of the process before this one still receives for a while.
  if (session->boot_id == streams_boot_) streams_.on_packet(opened.text, now);
  return std::nullopt;
}

void Peer::on_control(Bytes text, const PathAddress* path, TimePoint now, Outbox& out) {
  if (!well_formed_control(text)) {
    ++drops_.malformed;
    return;
  }
  ControlWriter reply;
  ControlReader reader(text);
  while (const auto item = reader.next()) {
    if (const auto* ping = std::get_if<Ping>(&*item)) {
      reply.add(Pong{ping->token});
    } else if (const auto* pong = std::get_if<Pong>(&*item)) {
      const TimePoint sent{Duration{static_cast<std::int64_t>(pong->token)}};
      // In this order: the token is the peer's word, and a difference to it could overflow.
      if (sent <= now && sent > now - kDeadSession) {
        // RFC 6298 2.3: a new sample weighs 1/8.
        rtt_ = rtt_ ? *rtt_ + (now - sent - *rtt_) / 8 : now - sent;
        if (path == nullptr) relay_rtt_ = rtt_;
      }
    } else if (const auto* handshake = std::get_if<HandshakeCarriage>(&*item)) {
      if (handshake->message.size() == kInitSize) {
        on_init(handshake->message, Via::kSession, now, out);
      } else {
        on_resp(handshake->message, now, out);
      }
    } else {
      on_path_item(*item, path, reply, now, out);
    }
  }
  if (reply.empty()) return;
  // The answer goes the way of the question: that is what challenges ask.
  if (path != nullptr && paths_.knows(*path)) return send_by_path(reply, *path, now, out);
  send_by_relay(reply, now, out);
}

}  // namespace wormhole
