#include "fuzz/support/hostile_clients.hpp"

#include <utility>

namespace wormhole::fuzz {
namespace {

/// Its memory is large, so it is made once.
ServerOutbox& shared_outbox() {
  static ServerOutbox out;
  out.clear();
  return out;
}

constexpr std::uint32_t kOurIndex = 0x0bad'0002;

}  // namespace

HostileClients::HostileClients()
    : out_(shared_outbox()),
      ends_{End{parties().drone, "drone3", kDroneAt}, End{parties().gcs, "gcs4", kGcsAt},
            End{parties().stranger, "drone9", kStrangerAt}} {
  for (std::size_t who = 0; who < ends_.size(); ++who) {
    InitPayload payload;
    payload.boot_id = 100 + who;
    payload.attempt = 1;
    payload.invite_hash[0] = who == kStrangerEnd;
    connect(who, payload);
    WH_ASSERT(ends_[who].session != nullptr);
  }
}

void HostileClients::connect(std::size_t who, InitPayload payload) {
  auto& end = ends_[who];
  payload.id_hash = id_hash(end.id);
  Initiator initiator(end.keys, parties().server.public_key, hop_context(), rng_);
  Buffer init(kInitSize);
  WH_ASSERT(initiator.write_init(kOurIndex, encode(payload), std::nullopt, init));
  end.last_resp.clear();
  say(who, init);
  const auto accepted = initiator.read_resp(end.last_resp);
  if (!accepted) return;
  const auto answer = decode_resp_payload(accepted->payload);
  if (!answer || is_refusal(answer->verdict)) return;
  end.session = std::make_unique<HostileEnd>(accepted->keys, Role::kInitiator, kOurIndex,
                                             accepted->peer_index, now_);
  ControlWriter items;
  items.add(Ping{1});
  control(who, items.bytes());
}

std::size_t HostileClients::say(std::size_t who, Bytes datagram) {
  Buffer copy(datagram.begin(), datagram.end());
  heard_.insert(ends_[who].at);
  const NetDatagram received{ends_[who].at, copy};
  server_.on_net_datagrams(SocketNo{0}, {&received, 1}, now_, out_);
  return pump();
}

std::size_t HostileClients::pump() {
  std::size_t relayed = 0;
  for (const auto& send : out_.net_sends()) {
    WH_ASSERT(heard_.contains(send.to) && !send.bytes.empty());
    const auto type = frame_type(send.bytes);
    relayed += type == FrameType::kRelayed;
    if (type != FrameType::kResp) continue;
    for (auto& end : ends_) {
      if (end.at == send.to) end.last_resp.assign(send.bytes.begin(), send.bytes.end());
    }
  }
  WH_ASSERT(out_.app_sends().empty());
  out_.clear();
  return relayed;
}

void HostileClients::control(std::size_t who, Bytes plaintext) {
  say(who, ends_[who].session->control(FrameType::kDirect, plaintext, now_));
}
void HostileClients::stream(std::size_t who, Bytes bytes) {
  say(who, ends_[who].session->stream(bytes, now_));
}
bool HostileClients::relay(std::size_t who, FlowNo flow, std::uint32_t index, Bytes sealed) {
  return say(who, ends_[who].session->relay_frame(flow, index, sealed)) > 0;
}
void HostileClients::raw(std::size_t who, Bytes datagram) { say(who, datagram); }

void HostileClients::move(std::size_t who, std::uint8_t where) {
  auto& end = ends_[who];
  end.at = where == 0 ? end.home : ends_[where % ends_.size()].home;
  if (where >= 128) end.at.port = where;
}

void HostileClients::pause(Duration duration) {
  now_ += duration;
  settle(server_, now_, out_);
  pump();
}

}  // namespace wormhole::fuzz
