#include "sim/internet.hpp"

#include <algorithm>
#include <utility>

namespace wormhole::sim {
namespace {

void flip_a_bit(Packet& packet, Rng& rng) {
  if (packet.bytes.empty()) return;
  const auto at = rng.below(static_cast<std::uint32_t>(packet.bytes.size()));
  packet.bytes[at] ^= static_cast<std::uint8_t>(1U << rng.below(8));
  packet.genuine = false;
}

}  // namespace

std::size_t ip_size(const Packet& packet) {
  constexpr std::size_t kUdpOverIpv4 = 8 + 20;  // RFC 768, RFC 791
  constexpr std::size_t kUdpOverIpv6 = 8 + 40;  // RFC 8200
  return packet.bytes.size() + (packet.to.address.is_v4() ? kUdpOverIpv4 : kUdpOverIpv6);
}

Internet::Internet(EventQueue& queue, Trace& trace, Rng& rng, const TimePoint& now)
    : queue_(queue), trace_(trace), rng_(rng), now_(now) {}

Host& Internet::add_host(std::string name, std::vector<IpAddress> addresses, Nat* nat) {
  hosts_.push_back(std::make_unique<Host>());
  auto& host = *hosts_.back();
  host.name = std::move(name);
  move(host, std::move(addresses), nat);
  return host;
}

Nat& Internet::add_nat(NatProfile profile, IpAddress external) {
  nats_.push_back(std::make_unique<Nat>(profile, external, rng_));
  return *nats_.back();
}

void Internet::move(Host& host, std::vector<IpAddress> addresses, Nat* nat) {
  host.addresses = std::move(addresses);
  host.nat = nat;
}

void Internet::note(What what, const Packet& packet) {
  const auto type = packet.bytes.empty() ? std::uint8_t{0} : packet.bytes.front();
  trace_.add({now_, what, packet.from, packet.to, type, packet.bytes.size()});
}

void Internet::over(Link& link, Packet packet, const Next& next) {
  const auto carried = link.carry(ip_size(packet), now_, rng_);
  if (carried.copies.empty()) note(carried.fate, packet);
  if (carried.copies.size() > 1) note(What::kDuplicated, packet);
  for (const auto& copy : carried.copies) {
    auto moved = packet;
    if (copy.corrupt) {
      flip_a_bit(moved, rng_);
      note(What::kCorrupted, moved);
    }
    queue_.at(copy.arrives, [next, moved = std::move(moved)] { next(moved); });
  }
}

void Internet::send(Host& host, Packet packet) {
  const auto& own = host.addresses;
  const bool mine = std::find(own.begin(), own.end(), packet.from.address) != own.end();
  note(mine ? What::kSent : What::kNobody, packet);
  if (!mine) return;  // the system refuses to send from an address that it no longer has
  over(host.up, std::move(packet), [this, &host](Packet p) { leave(host, std::move(p)); });
}

void Internet::leave(Host& host, Packet packet) {
  if (host.nat != nullptr && packet.from.address.is_v4()) {
    const bool hairpin = packet.to.address == host.nat->external();
    const auto source = host.nat->outbound(packet.from, packet.to, now_);
    if (!source || (hairpin && !host.nat->profile().hairpin)) return note(What::kFiltered, packet);
    packet.from = *source;
  }
  cross(std::move(packet));
}

void Internet::inject(Packet packet) {
  note(What::kSent, packet);
  enter(std::move(packet));
}

void Internet::cross(Packet packet) {
  if (packet.ttl != 0 && packet.ttl <= kCoreHops) return note(What::kTtlOver, packet);
  if (tap_ && !tap_(packet)) return note(What::kSwallowed, packet);
  enter(std::move(packet));
}

void Internet::enter(Packet packet) {
  auto* nat = nat_at(packet.to.address);
  if (nat != nullptr) {
    const auto inside = nat->inbound(packet.to, packet.from, now_);
    if (!inside) return note(What::kFiltered, packet);
    packet.to = *inside;
  }
  auto* host = find(nat, packet.to.address);
  if (host == nullptr) return note(What::kNobody, packet);
  over(host->down, std::move(packet), [this, host](Packet p) { arrive(*host, std::move(p)); });
}

void Internet::arrive(Host& host, Packet packet) {
  const auto& mine = host.addresses;
  const bool still_here = std::find(mine.begin(), mine.end(), packet.to.address) != mine.end();
  if (!host.receive || !still_here) return note(What::kNobody, packet);
  if (!host.open_ports.empty() && !host.open_ports.contains(packet.to.port)) {
    return note(What::kFiltered, packet);
  }
  note(What::kArrived, packet);
  host.receive(std::move(packet));
}

Host* Internet::find(const Nat* realm, const IpAddress& address) const {
  for (const auto& host : hosts_) {
    const auto* behind = address.is_v4() ? host->nat : nullptr;
    const auto& own = host->addresses;
    if (behind == realm && std::find(own.begin(), own.end(), address) != own.end()) {
      return host.get();
    }
  }
  return nullptr;
}

Nat* Internet::nat_at(const IpAddress& address) const {
  for (const auto& nat : nats_) {
    if (nat->external() == address) return nat.get();
  }
  return nullptr;
}

}  // namespace wormhole::sim
