// Hosts, their links and NATs, and what happens to a datagram between two of them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "sim/event_queue.hpp"
#include "sim/link.hpp"
#include "sim/nat.hpp"
#include "sim/trace.hpp"

namespace wormhole::sim {

struct Packet {
  Endpoint from;
  Endpoint to;
  std::vector<std::uint8_t> bytes;
  /// Made by the core of a node that belongs to the network, and not altered since.
  bool genuine = false;
  /// Hops that it may live; 0: enough.
  std::uint8_t ttl = 0;
};

/// Hops between any two access networks: a datagram with this TTL or less dies in the core.
inline constexpr std::uint8_t kCoreHops = 8;

/// A machine on the network. Owned by the Internet and never removed.
struct Host {
  std::string name;
  std::vector<IpAddress> addresses;  ///< private ones when there is a NAT
  Nat* nat = nullptr;                ///< for IPv4 only, as in the field
  Link up;
  Link down;
  std::set<std::uint16_t> open_ports;   ///< a firewall lets only these in; empty: there is none
  std::function<void(Packet)> receive;  ///< empty: nobody there
};

class Internet {
 public:
  /// Sees each datagram as it crosses the core, and may change it; false swallows it.
  using Tap = std::function<bool(Packet&)>;

  Internet(EventQueue& queue, Trace& trace, Rng& rng, const TimePoint& now);

  Host& add_host(std::string name, std::vector<IpAddress> addresses, Nat* nat = nullptr);
  Nat& add_nat(NatProfile profile, IpAddress external);
  /// Gives a host other addresses, perhaps behind another NAT.
  void move(Host& host, std::vector<IpAddress> addresses, Nat* nat);

  /// From a host through its uplink.
  void send(Host& host, Packet packet);
  /// Straight into the core with any source address: what an attacker can do.
  void inject(Packet packet);
  void set_tap(Tap tap) { tap_ = std::move(tap); }

 private:
  using Next = std::function<void(Packet)>;

  void over(Link& link, Packet packet, const Next& next);
  void leave(Host& host, Packet packet);
  void cross(Packet packet);
  void enter(Packet packet);
  void arrive(Host& host, Packet packet);
  Host* find(const Nat* realm, const IpAddress& address) const;
  Nat* nat_at(const IpAddress& address) const;
  void note(What what, const Packet& packet);

  EventQueue& queue_;
  Trace& trace_;
  Rng& rng_;
  const TimePoint& now_;
  Tap tap_;
  std::vector<std::unique_ptr<Host>> hosts_;
  std::vector<std::unique_ptr<Nat>> nats_;
};

/// The IP packet's size: UDP's header and IPv4's without options or IPv6's.
std::size_t ip_size(const Packet& packet);

}  // namespace wormhole::sim
