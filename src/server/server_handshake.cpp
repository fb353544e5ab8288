// INITs: who may have a hop session.
#include <algorithm>
#include <utility>

#include "server/server_core.hpp"

namespace wormhole {
namespace {

/// Session indices of one client: its number in the high half and 1 … 255 in the low.
constexpr std::uint32_t kIndexSpan = 255;
/// Of one enrolment: high half zero, 16 each in the low. Enough for 4 pending, current and
/// previous.
constexpr std::uint32_t kEnrolIndexSpan = 16;

}  // namespace

bool Server::Core::must_prove_address(TimePoint now) {
  if (now - init_window >= 1s) {
    init_window = now;
    inits_in_window = 0;
  }
  return ++inits_in_window > kFreeInits;
}

ClientRecord* Server::Core::find_by_id_hash(const Mac& hash) {
  const auto at = by_id_hash.find(hash);
  return at == by_id_hash.end() ? nullptr : at->second;
}

bool Server::Core::is_replay(const ClientRecord& client, const InitPayload& payload) const {
  return client.association && client.association->boot_id == payload.boot_id &&
         payload.attempt <= client.association->attempt;
}

bool Server::Core::is_superseded(const ClientRecord& client, std::uint64_t boot_id) const {
  const auto& gone = client.superseded;
  return std::find(gone.begin(), gone.end(), boot_id) != gone.end();
}

Server::Core::Admission Server::Core::admit(const PublicKey& key, const InitPayload& payload) {
  if (payload.lowest_version > kProtocolVersion || payload.highest_version < kProtocolVersion) {
    return {Verdict::kNoCommonVersion};
  }
  if (payload.invite_hash != Mac{}) return {Verdict::kAccepted, nullptr, true};
  const auto known = by_key.find(key);
  if (known == by_key.end() || id_hash(known->second->id) != payload.id_hash) {
    const bool known_id = find_by_id_hash(payload.id_hash) != nullptr;
    return {known_id ? Verdict::kWrongKey : Verdict::kUnknownId};
  }
  auto* client = known->second;
  if (is_superseded(*client, payload.boot_id)) return {Verdict::kSuperseded};
  const bool same = client->association && client->association->boot_id == payload.boot_id;
  return {same ? Verdict::kResumed : Verdict::kAccepted, client};
}

Enrolment& Server::Core::enrolment_for(const PublicKey& key, TimePoint now, std::uint32_t& base) {
  std::size_t slot = enrolments.size();
  for (std::size_t i = 0; i < enrolments.size(); ++i) {
    if (!enrolments[i]) {
      slot = std::min(slot, i);
    } else if (enrolments[i]->key == key) {
      slot = i;
      break;
    }
  }
  if (slot == kMaxEnrolments) {
    const auto oldest =
        std::min_element(enrolments.begin(), enrolments.end(),
                         [](const auto& a, const auto& b) { return a->since < b->since; });
    slot = static_cast<std::size_t>(oldest - enrolments.begin());
    oldest->reset();
  }
  if (slot == enrolments.size()) enrolments.emplace_back();
  if (!enrolments[slot]) {
    enrolments[slot] = std::make_unique<Enrolment>();
    enrolments[slot]->key = key;
    enrolments[slot]->since = now;
  }
  base = make_index(ClientNo{0}, static_cast<std::uint16_t>(slot * kEnrolIndexSpan));
  return *enrolments[slot];
}

void Server::Core::on_init(SocketNo socket, const NetDatagram& datagram, TimePoint now,
                           ServerOutbox& out) {
  if (datagram.bytes.size() != kInitSize || !check_mac1(datagram.bytes, mac1)) {
    ++counters.bad_mac1;
    return;
  }
  if (must_prove_address(now) && !cookies.check_mac2(datagram.bytes, datagram.from, now)) {
    const auto cookie = out.reserve(kCookieSize);
    if (cookie.empty()) return;
    cookies.write_cookie(datagram.bytes, datagram.from, now, cookie);
    out.net(socket, datagram.from, cookie);
    ++counters.cookies_sent;
    return;
  }
  auto responder = Responder::read_init(
      config.keys, {hop_prologue(config.network.network), config.network.knock, SecretKey{}},
      datagram.bytes);
  if (!responder) {
    ++counters.bad_handshake;
    return;
  }
  const auto payload = decode_init_payload(responder->payload());
  const auto admission = admit(responder->initiator_key(), payload);
  if (admission.client != nullptr && is_replay(*admission.client, payload)) {
    ++counters.replayed_init;
    return;
  }
  std::uint32_t index = 0;
  SessionSlots<HopSession>* slots = nullptr;
  RespPayload answer;
  answer.verdict = admission.verdict;
  answer.boot_id = config.boot_id;
  answer.probe_port = config.probe_port;
  if (admission.enrolling) {
    slots = &enrolment_for(responder->initiator_key(), now, index).sessions;
    index = slots->free_index(index, kEnrolIndexSpan);
  } else if (admission.client != nullptr) {
    slots = &admission.client->sessions;
    answer.client = admission.client->number;
    index = slots->free_index(make_index(answer.client, 1), kIndexSpan);
  }
  const auto resp = out.reserve(kRespSize);
  if (resp.empty()) return;
  const auto keys = responder->write_resp(index, encode(answer), rng, resp);
  if (!keys) {
    ++counters.bad_handshake;
    return;
  }
  out.net(socket, datagram.from, resp);
  if (slots == nullptr) {  // a refusal leaves no state
    ++counters.refused;
    return;
  }
  auto session = std::make_unique<HopSession>(*keys, index, responder->initiator_index(), now);
  session->source = {socket, datagram.from};
  session->boot_id = payload.boot_id;
  session->attempt = payload.attempt;
  slots->add_pending(std::move(session));
}

}  // namespace wormhole
