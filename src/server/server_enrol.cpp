// Enrolment: a stranger proves that the network's signing key lets it bind an ID to its key.
#include <algorithm>
#include <utility>

#include "server/server_core.hpp"

namespace wormhole {

void Server::Core::on_enrolment_frame(std::size_t slot, HopSession& session,
                                      const FrameHeader& header, SocketNo socket,
                                      const NetDatagram& datagram, TimePoint now,
                                      ServerOutbox& out) {
  auto& enrolment = *enrolments[slot];
  const auto text = open(session, header, datagram, now);
  if (!text) return;
  if (enrolment.sessions.confirm(&session, now)) enrolment.stream.reset();
  if (header.counter > session.newest) {
    session.newest = header.counter;
    session.source = {socket, datagram.from};
  }
  ControlWriter reply;
  ControlReader reader(*text);
  while (const auto item = reader.next()) {
    if (const auto* ping = std::get_if<Ping>(&*item)) reply.add(Pong{ping->token});
    if (const auto* segment = std::get_if<StreamSegment>(&*item)) {
      enrolment.stream.on_segment(*segment);
    }
    if (const auto* ack = std::get_if<StreamAck>(&*item)) enrolment.stream.on_ack(*ack, now);
  }
  for (;;) {
    auto decoded = enrolment.stream.next_message();
    if (decoded.consumed == 0) break;
    if (!decoded.message) continue;
    if (auto* request = std::get_if<EnrolRequest>(&*decoded.message)) {
      request_enrolment(enrolment, std::move(request->binding), now, out);
    }
  }
  if (const auto ack = enrolment.stream.take_ack()) reply.add(*ack);
  send_control(session, reply, now, out);
  flush_stream(enrolment.stream, enrolment.sessions.current(), now, out);
}

void Server::Core::request_enrolment(Enrolment& enrolment, KeyBinding binding, TimePoint now,
                                     ServerOutbox& out) {
  if (enrolment.ticket) return;  // under way
  binding.key = enrolment.key;   // what the handshake has proved
  if (!clients.contains(binding.id)) {
    return answer_enrolment(enrolment, EnrolResult::kNotConfigured, now, out);
  }
  if (!verify_binding(binding, config.network.signing_key, config.network.network)) {
    return answer_enrolment(enrolment, EnrolResult::kNotGenuine, now, out);
  }
  if (storing.size() >= kMaxEnrolments) {
    return answer_enrolment(enrolment, EnrolResult::kStoreFailed, now, out);
  }
  enrolment.ticket = next_ticket++;
  enrolment.binding = binding;
  storing.emplace(*enrolment.ticket, binding);
  out.commands.emplace_back(StoreEnrolment{*enrolment.ticket, std::move(binding)});
}

void Server::Core::answer_enrolment(Enrolment& enrolment, EnrolResult result, TimePoint now,
                                    Outbox& out) {
  const auto at = clients.find(enrolment.binding.id);
  const auto number = at == clients.end() ? ClientNo{0} : at->second->number;
  if (!enrolment.stream.push(encode(EnrolAnswer{static_cast<std::uint8_t>(result), number}))) {
    return;
  }
  flush_stream(enrolment.stream, enrolment.sessions.current(), now, out);
}

void Server::on_enrolled(std::uint64_t ticket, EnrolResult result, TimePoint now,
                         ServerOutbox& out) {
  auto& core = *core_;
  const auto stored = core.storing.extract(ticket);
  if (stored.empty()) return;
  const auto& binding = stored.mapped();
  const auto client = core.clients.find(binding.id);
  if (result == EnrolResult::kDone && client != core.clients.end()) {
    core.bind(*client->second, binding, now, out);
    ++core.counters.enrolled;
    out.log(LogLevel::kInfo,
            "client " + binding.id + ": enrolled with key " + fingerprint(binding.key));
  }
  const auto at = std::find_if(core.enrolments.begin(), core.enrolments.end(),
                               [&](const auto& entry) { return entry && entry->ticket == ticket; });
  if (at == core.enrolments.end()) return;  // it gave up
  (*at)->ticket.reset();
  core.answer_enrolment(**at, result, now, out);
}

void Server::Core::bind(ClientRecord& client, const KeyBinding& binding, TimePoint now,
                        ServerOutbox& out) {
  const bool other_key = !client.binding || client.binding->key != binding.key;
  if (other_key && client.binding) {
    by_key.erase(client.binding->key);
    cut_off(client, CloseReason::kRemoved, now, out);
  }
  client.binding = binding;
  by_key[binding.key] = &client;
  tell_peers_about(client, now, out);
}

}  // namespace wormhole
