#include "server/port_pool.hpp"

#include <algorithm>
#include <utility>

namespace wormhole {
namespace {

std::uint16_t after(std::uint16_t port, PortRange range) {
  return port == range.last ? range.first : static_cast<std::uint16_t>(port + 1U);
}

}  // namespace

std::size_t PortPool::turn_of(std::uint16_t address, PortRange range) {
  const auto known = std::find_if(turns_.begin(), turns_.end(), [&](const Turn& turn) {
    return turn.address == address && turn.range == range;
  });
  const auto at = static_cast<std::size_t>(known - turns_.begin());
  if (at == turns_.size()) turns_.push_back({address, range, range.first, 0});
  return at;
}

/// Ports of the range that other programs hold.
std::size_t PortPool::taken_in(const Turn& turn, TimePoint now) {
  std::size_t count = 0;
  auto at = taken_.lower_bound({turn.address, turn.range.first});
  while (at != taken_.end() && at->first <= Place{turn.address, turn.range.last}) {
    const bool over = now >= at->second;
    if (!over) ++count;
    at = over ? taken_.erase(at) : std::next(at);
  }
  return count;
}

std::optional<std::uint16_t> PortPool::free_port(Turn& turn, TimePoint now) {
  const auto size = std::size_t{turn.range.last} - turn.range.first + 1;
  if (turn.used + taken_in(turn, now) >= size) return std::nullopt;
  for (std::size_t i = 0; i < size; ++i) {
    const Place place{turn.address, turn.next};
    turn.next = after(turn.next, turn.range);
    if (!places_.contains(place) && !taken_.contains(place)) return place.second;
  }
  return std::nullopt;
}

std::optional<SocketNo> PortPool::shared_socket(Turn& turn) {
  const auto end = places_.upper_bound({turn.address, turn.range.last});
  auto at = places_.lower_bound({turn.address, turn.next});
  if (at == end) at = places_.lower_bound({turn.address, turn.range.first});
  if (at == end) return std::nullopt;
  turn.next = after(at->first.second, turn.range);
  return at->second;
}

std::optional<SocketNo> PortPool::free_socket() {
  if (!free_.empty()) {
    const auto socket = free_.back();
    free_.pop_back();
    return socket;
  }
  const auto number = first_.value + entries_.size();
  if (number > UINT16_MAX) return std::nullopt;
  entries_.emplace_back();
  return SocketNo{static_cast<std::uint16_t>(number)};
}

std::optional<PortPool::Lease> PortPool::take(std::uint16_t address, PortRange range,
                                              const Member& member, TimePoint now) {
  const auto place = turn_of(address, range);
  auto& turn = turns_[place];
  const auto port = free_port(turn, now);
  const auto fresh = port ? free_socket() : std::nullopt;
  const auto socket = fresh ? fresh : shared_socket(turn);
  if (!socket) return std::nullopt;
  auto& at = entry(*socket);
  if (fresh) {
    at = {{address, *port}, place, false, {}};
    places_[at.place] = *socket;
    ++turn.used;
  }
  at.members.push_back(member);
  return Lease{*socket, at.place.second, fresh.has_value(), at.is_open};
}

void PortPool::remove(SocketNo socket) {
  auto& at = entry(socket);
  places_.erase(at.place);
  --turns_[at.turn].used;
  at = {};
  free_.push_back(socket);
}

bool PortPool::give_back(SocketNo socket, const Member& member) {
  auto& at = entry(socket);
  std::erase(at.members, member);
  if (!at.members.empty()) return false;
  remove(socket);
  return true;
}

void PortPool::on_opened(SocketNo socket) {
  if (!members(socket).empty()) entry(socket).is_open = true;
}

std::vector<PortPool::Member> PortPool::on_refused(SocketNo socket, bool taken, TimePoint now) {
  if (members(socket).empty()) return {};
  auto waiting = std::move(entry(socket).members);
  if (taken) taken_[entry(socket).place] = now + kTakenFor;
  remove(socket);
  return waiting;
}

std::span<const PortPool::Member> PortPool::members(SocketNo socket) const {
  const std::size_t at = owns(socket) ? socket.value - std::size_t{first_.value} : entries_.size();
  if (at >= entries_.size()) return {};
  return entries_[at].members;
}

std::size_t PortPool::sharing_members() const {
  std::size_t count = 0;
  for (const auto& entry : entries_) {
    if (entry.members.size() > 1) count += entry.members.size();
  }
  return count;
}

}  // namespace wormhole
