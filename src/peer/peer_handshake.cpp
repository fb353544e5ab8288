// End-to-end handshakes: inside the hop session, or for rekeys inside the live session.
#include <algorithm>
#include <utility>

#include "wormhole/peer/peer.hpp"
#include "wormhole/wire/handshake_payload.hpp"

namespace wormhole {
namespace {

/// The third INIT leaves 750 ms after the first, when any answer would have come.
constexpr unsigned kTriesOfAnAbsentPeer = 3;

}  // namespace

void Peer::send_init(TimePoint now, Outbox& out) {
  const auto index = slots_.free_index(index_base(), kIndexSpan);
  const auto init = initiation_.next_init(index, now, rng_);
  if (!init) return;
  // A live session needs no server; but it may be dead at the other end, so every second try takes
  // the hop.
  const bool live = has_session();
  carry(*init, live && initiation_.tries() % 2 == 1 ? Via::kSession : Via::kHop, now, out);
}

void Peer::carry(Bytes message, Via via, TimePoint now, Outbox& out) {
  if (via == Via::kHop) {
    hop_.send_handshake(number_, message, now, out);
    return;
  }
  ControlWriter items;
  items.add(HandshakeCarriage{ClientNo{0}, message});
  send_control(items, now, out);
}

void Peer::on_handshake(Bytes message, TimePoint now, Outbox& out) {
  if (message.size() == kInitSize) {
    on_init(message, Via::kHop, now, out);
  } else {
    on_resp(message, now, out);
  }
}

void Peer::on_init(Bytes message, Via via, TimePoint now, Outbox& out) {
  if (!check_mac1(message, mac1_key_)) {
    ++drops_.bad_handshake;
    return;
  }
  // Both began at once: the INIT of the lower key wins, so this one is dropped and the other end
  // answers ours. One that has gone unanswered is lost: the other end was away, and now is there.
  if (initiation_.tries() > 0 && initiation_.is_trying() &&
      context_.keys.public_key < binding_.key) {
    if (initiation_.tries() >= kTriesOfAnAbsentPeer) initiation_.start(now);
    return;
  }
  auto responder = Responder::read_init(context_.keys, handshake_context(false), message);
  // The server says whose message it carries; only the key proves it.
  if (!responder || responder->initiator_key() != binding_.key) {
    ++drops_.bad_handshake;
    return;
  }
  answer_init(*responder, via, now, out);
}

void Peer::answer_init(Responder& responder, Via via, TimePoint now, Outbox& out) {
  const auto payload = decode_init_payload(responder.payload());
  const bool replay =
      payload.boot_id == session_boot_ && payload.attempt <= session_attempt_ && has_session();
  const bool speaks =
      payload.lowest_version <= kProtocolVersion && kProtocolVersion <= payload.highest_version;
  if (replay || !speaks) {
    ++drops_.bad_handshake;
    return;
  }
  const auto index = slots_.free_index(index_base(), kIndexSpan);
  RespPayload answer;
  answer.boot_id = context_.boot_id;
  std::array<std::uint8_t, kRespSize> resp{};
  const auto keys = responder.write_resp(index, encode(answer), rng_, resp);
  if (!keys) {
    ++drops_.bad_handshake;
    return;
  }
  auto session = std::make_unique<PeerSession>(*keys, Role::kResponder, index,
                                               responder.initiator_index(), now);
  session->boot_id = payload.boot_id;
  session->attempt = payload.attempt;
  slots_.add_pending(std::move(session));
  carry(resp, via, now, out);
}

void Peer::on_resp(Bytes message, TimePoint now, Outbox& out) {
  const auto established = initiation_.on_resp(message, now);
  if (!established || is_refusal(established->payload.verdict)) {
    ++drops_.bad_handshake;
    return;
  }
  auto session =
      std::make_unique<PeerSession>(established->keys, Role::kInitiator, established->local_index,
                                    established->remote_index, now);
  if (session_boot_ != established->payload.boot_id) session_attempt_ = 0;
  session_boot_ = session->boot_id = established->payload.boot_id;
  slots_.install(std::move(session), now);
  session_ready(now, out);
}

}  // namespace wormhole
