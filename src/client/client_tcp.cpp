// TCP: the shell's doors, and which peers have stream connections.
#include <algorithm>
#include <array>

#include "client/client_core.hpp"

namespace wormhole {

std::optional<TcpNo> Client::on_tcp_accepted(AppPort port, const Endpoint& application,
                                             TimePoint now, ClientOutbox& out) {
  if (core_->ended) return std::nullopt;
  const auto number = core_->tcp.accept(port, application, now, out);
  core_->flush_streams(now, out);
  return number;
}

void Client::on_tcp_connected(TcpNo connection, TimePoint now, ClientOutbox& out) {
  core_->tcp.on_connected(connection, out);
  core_->flush_streams(now, out);
}

void Client::on_tcp_failed(TcpNo connection, const std::string& why, TimePoint now,
                           ClientOutbox& out) {
  core_->tcp.on_failed(connection, why);
  core_->flush_streams(now, out);
}

MutBytes Client::tcp_space(TcpNo connection) { return core_->tcp.space(connection); }

void Client::tcp_commit(TcpNo connection, std::size_t size) { core_->tcp.commit(connection, size); }

Bytes Client::tcp_readable(TcpNo connection) const { return core_->tcp.readable(connection); }

void Client::tcp_consume(TcpNo connection, std::size_t size) {
  core_->tcp.consume(connection, size);
}

void Client::on_tcp_end(TcpNo connection, TimePoint now, ClientOutbox& out) {
  core_->tcp.on_end(connection, out);
  core_->flush_streams(now, out);
}

void Client::on_tcp_reset(TcpNo connection, TimePoint now, ClientOutbox& out) {
  core_->tcp.on_reset(connection, out);
  core_->flush_streams(now, out);
}

void Client::flush_streams(TimePoint now, ClientOutbox& out) {
  if (core_->ended) return;
  core_->hop.note_traffic(now);
  core_->flush_streams(now, out);
  core_->deadline = std::min(core_->deadline, core_->hop.next_deadline());
}

void Client::Core::want_streams(TimePoint now) {
  std::vector<std::array<bool, kStreamClasses.size()>> wanted(peers.size());
  for (const auto& [number, flow] : flows.all()) {
    if (flow->protocol != Protocol::kTcp) continue;
    for (const auto& member : flow->members) {
      const auto slot = slot_of(member.number);
      if (slot) wanted[*slot][static_cast<std::size_t>(TcpTable::class_of(*flow))] = true;
    }
  }
  for (std::size_t slot = 0; slot < peers.size(); ++slot) {
    if (!peers[slot].peer) continue;
    auto& streams = peers[slot].peer->streams();
    streams.set_congestion(congestion);
    for (const auto group : kStreamClasses) {
      streams.want(group, wanted[slot][static_cast<std::size_t>(group)], now);
    }
    tcp.touch(static_cast<std::uint16_t>(slot));
  }
}

}  // namespace wormhole
