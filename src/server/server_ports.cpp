// Relay ports: which member of which flow has one, where it is heard from, and who is told.
#include <algorithm>
#include <utility>

#include "server/server_core.hpp"

namespace wormhole {
namespace {

/// Sources of a client that are kept beside two for each flow.
constexpr std::size_t kSpareSources = 8;

}  // namespace

void Server::Core::on_port_frame(SocketNo socket, const NetDatagram& datagram, TimePoint now,
                                 Outbox& out) {
  const auto header = read_header(datagram.bytes);
  if (!header || header->flow.value != 0 || header->flags != kNoFlags) {
    ++counters.malformed;
    return;
  }
  auto* client = numbered(client_of(header->index));
  auto* session = client != nullptr ? client->sessions.find(header->index) : nullptr;
  // One that is not confirmed yet is confirmed by the shared port only.
  if (session == nullptr || !client->is_online() ||
      session->boot_id != client->association->boot_id ||
      (session != client->sessions.current() && session != client->sessions.previous())) {
    ++counters.unknown_session;
    return;
  }
  const auto text = open(*session, *header, datagram, now);
  if (!text) return;
  const Source source{socket, datagram.from};
  bool theirs = false;
  bool open = false;
  for (auto& port : client->ports) {
    if (!port.is_bound() || port.socket != socket) continue;
    theirs = true;
    open = open || port.state == MemberPort::State::kOpen;
    note_port_source(*client, port, *session, header->counter, source);
  }
  if (!theirs) {
    ++counters.port_not_theirs;
    return;
  }
  if (!open) return;  // no answer: the client leaves the port
  ControlWriter reply;
  ControlReader reader(*text);
  while (const auto item = reader.next()) {
    if (const auto* ping = std::get_if<Ping>(&*item)) {
      reply.add(Pong{ping->token});
      // Ours asks whether the answer arrives: only then is the port used towards the client.
      reply.add(Ping{static_cast<std::uint64_t>(now.time_since_epoch().count())});
    } else if (const auto* pong = std::get_if<Pong>(&*item)) {
      hear_pong(*client, source, *pong, now);
    }
  }
  send_control(*session, source, reply, now, out);
}

void Server::Core::hear_pong(ClientRecord& client, const Source& source, const Pong& pong,
                             TimePoint now) {
  const TimePoint sent{Duration{static_cast<std::int64_t>(pong.token)}};
  // In this order: the token is the client's word, and a difference to it could overflow.
  if (sent > now || sent < now - MemberPort::kHeardFor) return;
  for (auto& port : client.ports) {
    if (port.state == MemberPort::State::kOpen && port.source == source) {
      port.hears_until = now + MemberPort::kHeardFor;
    }
  }
}

void Server::Core::note_port_source(ClientRecord& client, MemberPort& port,
                                    const HopSession& session, std::uint64_t counter,
                                    const Source& source) {
  const bool newer = port.session == session.local_index() ? counter > port.newest
                                                           : &session == client.sessions.current();
  if (!newer) return;
  port.session = session.local_index();
  port.newest = counter;
  const auto known = by_source.find(source);
  if (port.source == source && known != by_source.end() && known->second == &client) return;
  if (port.source != source) port.hears_until = TimePoint::min();
  port.source = source;
  by_source[source] = &client;
  client.sources.push_back(source);
  // What is still under way from the old one may pass; a client that wanders about is swept up.
  if (client.sources.size() > 2 * client.ports.size() + kSpareSources) index_sources(client);
}

void Server::Core::sweep_ports(TimePoint now, ServerOutbox& out) {
  close_unused_ports(out);
  unsigned opens = kOpensPerSweep;
  for (auto& [id, client] : clients) {
    if (!client->tends_ports) continue;
    bool in_use = false;
    for (auto& port : client->ports) {
      tend_port(*client, port, now, opens, out);
      in_use = in_use || port.state != MemberPort::State::kNone;
    }
    client->tends_ports = in_use;
    tell_ports(*client, now, out);
    flush(*client, now, out);
  }
}

void Server::Core::tend_port(ClientRecord& client, MemberPort& port, TimePoint now, unsigned& opens,
                             ServerOutbox& out) {
  const auto* session = client.sessions.current();
  if (std::exchange(port.relayed, false)) port.last_relayed = now;
  switch (port.state) {
    case MemberPort::State::kNone: {
      const bool wanted = port.last_relayed == now && client.is_online() && session != nullptr;
      const bool may_try = now >= std::max(port.until, ports_rest_until) && opens > 0;
      if (!wanted || !may_try || plan->network.server.relay_ports.shared) return;
      --opens;
      return assign_port(client, port, now, out);
    }
    case MemberPort::State::kOpening:
      return;
    case MemberPort::State::kOpen: {
      const bool idle = now - port.last_relayed >= MemberPort::kIdleAfter;
      const bool moved = session == nullptr || session->source.socket != port.address;
      if (idle || moved) port.leave(now);
      return;
    }
    case MemberPort::State::kLeaving:
      if (now >= port.until) drop_port(client, port);
  }
}

PortRange Server::Core::range_of(const ClientRecord& client, FlowNo flow) const {
  const auto& ports = plan->network.server.relay_ports;
  for (const auto& membership : client.plan->flows) {
    if (membership.flow == flow && membership.on_first_side) return ports.from;
  }
  return ports.to;
}

void Server::Core::assign_port(ClientRecord& client, MemberPort& port, TimePoint now,
                               ServerOutbox& out) {
  const auto address = client.sessions.current()->source.socket;
  const auto lease =
      pool.take(address.value, range_of(client, port.flow), {client.number, port.flow}, now);
  if (!lease) {
    ++counters.port_none_left;
    port.until = now + MemberPort::kRetry;
    return;
  }
  port.port = lease->port;
  port.socket = lease->socket;
  port.address = address;
  port.state = lease->is_open ? MemberPort::State::kOpen : MemberPort::State::kOpening;
  if (lease->is_new) {
    out.commands.emplace_back(OpenRelayPort{lease->socket, address.value, lease->port});
  }
}

MemberPort* Server::Core::port_of(const PortPool::Member& member) {
  auto* client = numbered(member.client);
  if (client == nullptr) return nullptr;
  const auto at = std::lower_bound(client->ports.begin(), client->ports.end(), member.flow,
                                   [](const MemberPort& p, FlowNo f) { return p.flow < f; });
  return at != client->ports.end() && at->flow == member.flow ? &*at : nullptr;
}

void Server::on_relay_port(SocketNo socket, RelayPortAnswer answer, const std::string& error,
                           TimePoint now, ServerOutbox& out) {
  auto& core = *core_;
  if (core.closed) return;
  if (answer == RelayPortAnswer::kOpen) return core.on_port_open(socket, now, out);
  const bool taken = answer == RelayPortAnswer::kTaken;
  ++(taken ? core.counters.port_taken : core.counters.port_refused);
  if (!std::exchange(core.said_port_trouble, true)) {
    out.log(LogLevel::kWarning,
            error + (taken ? "; others are used" : "; flows without a port share one"));
  }
  if (!taken) core.ports_rest_until = now + MemberPort::kRetry;
  core.close_unused_ports(out);
  for (const auto& member : core.pool.on_refused(socket, taken, now)) {
    auto* port = core.port_of(member);
    if (port == nullptr || port->state != MemberPort::State::kOpening) continue;
    auto& client = *core.numbered(member.client);
    *port = MemberPort{member.flow};
    const bool again = taken && client.is_online() && client.sessions.current() != nullptr;
    if (again) core.assign_port(client, *port, now, out);
  }
}

void Server::Core::on_port_open(SocketNo socket, TimePoint now, Outbox& out) {
  pool.on_opened(socket);
  const auto current = pool.members(socket);
  // A copy: telling may cut one off.
  for (const auto& member : std::vector<PortPool::Member>(current.begin(), current.end())) {
    auto* port = port_of(member);
    if (port == nullptr || port->state != MemberPort::State::kOpening) continue;
    port->state = MemberPort::State::kOpen;
    port->last_relayed = now;
    auto& client = *numbered(member.client);
    tell_ports(client, now, out);
    flush(client, now, out);
  }
}

void Server::Core::tell_ports(ClientRecord& client, TimePoint now, Outbox& out) {
  for (const auto& port : client.ports) {
    if (!client.is_online()) return;  // telling may cut it off
    auto& told = client.association->told_ports;
    const auto known = told.find(port.flow);
    const std::uint16_t before = known == told.end() ? 0 : known->second;
    const std::uint16_t wanted = port.state == MemberPort::State::kOpen ? port.port : 0;
    if (before == wanted) continue;
    if (wanted == 0) {
      told.erase(known);
    } else {
      told[port.flow] = wanted;
    }
    push(client, encode(RelayPort{port.flow, wanted}), now, out);
  }
}

/// For a client that may have forgotten them: it came by another address of ours and back.
void Server::Core::tell_ports_again(ClientRecord& client, TimePoint now, Outbox& out) {
  const auto told = client.association->told_ports;  // a copy: telling may cut it off
  for (const auto& [flow, port] : told) push(client, encode(RelayPort{flow, port}), now, out);
}

void Server::Core::leave_ports(ClientRecord& client, TimePoint now) {
  for (auto& port : client.ports) {
    if (port.state == MemberPort::State::kOpen) port.leave(now);
  }
}

void Server::Core::drop_port(ClientRecord& client, MemberPort& port) {
  if (port.state == MemberPort::State::kNone) return;
  if (pool.give_back(port.socket, {client.number, port.flow})) unused_ports.push_back(port.socket);
  port = MemberPort{port.flow};
  index_sources(client);
}

void Server::Core::drop_ports(ClientRecord& client) {
  for (auto& port : client.ports) drop_port(client, port);
}

void Server::Core::doubt_ports(ClientRecord& client) {
  for (auto& port : client.ports) port.hears_until = TimePoint::min();
}

void Server::Core::renew_ports(ClientRecord& client) {
  std::vector<MemberPort> renewed;
  for (const auto& membership : client.plan->flows) renewed.emplace_back(membership.flow);
  const auto by_flow = [](const MemberPort& a, const MemberPort& b) { return a.flow < b.flow; };
  for (auto& port : client.ports) {
    const auto same = std::lower_bound(renewed.begin(), renewed.end(), port, by_flow);
    if (same != renewed.end() && same->flow == port.flow) {
      *same = port;
    } else {
      if (client.association) client.association->told_ports.erase(port.flow);
      drop_port(client, port);
    }
  }
  client.ports = std::move(renewed);
}

void Server::Core::close_unused_ports(ServerOutbox& out) {
  for (const auto socket : std::exchange(unused_ports, {})) {
    out.commands.emplace_back(CloseRelayPort{socket});
  }
}

}  // namespace wormhole
