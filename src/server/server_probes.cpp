// NAT checks: what the server saw of a probe is said by the socket that was asked for. A probe
// confirms no session and moves no address.
#include <utility>

#include "server/server_core.hpp"

namespace wormhole {

/// A session that is not confirmed yet may ask, for a client's first probes leave together with the
/// frame that confirms it and may overtake it; whoever replays an INIT has no keys to ask with.
void Server::Core::on_probe(SocketNo socket, const NetDatagram& datagram, TimePoint now,
                            Outbox& out) {
  const auto header = read_header(datagram.bytes);
  if (!header || header->flow.value != 0) {
    ++counters.malformed;
    return;
  }
  auto* client = numbered(client_of(header->index));
  auto* session = client != nullptr ? client->sessions.find(header->index) : nullptr;
  if (session == nullptr) {
    ++counters.unknown_session;
    return;
  }
  const auto text = open(*session, *header, datagram, now);
  if (!text) return;
  ControlReader reader(*text);
  const auto item = reader.next();
  // One a frame: the answer is then as large as the question.
  const auto* probe = item ? std::get_if<Probe>(&*item) : nullptr;
  if (probe == nullptr || reader.next()) {
    ++counters.malformed;
    return;
  }
  answer_probe(*client, *session, *probe, {socket, datagram.from}, now, out);
}

std::optional<SocketNo> Server::Core::answering_socket(SocketNo asked, ProbeFrom from) const {
  const auto count = static_cast<std::uint16_t>(addresses.size());
  const bool by_probe_port = asked.value >= count;
  const std::size_t own = asked.value % count;
  const auto other_port = [&](std::size_t address) -> std::optional<SocketNo> {
    if (config.probe_port == 0) return std::nullopt;
    return SocketNo{static_cast<std::uint16_t>(by_probe_port ? address : address + count)};
  };
  if (from == ProbeFrom::kSame) return asked;
  if (from == ProbeFrom::kOtherPort) return other_port(own);
  for (std::size_t k = 1; k < count; ++k) {
    const auto other = (own + k) % count;
    if (addresses[other].is_v4() == addresses[own].is_v4()) return other_port(other);
  }
  return std::nullopt;
}

void Server::Core::answer_probe(ClientRecord& client, HopSession& session, const Probe& probe,
                                const Source& from, TimePoint now, Outbox& out) {
  const auto by = answering_socket(from.socket, probe.from);
  const bool later = probe.delay_s != 0;
  // Only a process that is online can wait.
  const bool may_wait = client.is_online() && client.association->boot_id == session.boot_id &&
                        std::chrono::seconds(probe.delay_s) <= kMaxProbeDelay &&
                        client.association->delayed_probes < kMaxDelayedProbes &&
                        delayed_probes.size() < kMaxDelayedProbesOfAll;
  if (!by || (later && !may_wait)) {
    ++counters.probes_refused;
    return;
  }
  ++counters.probes;
  const Source to{*by, from.endpoint};
  if (!later) return send_probe_answer(session, probe.token, to, now, out);
  ++client.association->delayed_probes;
  delayed_probes.emplace(now + std::chrono::seconds(probe.delay_s),
                         DelayedProbe{client.number, session.boot_id, probe.token, to});
}

void Server::Core::send_probe_answer(HopSession& session, std::uint64_t token, const Source& to,
                                     TimePoint now, Outbox& out) {
  ControlWriter items;
  items.add(ProbeAnswer{token, to.endpoint});
  const auto text = out.reserve(items.bytes().size());
  if (text.empty()) return;
  copy_bytes(items.bytes(), text);
  const auto frame = session.seal(session.keys(kControlSlot, ""), FrameType::kDirect, FlowNo{0},
                                  text, now, kFlagProbe);
  if (!frame.empty()) out.net(to.socket, to.endpoint, frame);
}

void Server::Core::answer_delayed_probes(TimePoint now, Outbox& out) {
  while (!delayed_probes.empty() && delayed_probes.begin()->first <= now) {
    const auto probe = delayed_probes.extract(delayed_probes.begin()).mapped();
    auto* client = numbered(probe.client);
    const bool same =
        client != nullptr && client->association && client->association->boot_id == probe.boot_id;
    if (!same) continue;  // it ended, or began anew, and asks no more
    // An association that was cut off and came back has forgotten what it waited for.
    auto& waiting = client->association->delayed_probes;
    if (waiting > 0) --waiting;
    if (auto* session = client->sessions.current()) {
      send_probe_answer(*session, probe.token, probe.to, now, out);
    }
  }
}

}  // namespace wormhole
