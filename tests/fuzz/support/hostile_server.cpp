#include "fuzz/support/hostile_server.hpp"

#include <utility>

namespace wormhole::fuzz {
namespace {

/// Its memory is large, so it is made once.
ClientOutbox& shared_outbox() {
  static ClientOutbox out;
  out.clear();
  return out;
}

constexpr std::uint8_t kBothWays = 3;

}  // namespace

HostileServer::HostileServer() : out_(shared_outbox()) {
  answer_.client = kDrone;
  answer_.boot_id = kServerBoot;
  client_.set_servers({kServerAt}, now_, out_);
  pump();
  WH_ASSERT(hop_ != nullptr);
  const auto say = [this](const StreamMessage& m) { hop_stream(encode(m)); };
  say(PeerPut{kGcs, 202, parties().gcs_binding});
  say(FlowPut{kMavlink, 17, 14550, 0, 0, {}, "mavlink", {{kGcs, kBothWays}}});
  say(FlowPut{kVideo, 17, 5600, 0, 0, {}, "video", {{kGcs, kBothWays}}});
  say(Sync{1});
  pause(1ms);
  WH_ASSERT(peer_ != nullptr);
}

void HostileServer::to_client(const Buffer& datagram) {
  auto copy = datagram;
  const NetDatagram received{kServerAt, copy};
  client_.on_net_datagrams(SocketNo{0}, {&received, 1}, now_, out_);
  pump();
}

void HostileServer::pump() {
  std::vector<Buffer> said;
  for (const auto& send : out_.net_sends()) {
    WH_ASSERT(send.to == kServerAt);  // no address that came over the wire is sent to
    said.push_back(send.copy());
  }
  const auto commands = std::exchange(out_.commands, {});
  out_.clear();
  for (const auto& command : commands) {
    if (const auto* open = std::get_if<OpenFlowPort>(&command)) {
      client_.on_flow_port(open->port, "", now_, out_);
    }
  }
  for (const auto& datagram : said) on_datagram(datagram);
}

void HostileServer::on_datagram(Bytes datagram) {
  const auto type = frame_type(datagram);
  if (type == FrameType::kInit) return on_init(datagram);
  if (type != FrameType::kDirect || !hop_) return;
  if (const auto text = hop_->open_control(datagram, now_)) on_control(*text);
}

void HostileServer::on_init(Bytes init) {
  auto answered = answer_init(parties().server, hop_context(), init, answer_, now_, rng_);
  if (!answered) return;
  if (!is_refusal(answer_.verdict)) hop_ = std::move(answered->end);
  answer_.verdict = Verdict::kResumed;  // until told otherwise
  to_client(answered->resp);
}

void HostileServer::on_control(Bytes plaintext) {
  ControlReader reader(plaintext);
  while (const auto item = reader.next()) {
    if (const auto* ping = std::get_if<Ping>(&*item)) {
      to_client(hop_->control(Pong{ping->token}, now_));
    } else if (const auto* handshake = std::get_if<HandshakeCarriage>(&*item)) {
      on_peer_handshake(*handshake);
    }
  }
}

void HostileServer::on_peer_handshake(const HandshakeCarriage& item) {
  if (item.message.size() != kInitSize) return;
  auto answered = answer_init(parties().gcs, e2e_context("drone3", "gcs4"), item.message,
                              RespPayload{1, Verdict::kAccepted, {}, 0, 202}, now_, rng_);
  if (!answered) return;
  peer_ = std::move(answered->end);
  to_client(hop_->control(HandshakeCarriage{item.other, answered->resp}, now_));
}

void HostileServer::hop_control(Bytes plaintext) {
  to_client(hop_->control(FrameType::kDirect, plaintext, now_));
}
void HostileServer::hop_stream(Bytes bytes) { to_client(hop_->stream(bytes, now_)); }
void HostileServer::hop_message(std::uint8_t kind, Bytes body) {
  Buffer message{kind, 0, 0};
  store_le(&message[1], static_cast<std::uint16_t>(body.size()));
  message.insert(message.end(), body.begin(), body.end());
  hop_stream(message);
}
void HostileServer::peer_control(Bytes plaintext) {
  to_client(peer_->control(FrameType::kRelayed, plaintext, now_));
}
void HostileServer::peer_data(FlowNo flow, Bytes plaintext) {
  to_client(peer_->data(flow, flow == kMavlink ? "mavlink" : "video", plaintext, now_));
}
void HostileServer::raw(Bytes datagram) { to_client({datagram.begin(), datagram.end()}); }

void HostileServer::app_datagram(FlowNo flow, std::size_t size) {
  Buffer room(kHeadroom + size + kTailroom);
  const AppDatagram datagram{kAppAt, MutBytes(room).subspan(kHeadroom, size)};
  client_.on_app_datagrams({flow, ClientNo{}}, {&datagram, 1}, now_, out_);
  pump();
}

void HostileServer::pause(Duration duration) {
  now_ += duration;
  settle(client_, now_, out_);
  pump();
}

void HostileServer::answer_with(std::uint8_t verdict, std::uint64_t boot_id) {
  answer_.verdict = static_cast<Verdict>(verdict);
  answer_.boot_id = boot_id;
}

}  // namespace wormhole::fuzz
