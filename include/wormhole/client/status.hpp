// What one can see of a client: plain values, taken as a snapshot.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "wormhole/base/endpoint.hpp"
#include "wormhole/base/time.hpp"
#include "wormhole/model/network.hpp"
#include "wormhole/nat/nat_check.hpp"

namespace wormhole {

struct ServerLinkStatus {
  bool connected = false;
  Endpoint address;  ///< in use, or tried last
  std::string transport = "udp";
  std::optional<Duration> rtt;
  std::optional<Endpoint> observed;  ///< our address as the server sees it
  std::string reason;                ///< why not connected, in one sentence; else empty
};

enum class PathKind : std::uint8_t { kNone, kRelay, kDirect };

struct PeerStatus {
  std::string id;
  bool online = false;
  PathKind path = PathKind::kNone;
  std::string strategy;  ///< how the path was opened: "relay", or one of words(Strategy)
  Duration since{};      ///< age of this path
  std::string reason;    ///< why not direct, or why there is no path
  std::optional<Duration> rtt;
  double loss = 0;  ///< share of the peer's packets that were lost towards us, last 10 s
  std::optional<Endpoint> remote{};          ///< of a direct path: where the peer is
  std::optional<Duration> time_to_direct{};  ///< from knowing the peer online to the direct path
  std::uint32_t campaigns = 0;               ///< punching campaigns so far
};

enum class AppState : std::uint8_t { kUnknown, kListening, kNotListening };

struct DropCount {
  std::string cause;
  std::uint64_t count = 0;
};

struct FlowStatus {
  std::string name;
  Protocol protocol = Protocol::kUdp;
  std::uint16_t port = 0;
  std::string direction;  ///< "send", "receive" or "both"
  std::vector<std::string> peers;
  std::uint64_t tx_packets = 0, tx_bytes = 0, rx_packets = 0,
                rx_bytes = 0;     ///< application datagrams
  double tx_bps = 0, rx_bps = 0;  ///< bits a second over the last whole second
  AppState app = AppState::kUnknown;
  bool port_open = false;
  std::string port_error;  ///< why the port could not be opened
  /// addressing: per-peer: where each peer is, by ID.
  std::vector<std::pair<std::string, Endpoint>> peer_ports;
  std::uint16_t relay_port = 0;  ///< the server's port that carries it alone; 0: the shared one
  std::string relay_hint;        ///< why not a port of its own although the server gave one
  std::vector<DropCount> drops;
};

/// A flow that this client may join and leave by itself.
struct OfferStatus {
  std::string flow;
  Protocol protocol = Protocol::kUdp;
  std::uint16_t port = 0;
  std::vector<Side> sides;   ///< that it may join
  std::vector<Side> joined;  ///< on which it stands, whoever put it there
};

/// The outcome of a NAT check that somebody has asked for.
struct NatCheckReport {
  ServerLinkStatus server;  ///< when it ended
  NatFindings nat;
  bool in_time = false;  ///< false: it was still running, or had not begun without a server
};

struct ClientStatus {
  std::string id;
  ServerLinkStatus server;
  std::vector<PeerStatus> peers;
  std::vector<FlowStatus> flows;
  std::vector<OfferStatus> offers;
  NatFindings nat;               ///< nothing is known before the first answer
  std::vector<DropCount> drops;  ///< frames that belonged to no flow, by cause
};

}  // namespace wormhole
