// What is known of the links, and who hears of it.
#include <algorithm>
#include <array>
#include <utility>

#include "client/client_core.hpp"

namespace wormhole {
namespace {

/// What was reported before tells nothing of now: the slowest flow that is reported at all has a
/// report in 10 s at 10 kbit/s.
constexpr Duration kForgotten = 10s;
constexpr std::array<Way, 2> kWays{Way::kRelay, Way::kDirect};

/// Bytes around a datagram by the relay over IPv4: header, tag, hop tag, UDP and IP.
constexpr double kAround = kHeaderSize + kTagSize + kHopTagSize + 28;

/// Of IP packets, since the last tick; where that is shorter ago than kRecent, with what was
/// before.
double packet_bps(const Traffic& traffic, Duration since_tick) {
  constexpr double kRecent = 0.3;  // ten video frames
  const auto span = std::chrono::duration<double>(since_tick).count();
  const auto before = std::max(0.0, kRecent - span);
  const auto bytes = static_cast<double>(traffic.bytes - traffic.bytes_at_tick);
  const auto packets = static_cast<double>(traffic.packets - traffic.packets_at_tick);
  const auto bits =
      8 * (bytes + kAround * packets) + (traffic.bps + 8 * kAround * traffic.pps) * before;
  return bits / std::max(kRecent, span);
}

std::optional<Duration> rtt_by(const Peer& peer, Way which) {
  if (which == Way::kDirect) return peer.paths().rtt() ? peer.paths().rtt() : peer.rtt();
  return peer.relay_rtt();
}

/// The worse comes last.
int rank(const LinkState& state) {
  switch (state.verdict) {
    case LinkVerdict::kAppLimited:
      return 0;
    case LinkVerdict::kClear:
      return 1;
    case LinkVerdict::kLossy:
      return 2;
    case LinkVerdict::kLimit:
      return 3;
  }
  return 0;
}

bool is_worse(const LinkState& a, const LinkState& b) {
  if (rank(a) != rank(b)) return rank(a) > rank(b);
  return a.capacity_bps > 0 && a.capacity_bps < b.capacity_bps;
}

/// One flow's part of a way that carries `all`, this flow included; and of the capacity what the
/// others leave, or that part where they leave less.
LinkState part_of(LinkState way, double offered, double sent, double all) {
  const auto share = all > 0 ? std::min(1.0, sent / all) : 1;
  const auto others = std::max(0.0, all - sent);
  way.capacity_bps = std::max(way.capacity_bps * share, way.capacity_bps - others);
  way.offered_bps = offered;
  way.sent_bps = sent;
  way.delivered_bps *= share;
  return way;
}

}  // namespace

/// All that goes to a peer by a way; valid until the next call.
SentBy Client::Core::sent_by(std::uint16_t slot, Way which) {
  sources.clear();
  sources.push_back({&peers[slot].peer->way(which).sent, {}});
  if (which == Way::kRelay) {
    for (const auto& [number, flow] : flows.all()) {
      if (flow->groups) flow->groups->add_sources(slot, sources);
    }
  }
  return SentBy(sources);
}

/// The peer has said what it got.
void Client::Core::on_feedback(std::uint16_t slot, TimePoint now, ClientOutbox& out) {
  auto& peer = *peers[slot].peer;
  bool any = false;
  for (const auto which : kWays) {
    auto& way = peer.way(which);
    const auto report = std::exchange(way.news, std::nullopt);
    if (!report) continue;
    way.monitor.on_report(*report, sent_by(slot, which), peer.overhead(which), rtt_by(peer, which),
                          now);
    any = true;
  }
  if (!any) return;
  wake_links(now);
  deadline = std::min(deadline, links_due);
  if (uplink.wants_update(now)) tend_uplink(now, out);
}

std::optional<LinkState> Client::Core::way_state(std::uint16_t slot, Way which, TimePoint now) {
  auto& monitor = peers[slot].peer->way(which).monitor;
  if (monitor.reported() == kNever || now - monitor.reported() > kForgotten) return std::nullopt;
  return monitor.state(sent_by(slot, which), now);
}

std::vector<LinkStatus> Client::Core::links(TimePoint now) {
  std::vector<LinkStatus> found;
  for (std::size_t i = 0; i < peers.size(); ++i) {
    const auto slot = static_cast<std::uint16_t>(i);
    if (!peers[i].peer) continue;
    const auto& peer = *peers[i].peer;
    for (const auto which : kWays) {
      const auto kind = which == Way::kDirect ? PathKind::kDirect : PathKind::kRelay;
      const auto state = way_state(slot, which, now);
      if (state) found.push_back({peer.id(), peer.number(), kind, *state});
    }
  }
  return found;
}

/// Whether what the flow sends to that peer goes that way, or some of it.
bool Client::Core::goes_by(const FlowPort& flow, std::uint16_t slot, Way which,
                           TimePoint now) const {
  const bool direct = !flow.ref.relay_only && peers[slot].peer->paths().way(now) == Way::kDirect;
  // A group reaches those who have a direct path, too, by the relay.
  return which == Way::kDirect ? direct : !direct || is_grouped(flow, slot);
}

void Client::Core::note_loads(TimePoint now) {
  for (auto& entry : peers) entry.flows_bps = {};
  const auto since_tick = now - flows.last_tick();
  for (const auto& [number, flow] : flows.all()) {
    if (flow->protocol != Protocol::kUdp) continue;
    const auto sent = packet_bps(flow->queues ? flow->let_go : flow->tx, since_tick);
    for (const auto slot : flow->send_to) {
      if (peer_at(slot) == nullptr) continue;
      for (const auto which : kWays) {
        if (goes_by(*flow, slot, which, now)) peers[slot].flows_bps[index_of(which)] += sent;
      }
    }
  }
}

/// Of datagrams and streams. Those of flows are of the same moments as link_of() has them.
double Client::Core::load_of(std::uint16_t slot, Way which, const LinkState& way) const {
  const auto flows_bps = peers[slot].flows_bps[index_of(which)];
  const auto& streams = std::as_const(*peers[slot].peer).streams();
  const bool any = std::any_of(kStreamClasses.begin(), kStreamClasses.end(), [&](auto group) {
    const auto* connection = streams.find(group);
    return connection != nullptr && connection->statistics().in_flight > 0;
  });
  return any ? std::max(flows_bps, way.sent_bps) : flows_bps;
}

/// Of the worst of the links that carry it.
std::optional<LinkState> Client::Core::link_of(const FlowPort& flow, TimePoint now) {
  if (flow.protocol != Protocol::kUdp) return std::nullopt;
  const auto since_tick = now - flows.last_tick();
  const auto offered = packet_bps(flow.tx, since_tick);
  const auto sent = flow.queues ? packet_bps(flow.let_go, since_tick) : offered;
  std::optional<LinkState> worst;
  for (const auto slot : flow.send_to) {
    if (peer_at(slot) == nullptr) continue;
    for (const auto which : kWays) {
      if (!goes_by(flow, slot, which, now)) continue;
      const auto way = way_state(slot, which, now);
      if (!way) continue;
      const auto part = part_of(*way, offered, sent, load_of(slot, which, *way));
      if (!worst || is_worse(part, *worst)) worst = part;
    }
  }
  return worst;
}

bool Client::Core::is_grouped(const FlowPort& flow, std::uint16_t slot) {
  if (!flow.groups || flow.groups->ready().empty()) return false;
  const auto& alone = flow.groups->alone();
  return std::find(alone.begin(), alone.end(), slot) == alone.end();
}

void Client::Core::tend_links(TimePoint now, ClientOutbox& out) {
  if (now < links_due) return;
  std::vector<LinkRow> rows;
  note_loads(now);
  for (auto& link : links(now)) {
    rows.push_back({link.number, link.way, FlowNo{0}, std::move(link.peer), link.state});
  }
  for (const auto& [number, flow] : flows.all()) {
    const auto state = link_of(*flow, now);
    if (!state) continue;
    rows.push_back({ClientNo{0}, PathKind::kNone, number, std::string(flow->ref.name), *state});
  }
  auto news = link_watch.look(rows, hop.is_connected(), now);
  for (auto& change : news.changes) out.commands.emplace_back(std::move(change));
  for (const auto& report : news.reports) hop.send_message(report, now, out);
  links_due = news.active ? now + LinkWatch::kLook : kNever;
}

}  // namespace wormhole
