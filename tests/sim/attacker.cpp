#include "sim/attacker.hpp"

#include <algorithm>
#include <utility>

namespace wormhole::sim {

bool at_server(const Endpoint& endpoint) {
  const auto net = IpAddress::v4(198, 51, 100, 0);
  return std::equal(net.bytes.begin(), net.bytes.end() - 1, endpoint.address.bytes.begin());
}

Attacker::Attacker(World& world) : world_(world) {
  world.internet().set_tap([this](Packet& packet) {
    if (captured_.size() < kMaxCaptured) captured_.push_back(packet);
    if (!on_packet) return true;
    const auto before = packet.bytes;
    const bool passes = on_packet(packet);
    packet.genuine = packet.genuine && packet.bytes == before;
    return passes;
  });
}

std::vector<Packet> Attacker::captured_of(std::uint8_t type) const {
  std::vector<Packet> found;
  std::copy_if(captured_.begin(), captured_.end(), std::back_inserter(found),
               [type](const Packet& p) { return !p.bytes.empty() && p.bytes.front() == type; });
  return found;
}

void Attacker::replay(const Packet& packet, const Endpoint& from) {
  send(from, packet.to, packet.bytes);
}

void Attacker::send(const Endpoint& from, const Endpoint& to, std::vector<std::uint8_t> bytes) {
  world_.internet().inject({from, to, std::move(bytes)});
}

std::vector<std::uint8_t> Attacker::noise() {
  constexpr std::uint8_t kTypes[] = {0x01, 0x02, 0x03, 0x10, 0x11, 0x12, 0x13};
  std::vector<std::uint8_t> bytes(world_.rng().below(300));
  world_.rng().fill(bytes);
  if (!bytes.empty() && world_.rng().below(2) == 0) {
    bytes.front() = kTypes[world_.rng().below(std::size(kTypes))];
  }
  return bytes;
}

Endpoint Attacker::somewhere() {
  return {IpAddress::v4(203, 0, 113, static_cast<std::uint8_t>(200 + world_.rng().below(50))),
          static_cast<std::uint16_t>(1024 + world_.rng().below(60000))};
}

}  // namespace wormhole::sim
