#include "client/nat_watch.hpp"

#include <utility>

namespace wormhole {
namespace {

/// The server in use first.
std::vector<Endpoint> in_order(const HopLink& hop) {
  std::vector<Endpoint> servers{hop.server()};
  for (const auto& server : hop.servers()) {
    if (server != hop.server()) servers.push_back(server);
  }
  return servers;
}

}  // namespace

void NatWatch::on_connected(const HopConnected& event, HopLink& hop, TimePoint now,
                            ClientOutbox& out) {
  if (event.stream_restarted) told_ = NatReport{};
  if (event.stream_restarted || hop.server() != server_) check(hop, now, out);
}

bool NatWatch::on_network_change(LocalNetwork local, HopLink& hop, TimePoint now,
                                 ClientOutbox& out) {
  if (local_ == local) return false;
  local_ = std::move(local);
  check(hop, now, out);
  return true;
}

bool NatWatch::check(HopLink& hop, TimePoint now, ClientOutbox& out) {
  if (!hop.is_connected()) return false;
  server_ = hop.server();
  observed_.reset();
  started_at_ = now;
  check_.start({in_order(hop), hop.probe_port(), hop.number(), local_.addresses, local_.port,
                hop.rtt().value_or(Duration{})},
               now);
  act(hop, now, out);
  return true;
}

void NatWatch::on_answer(const HopProbeAnswered& event, HopLink& hop, TimePoint now,
                         ClientOutbox& out) {
  check_.on_answer(event.socket, event.answer, now);
  act(hop, now, out);
}

void NatWatch::on_timeout(HopLink& hop, TimePoint now, ClientOutbox& out) {
  act(hop, now, out);
  if (check_.is_running() || !hop.observed() || !hop.is_connected()) return;
  if (!observed_) observed_ = hop.observed();
  const bool moved = *observed_ != *hop.observed();
  if (moved && now - started_at_ >= kPause) check(hop, now, out);
}

void NatWatch::act(HopLink& hop, TimePoint now, ClientOutbox& out) {
  NatActions actions;
  check_.on_timeout(now, actions);
  for (const auto socket : actions.close) out.commands.emplace_back(CloseNetSocket{socket});
  for (const auto& send : actions.probes)
    hop.send_probe(send.socket, send.to, send.probe, now, out);
  for (const auto& send : actions.hairpins) {
    const auto bytes = out.reserve(send.bytes.size());
    if (bytes.empty()) continue;
    copy_bytes(send.bytes, bytes);
    out.net(send.socket, send.to, bytes);
  }
  if (!findings().mapping_known) return;
  news_ = news_ || findings().checked_at != known_at_ || findings().complete != was_complete_ ||
          findings().report != told_;
  known_at_ = findings().checked_at;
  was_complete_ = findings().complete;
  if (findings().report == told_) return;
  told_ = findings().report;
  hop.send_message(NatNews{told_}, now, out);
}

}  // namespace wormhole
