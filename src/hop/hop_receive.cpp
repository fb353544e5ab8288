// What comes from the server: answers to our INITs, and frames of the hop session.
#include <utility>

#include "wormhole/hop/hop_link.hpp"

namespace wormhole {
namespace {

constexpr int kRttWeight = 8;  // of a new sample (RFC 6298 2.3: 1/8)

Duration smoothed(const std::optional<Duration>& before, Duration sample) {
  return before ? *before + (sample - *before) / kRttWeight : sample;
}

}  // namespace

void HopLink::on_datagram(SocketNo socket, const NetDatagram& datagram, TimePoint now, Outbox& out,
                          std::vector<HopEvent>& events) {
  if (closed_) return;
  if (is_probe(datagram.bytes)) return on_probe_frame(socket, datagram, now, events);
  const auto type = frame_type(datagram.bytes);
  if (!type) {
    ++drops_.malformed;
    return;
  }
  switch (*type) {
    case FrameType::kResp:
      return on_resp(datagram, now, out, events);
    case FrameType::kCookie:
      if (const auto again = initiation_.on_cookie(datagram.bytes)) {
        const auto bytes = out.reserve(again->size());
        if (bytes.empty()) return;
        copy_bytes(*again, bytes);
        out.net(socket_for(datagram.from), datagram.from, bytes);
        return;
      }
      ++drops_.bad_handshake;
      return;
    case FrameType::kDirect:
      return on_frame(datagram, now, out, events);
    case FrameType::kInit:
    case FrameType::kRelayed:
    case FrameType::kGroupUp:
    case FrameType::kGroupDown:
    case FrameType::kOpener:
      ++drops_.malformed;
  }
}

void HopLink::on_resp(const NetDatagram& datagram, TimePoint now, Outbox& out,
                      std::vector<HopEvent>& events) {
  // Only where we asked: an authentic RESP that was redirected must not move the link.
  auto established = is_server_port(datagram.from) ? initiation_.on_resp(datagram.bytes, now)
                                                   : std::optional<Initiation::Established>{};
  if (!established) {
    ++drops_.bad_handshake;
    return;
  }
  const auto& payload = established->payload;
  if (payload.verdict == Verdict::kServerFull) {
    out.log(LogLevel::kWarning, "server " + datagram.from.to_string() + " is full; trying again");
    initiation_.start(now + kInitRetryMost);
    return;
  }
  if (is_refusal(payload.verdict)) {
    events.emplace_back(HopRefused{payload.verdict});
    return;
  }
  const bool was_connected = is_connected();
  const bool same_server = server_boot_ == payload.boot_id;
  const bool restarted = payload.verdict == Verdict::kAccepted || !same_server;
  if (restarted) {
    stream_.reset();
    slots_.clear();
    ports_.clear();
  }
  ports_.set_server(datagram.from);
  server_boot_ = payload.boot_id;
  number_ = payload.client;
  probe_port_ = payload.probe_port;
  const bool news = !was_connected || restarted;
  rtt_ = smoothed(rtt_, established->rtt);
  slots_.install(std::make_unique<ServerSession>(established->keys, established->local_index,
                                                 established->remote_index, now, datagram.from),
                 now);
  suspect_ = false;
  note_answer(now);
  if (news) {
    said_unreachable_ = false;
    out.log(LogLevel::kInfo, "connected to server " + datagram.from.to_string());
  }
  send_ping(now, out);  // confirms the keys
  events.emplace_back(HopConnected{restarted});
}

void HopLink::on_frame(const NetDatagram& datagram, TimePoint now, Outbox& out,
                       std::vector<HopEvent>& events) {
  const auto header = read_header(datagram.bytes);
  if (!header || header->flow.value != 0 || header->flags != kNoFlags) {
    ++drops_.malformed;
    return;
  }
  const auto text = open(*header, datagram, now);
  if (!text) return;
  if (ports_.knows(datagram.from)) return on_port_frame(datagram.from, *text, now, out, events);
  note_answer(now);
  if (suspect_) {
    suspect_ = false;
    said_unreachable_ = false;
    initiation_.stop();
    out.log(LogLevel::kInfo, "server " + datagram.from.to_string() + " answers again");
  }
  ControlWriter reply;
  ControlReader reader(*text);
  while (const auto item = reader.next()) on_control(*item, reply, now, events);
  drain_messages(out, now, events);
  if (const auto ack = stream_.take_ack()) reply.add(*ack);
  send_control(reply, now, out);
  flush_stream(now, out);
}

std::optional<Bytes> HopLink::open(const FrameHeader& header, const NetDatagram& datagram,
                                   TimePoint now) {
  auto* session = slots_.find(header.index);
  if (session == nullptr) {
    ++drops_.unknown_session;
    return std::nullopt;
  }
  const auto opened = session->open(session->keys(kControlSlot, ""), header, datagram.bytes, now);
  if (opened.failure) {
    ++(*opened.failure == Unopened::kReplayed ? drops_.replayed : drops_.forged);
    return std::nullopt;
  }
  if (!well_formed_control(opened.text)) {
    ++drops_.malformed;
    return std::nullopt;
  }
  return Bytes(opened.text);
}

/// From any of the server's addresses: says nothing of the link, which lives by one of them.
void HopLink::on_probe_frame(SocketNo socket, const NetDatagram& datagram, TimePoint now,
                             std::vector<HopEvent>& events) {
  const auto header = read_header(datagram.bytes);
  if (!header || header->flow.value != 0) {
    ++drops_.malformed;
    return;
  }
  const auto text = open(*header, datagram, now);
  if (!text) return;
  ControlReader reader(*text);
  while (const auto item = reader.next()) {
    const auto* answer = std::get_if<ProbeAnswer>(&*item);
    if (answer != nullptr) events.emplace_back(HopProbeAnswered{socket, *answer, datagram.from});
  }
}

/// Of a relay port: says nothing of the link itself, which lives by the shared port.
void HopLink::on_port_frame(const Endpoint& from, Bytes text, TimePoint now, Outbox& out,
                            std::vector<HopEvent>& events) {
  ControlWriter reply;
  ControlReader reader(text);
  while (const auto item = reader.next()) {
    if (const auto* ping = std::get_if<Ping>(&*item)) {
      reply.add(Pong{ping->token});
    } else if (const auto* pong = std::get_if<Pong>(&*item)) {
      const TimePoint sent{Duration{static_cast<std::int64_t>(pong->token)}};
      ports_.on_pong(from.port, sent, now, port_changes_);
    }
  }
  for (const auto& change : port_changes_) events.emplace_back(change);
  port_changes_.clear();
  if (auto* session = relaying_session()) send_control(*session, from, reply, now, out);
}

void HopLink::on_control(const ControlItem& item, ControlWriter& reply, TimePoint now,
                         std::vector<HopEvent>& events) {
  if (const auto* ping = std::get_if<Ping>(&item)) {
    reply.add(Pong{ping->token});
  } else if (const auto* pong = std::get_if<Pong>(&item)) {
    const TimePoint sent{Duration{static_cast<std::int64_t>(pong->token)}};
    if (sent <= now && sent >= last_ping_ - 10s) rtt_ = smoothed(rtt_, now - sent);
  } else if (const auto* observed = std::get_if<Observed>(&item)) {
    observed_ = observed->endpoint;
  } else if (const auto* segment = std::get_if<StreamSegment>(&item)) {
    stream_.on_segment(*segment);
  } else if (const auto* ack = std::get_if<StreamAck>(&item)) {
    stream_.on_ack(*ack, now);
  } else if (const auto* handshake = std::get_if<HandshakeCarriage>(&item)) {
    events.emplace_back(HopHandshake{handshake->other, handshake->message});
  } else if (const auto* close = std::get_if<Close>(&item)) {
    events.emplace_back(HopClosed{close->reason});
  } else if (const auto* restarting = std::get_if<Restarting>(&item)) {
    const auto spread = static_cast<std::uint32_t>(restarting->spread_ms) + 1U;
    quiet_until_ = now + std::chrono::milliseconds(restarting->reconnect_ms) +
                   std::chrono::milliseconds(rng_.below(spread));
    initiation_.start(quiet_until_);
  }
}

void HopLink::drain_messages(Outbox& out, TimePoint now, std::vector<HopEvent>& events) {
  for (;;) {
    auto decoded = stream_.next_message();
    switch (decoded.state) {
      case DecodedMessage::State::kIncomplete:
        return;
      case DecodedMessage::State::kSkipped:
        break;
      case DecodedMessage::State::kMessage:
        events.emplace_back(std::move(*decoded.message));
        break;
      case DecodedMessage::State::kBroken:
        ++drops_.malformed;
        out.log(LogLevel::kError,
                "server " + server().to_string() +
                    " sends control messages that this version can't read; connecting anew");
        // The server forgets our process with it, so that both streams begin anew.
        close_session(now, out);
        stream_.reset();
        server_boot_.reset();
        slots_.clear();
        ports_.clear();
        initiation_.start(now + kInitRetryMost);
        return;
    }
  }
}

}  // namespace wormhole
