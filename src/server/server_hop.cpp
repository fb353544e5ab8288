// Frames of hop sessions: keepalives, the control stream, carriage of peers' handshakes.
#include <algorithm>
#include <utility>

#include "server/server_core.hpp"

namespace wormhole {

void Server::Core::on_frame(SocketNo socket, const NetDatagram& datagram, TimePoint now,
                            ServerOutbox& out) {
  const auto header = read_header(datagram.bytes);
  if (!header || header->flow.value != 0 || header->flags != kNoFlags) {
    ++counters.malformed;
    return;
  }
  const auto number = client_of(header->index);
  if (number.value == 0) {
    // 16 indices each: see kEnrolIndexSpan.
    const std::size_t slot = header->index / 16;
    auto* session = slot < enrolments.size() && enrolments[slot]
                        ? enrolments[slot]->sessions.find(header->index)
                        : nullptr;
    if (session != nullptr) {
      return on_enrolment_frame(slot, *session, *header, socket, datagram, now, out);
    }
  } else if (auto* client = numbered(number)) {
    if (auto* session = client->sessions.find(header->index)) {
      return on_client_frame(*client, *session, *header, socket, datagram, now, out);
    }
  }
  ++counters.unknown_session;
}

std::optional<Bytes> Server::Core::open(HopSession& session, const FrameHeader& header,
                                        const NetDatagram& datagram, TimePoint now) {
  const auto opened = session.open(session.keys(kControlSlot, ""), header, datagram.bytes, now);
  if (opened.failure) {
    ++(*opened.failure == Unopened::kReplayed ? counters.replayed : counters.forged);
    return std::nullopt;
  }
  if (!well_formed_control(opened.text)) {
    ++counters.malformed;
    return std::nullopt;
  }
  return Bytes(opened.text);
}

void Server::Core::on_client_frame(ClientRecord& client, HopSession& session,
                                   const FrameHeader& header, SocketNo socket,
                                   const NetDatagram& datagram, TimePoint now, ServerOutbox& out) {
  const auto text = open(session, header, datagram, now);
  if (!text) return;
  if (client.sessions.confirm(&session, now)) on_confirmed(client, session, now, out);
  // Telling may cut the client off, and then `session` is gone.
  if (!client.association || client.association->boot_id != session.boot_id) return;
  if (note_source(client, session, header, {socket, datagram.from})) {
    tell_address_of(client, now, out);
    if (!client.association) return;
  }
  auto& association = *client.association;
  association.last_heard = now;
  if (!association.online) {  // it had been silent, and is back
    association.online = true;
    association.since = now;
    tell_differences(client, now, out);
    tell_peers_about(client, now, out);
    if (!client.association) return;
  }
  ControlWriter reply;
  ControlReader reader(*text);
  while (const auto item = reader.next()) {
    on_control(client, *item, reply, datagram.from, now, out);
    if (!client.is_online()) return;  // it said goodbye
  }
  if (const auto ack = association.stream.take_ack()) reply.add(*ack);
  // The answer goes by the session that the question came by: the client has its keys for certain.
  send_control(session, reply, now, out);
  flush(client, now, out);
}

bool Server::Core::note_source(ClientRecord& client, HopSession& session, const FrameHeader& header,
                               const Source& source) {
  if (header.counter <= session.newest) return false;  // late: says nothing about now
  session.newest = header.counter;
  // The table may name another client: a NAT gives an address to one after the other.
  const auto known = by_source.find(source);
  const bool ours = known != by_source.end() && known->second == &client;
  if (session.source == source && ours) return false;
  const bool moved = session.source != source;
  if (moved) doubt_ports(client);
  session.source = source;
  index_sources(client);
  return moved;
}

void Server::Core::index_sources(ClientRecord& client) {
  forget_sources(client);
  for (const auto* session : {client.sessions.previous(), client.sessions.current()}) {
    if (session == nullptr) continue;
    by_source[session->source] = &client;
    client.sources.push_back(session->source);
  }
  for (const auto& port : client.ports) {
    if (!port.is_bound() || !port.source.endpoint.is_set()) continue;
    by_source[port.source] = &client;
    client.sources.push_back(port.source);
  }
}

void Server::Core::forget_sources(ClientRecord& client) {
  for (const auto& source : client.sources) {
    const auto at = by_source.find(source);
    if (at != by_source.end() && at->second == &client) by_source.erase(at);
  }
  client.sources.clear();
}

void Server::Core::on_confirmed(ClientRecord& client, HopSession& session, TimePoint now,
                                ServerOutbox& out) {
  auto& association = client.association;
  if (association && association->boot_id == session.boot_id) {
    association->attempt = std::max(association->attempt, session.attempt);
    doubt_ports(client);
    index_sources(client);
    tell_ports_again(client, now, out);
    tell_address_of(client, now, out);
    return;
  }
  if (association) {
    client.superseded.push_back(association->boot_id);
    if (client.superseded.size() > kMaxSuperseded) client.superseded.pop_front();
    if (auto* old = client.sessions.previous()) {
      ControlWriter items;
      items.add(Close{CloseReason::kReplaced});
      send_control(*old, items, now, out);
      out.log(LogLevel::kWarning, "client " + client.id + ": a newer process at " +
                                      session.source.endpoint.to_string() +
                                      " takes over; the older one is told to end");
    }
  }
  // Also those not yet confirmed: else a renewal begun before the takeover would undo it.
  client.sessions.drop_beside_current(
      [&](const HopSession& other) { return is_superseded(client, other.boot_id); });
  drop_ports(client);
  association.emplace();
  association->boot_id = session.boot_id;
  association->attempt = session.attempt;
  association->online = true;
  association->since = now;
  association->last_heard = now;
  index_sources(client);
  out.log(LogLevel::kInfo,
          "client " + client.id + ": online from " + session.source.endpoint.to_string());
  tell_everything(client, now, out);
  tell_peers_about(client, now, out);
  leave_campaigns(client, now, out);  // those of the process before
}

void Server::Core::on_control(ClientRecord& client, const ControlItem& item, ControlWriter& reply,
                              const Endpoint& from, TimePoint now, ServerOutbox& out) {
  auto& stream = client.association->stream;
  if (const auto* ping = std::get_if<Ping>(&item)) {
    reply.add(Pong{ping->token});
    reply.add(Observed{from});
  } else if (const auto* segment = std::get_if<StreamSegment>(&item)) {
    stream.on_segment(*segment);
    read_messages(client, now, out);
  } else if (const auto* ack = std::get_if<StreamAck>(&item)) {
    stream.on_ack(*ack, now);
  } else if (const auto* handshake = std::get_if<HandshakeCarriage>(&item)) {
    carry_handshake(client, *handshake, now, out);
  } else if (std::holds_alternative<Close>(item)) {
    go_offline(client, "it has stopped", now, out);
    drop_ports(client);
    client.association.reset();
  }
}

void Server::Core::read_messages(ClientRecord& client, TimePoint now, ServerOutbox& out) {
  // Answering may cut the client off, and its stream with it.
  while (client.association) {
    const auto decoded = client.association->stream.next_message();
    if (decoded.consumed == 0) return;
    const auto* request =
        decoded.message ? std::get_if<MembershipRequest>(&*decoded.message) : nullptr;
    if (request != nullptr) on_membership(client, *request, now, out);
    const auto* news = decoded.message ? std::get_if<NatNews>(&*decoded.message) : nullptr;
    if (news != nullptr && client.association) {
      client.association->nat = news->report;
      tell_address_of(client, now, out);
    }
    const auto* ask = decoded.message ? std::get_if<CampaignAsk>(&*decoded.message) : nullptr;
    if (ask != nullptr && client.association) on_campaign(client, *ask, now, out);
    const auto* group = decoded.message ? std::get_if<GroupPut>(&*decoded.message) : nullptr;
    if (group != nullptr && client.association) on_group_put(client, *group, now, out);
    const auto* links = decoded.message ? std::get_if<LinkNews>(&*decoded.message) : nullptr;
    if (links != nullptr) on_link_news(client, *links, now);
  }
}

void Server::Core::carry_handshake(ClientRecord& from, const HandshakeCarriage& item, TimePoint now,
                                   Outbox& out) {
  auto* to = numbered(item.other);
  if (to == nullptr || !from.plan->may_send.contains(permission(item.other, FlowNo{0}))) {
    ++counters.carriage_refused;
    return;
  }
  auto* session = to->is_online() ? to->sessions.current() : nullptr;
  if (session == nullptr) {
    ++counters.relay_receiver_offline;
    return;
  }
  ++counters.carried_handshakes;
  ControlWriter items;
  items.add(HandshakeCarriage{from.number, item.message});
  send_control(*session, items, now, out);
}

void Server::Core::send_control(HopSession& session, const ControlWriter& items, TimePoint now,
                                Outbox& out) {
  send_control(session, session.source, items, now, out);
}

void Server::Core::send_control(HopSession& session, const Source& to, const ControlWriter& items,
                                TimePoint now, Outbox& out) {
  if (items.empty()) return;
  const auto text = out.reserve(items.bytes().size());
  if (text.empty()) return;
  copy_bytes(items.bytes(), text);
  const auto frame =
      session.seal(session.keys(kControlSlot, ""), FrameType::kDirect, FlowNo{0}, text, now);
  if (!frame.empty()) out.net(to.socket, to.endpoint, frame);
}

void Server::Core::flush(ClientRecord& client, TimePoint now, Outbox& out) {
  if (client.association) {
    flush_stream(client.association->stream, client.sessions.current(), now, out);
  }
}

void Server::Core::flush_stream(ControlStream& stream, HopSession* session, TimePoint now,
                                Outbox& out) {
  if (session == nullptr) return;
  while (const auto segment = stream.next_segment(now)) {
    ControlWriter items;
    items.add(*segment);
    send_control(*session, items, now, out);
  }
  const auto due = std::max(stream.next_deadline(), streams_served + kStreamTurn);
  stream_deadline = std::min(stream_deadline, due);
}

}  // namespace wormhole
