#include "wormhole/server/server.hpp"

#include <algorithm>
#include <utility>

#include "server/server_core.hpp"

namespace wormhole {
namespace {

/// Tests have servers without addresses; their datagrams arrive at socket 0.
std::vector<IpAddress> public_addresses(const ServerSettings& server) {
  std::vector<IpAddress> addresses;
  for (const auto& address : server.addresses) addresses.push_back(address.public_address);
  if (addresses.empty()) addresses.emplace_back();
  return addresses;
}

}  // namespace

Server::Core::Core(ServerConfig server_config, std::shared_ptr<const ServerPlan> first_plan,
                   Rng& random)
    : config(std::move(server_config)),
      rng(random),
      mac1(mac1_key(config.keys.public_key, config.network.knock)),
      cookies(config.keys.public_key, config.network.knock, random),
      addresses(public_addresses(first_plan->network.server)),
      pool(SocketNo{static_cast<std::uint16_t>(2 * addresses.size())}) {
  rng.fill(probe_secret.bytes);
  adopt(std::move(first_plan));
  for (auto& [id, client] : clients) update(*client);
}

Server::Server(ServerConfig config, std::shared_ptr<const ServerPlan> plan, Rng& rng)
    : core_(std::make_unique<Core>(std::move(config), std::move(plan), rng)) {}
Server::~Server() = default;

void Server::on_net_datagrams(SocketNo socket, std::span<const NetDatagram> batch, TimePoint now,
                              ServerOutbox& out) {
  if (core_->closed) return;
  if (core_->next_sweep == kNever) core_->next_sweep = now + Core::kSweep;
  const bool by_port = core_->pool.owns(socket);
  const bool by_probe_port = core_->is_probe_socket(socket);
  for (const auto& datagram : batch) {
    const auto type = frame_type(datagram.bytes);
    if (is_probe(datagram.bytes) && !by_port) {
      core_->on_probe(socket, datagram, now, out);
    } else if (type == FrameType::kRelayed && !by_probe_port) {
      core_->relay(socket, datagram, now, out);
    } else if (type == FrameType::kGroupUp && !by_probe_port) {
      core_->relay_group(socket, datagram, now, out);
    } else if (type == FrameType::kDirect && !by_probe_port) {
      if (by_port) {
        core_->on_port_frame(socket, datagram, now, out);
      } else {
        core_->on_frame(socket, datagram, now, out);
      }
    } else if (type == FrameType::kInit && !by_port && !by_probe_port) {
      core_->on_init(socket, datagram, now, out);
    } else {
      ++core_->counters.malformed;  // relay ports introduce nobody; probe ports only answer
    }
  }
}

void Server::on_timeout(TimePoint now, ServerOutbox& out) {
  auto& core = *core_;
  if (core.closed) return;
  if (now >= core.stream_deadline) {
    core.stream_deadline = kNever;
    core.streams_served = now;
    for (auto& [id, client] : core.clients) {
      if (client->is_online()) core.flush(*client, now, out);
    }
    for (auto& entry : core.enrolments) {
      if (entry) core.flush_stream(entry->stream, entry->sessions.current(), now, out);
    }
  }
  core.answer_delayed_probes(now, out);
  core.campaigns.on_timeout(now);
  core.tell_campaigns(now, out);
  if (now < core.next_sweep) return;
  core.next_sweep = now + Core::kSweep;
  for (auto& [id, client] : core.clients) {
    client->sessions.expire(now);
    const bool silent =
        client->is_online() && now - client->association->last_heard >= Core::kOfflineAfter;
    if (silent) core.go_offline(*client, "no keepalive for 5 s", now, out);
  }
  for (auto& entry : core.enrolments) {
    if (entry && now - entry->since >= Core::kEnrolmentLife) entry.reset();
  }
  core.group_count = core.groups_of_all();
  core.sweep_links(now);
  core.sweep_ports(now, out);
}

TimePoint Server::next_deadline() const {
  if (core_->closed) return kNever;
  const auto& delayed = core_->delayed_probes;
  const auto probe = delayed.empty() ? kNever : delayed.begin()->first;
  return std::min(
      {core_->next_sweep, core_->stream_deadline, probe, core_->campaigns.next_deadline()});
}

void Server::shutdown(Duration spread, TimePoint now, ServerOutbox& out) {
  // Half a second is what a restart of the service takes.
  constexpr std::uint16_t kReconnectMs = 500;
  const auto spread_ms = std::clamp<std::int64_t>(to_ms(spread), 0, 60000);
  for (auto& [id, client] : core_->clients) {
    auto* session = client->sessions.current();
    if (session == nullptr || !client->is_online()) continue;
    ControlWriter items;
    items.add(Restarting{kReconnectMs, static_cast<std::uint16_t>(spread_ms)});
    core_->send_control(*session, items, now, out);
  }
  core_->closed = true;
}

ServerStatus Server::status(TimePoint now) const {
  ServerStatus status;
  for (const auto& [id, client] : core_->clients) {
    ServerStatus::ClientRow row;
    row.id = id;
    row.online = client->is_online();
    if (row.online) row.since = now - client->association->since;
    if (const auto* session = client->sessions.current()) row.address = session->source.endpoint;
    row.relayed_packets = client->relayed_packets;
    row.relayed_bytes = client->relayed_bytes;
    status.clients.push_back(std::move(row));
  }
  const auto& c = core_->counters;
  status.counters = {{"relayed", c.relayed},
                     {"relay_unknown_source", c.relay_unknown_source},
                     {"relay_bad_tag", c.relay_bad_tag},
                     {"relay_not_allowed", c.relay_not_allowed},
                     {"relay_receiver_offline", c.relay_receiver_offline},
                     {"relayed_by_port", c.relayed_by_port},
                     {"group_uploads", c.group_uploads},
                     {"groups", core_->groups_of_all()},
                     {"group_unknown", c.group_unknown},
                     {"group_replayed", c.group_replayed},
                     {"group_refused", c.group_refused},
                     {"relay_ports_open", core_->pool.open_ports()},
                     {"relay_ports_shared", core_->pool.sharing_members()},
                     {"relay_port_taken", c.port_taken},
                     {"relay_port_refused", c.port_refused},
                     {"relay_port_none_left", c.port_none_left},
                     {"relay_port_not_theirs", c.port_not_theirs},
                     {"nat_probes", c.probes},
                     {"nat_probes_refused", c.probes_refused},
                     {"nat_probes_delayed", core_->delayed_probes.size()},
                     {"campaigns_held", core_->campaigns.held()},
                     {"campaigns_waiting", core_->campaigns.waiting()},
                     {"campaigns_granted", core_->campaigns.counters().granted},
                     {"campaigns_waited", core_->campaigns.counters().waited},
                     {"campaigns_refused", core_->campaigns.counters().refused},
                     {"campaigns_expired", core_->campaigns.counters().expired},
                     {"campaign_ends_ignored", core_->campaigns.counters().end_ignored},
                     {"links", core_->link_budget.links},
                     {"link_samples", core_->link_budget.samples},
                     {"link_news", core_->link_budget.news},
                     {"links_refused", core_->link_budget.links_refused},
                     {"link_samples_refused", core_->link_budget.samples_refused},
                     {"malformed", c.malformed},
                     {"bad_mac1", c.bad_mac1},
                     {"bad_handshake", c.bad_handshake},
                     {"replayed_init", c.replayed_init},
                     {"refused", c.refused},
                     {"cookies_sent", c.cookies_sent},
                     {"unknown_session", c.unknown_session},
                     {"forged", c.forged},
                     {"replayed", c.replayed},
                     {"enrolled", c.enrolled},
                     {"carried_handshakes", c.carried_handshakes},
                     {"carriage_refused", c.carriage_refused},
                     {"control_overflow", c.control_overflow}};
  return status;
}

}  // namespace wormhole
