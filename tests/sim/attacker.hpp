// Somebody on the path: sees everything that crosses the core, and sends what he likes.
#pragma once

#include <functional>
#include <vector>

#include "sim/world.hpp"

namespace wormhole::sim {

/// One of the usual server's addresses (RFC 5737's second documentation net), whatever the port.
bool at_server(const Endpoint& endpoint);

class Attacker {
 public:
  /// More than he ever needs; older captures are kept, newer ones are not.
  static constexpr std::size_t kMaxCaptured = 20'000;

  /// Taps the world's core from here on; one attacker a world.
  explicit Attacker(World& world);

  /// What he has seen, as it crossed the core (outside of NATs).
  const std::vector<Packet>& captured() const { return captured_; }
  void forget() { captured_.clear(); }
  /// The captured ones whose first byte is `type`.
  std::vector<Packet> captured_of(std::uint8_t type) const;
  /// May change a datagram under way, or swallow it by returning false.
  std::function<bool(Packet&)> on_packet;

  /// Sends a captured datagram again, to the same place, from any source address.
  void replay(const Packet& packet, const Endpoint& from);
  /// Sends bytes of his own making.
  void send(const Endpoint& from, const Endpoint& to, std::vector<std::uint8_t> bytes);
  /// Random bytes behind a first byte that looks right half of the time.
  std::vector<std::uint8_t> noise();
  /// A source address of nobody (RFC 5737's third documentation net).
  Endpoint somewhere();

 private:
  World& world_;
  std::vector<Packet> captured_;
};

}  // namespace wormhole::sim
