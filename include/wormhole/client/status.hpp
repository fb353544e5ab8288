// What one can see of a client: plain values, taken as a snapshot.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "wormhole/base/endpoint.hpp"
#include "wormhole/base/ids.hpp"
#include "wormhole/base/time.hpp"
#include "wormhole/congestion/link_state.hpp"
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

/// What the way in use carries in one packet, and what became of datagrams that are larger.
struct MtuStatus {
  std::size_t ip = 0;             ///< bytes of the largest IP packet that is known to pass
  std::size_t udp_payload = 0;    ///< the same less the IP and UDP headers
  bool searching = false;         ///< it may be more
  std::uint64_t black_holes = 0;  ///< times that the path ceased to carry what it had carried
  std::uint64_t datagrams = 0;    ///< applications' datagrams sent to the peer, by any way
  std::uint64_t fragmented = 0;   ///< of them: larger, so sent in fragments
};

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
  std::optional<MtuStatus> mtu{};            ///< nothing without a path
};

/// One way to one peer, while something is known of it.
struct LinkStatus {
  std::string peer;  ///< its ID
  ClientNo number;
  PathKind way = PathKind::kRelay;
  LinkState state;
};

enum class AppState : std::uint8_t { kUnknown, kListening, kNotListening };

struct DropCount {
  std::string cause;
  std::uint64_t count = 0;
};

/// The connection that carries the streams of all TCP flows with a peer (those with p2p: off have
/// another one).
struct StreamPeerStatus {
  std::string peer;
  bool up = false;
  std::size_t streams = 0;         ///< open now, of all flows
  std::uint64_t bytes_resent = 0;  ///< by this end
  std::optional<Duration> rtt;
  std::uint64_t window = 0;  ///< the congestion window, bytes
  std::uint64_t in_flight = 0;
};

/// What only TCP flows have.
struct TcpFlowStatus {
  std::size_t open = 0;       ///< applications' connections now
  std::uint64_t opened = 0;   ///< so far, refused ones included
  std::uint64_t refused = 0;  ///< nobody could be reached, or the target refused
  std::uint64_t cut = 0;      ///< receivers (fanout: copy) that were too slow
  std::string last_error;     ///< who refused, or was cut, and why
  std::vector<StreamPeerStatus> peers;
};

/// How a UDP flow goes to several receivers.
struct SpreadStatus {
  std::size_t uploads = 0;  ///< of each datagram
  std::size_t grouped = 0;  ///< receivers that share uploads
  std::size_t alone = 0;    ///< receivers with an upload, or a direct path, of their own
};

/// Datagrams that wait in this client for the uplink.
struct QueueStatus {
  std::size_t packets = 0;  ///< now
  std::size_t bytes = 0;
  Duration delay{};  ///< that the oldest has waited; where none waits, that the last one had
};

/// This client's own uplink.
struct UplinkStatus {
  bool shaping = false;     ///< it is full: what does not fit waits here, by priority
  double rate_bps = 0;      ///< of IP packets that may leave; while shaping
  std::size_t backlog = 0;  ///< bytes that wait
};

/// What an impaired flow's datagrams have met with on this client.
struct ImpairStatus {
  std::string profile;          ///< empty: it has no name
  std::uint64_t offered = 0;    ///< by applications
  std::vector<DropCount> lost;  ///< by cause: loss, handover, limit, memory
  std::uint64_t delayed = 0;
  Duration mean_delay{};  ///< of those
  std::uint64_t duplicated = 0;
  std::uint64_t reordered = 0;  ///< left at once, ahead of those that waited
  std::uint64_t corrupted = 0;
  std::size_t held = 0;  ///< now
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
  std::optional<TcpFlowStatus> tcp{};    ///< of a TCP flow
  std::optional<SpreadStatus> spread{};  ///< of a UDP flow that goes to several receivers
  QueueStatus queue{};                   ///< of a UDP flow
  std::optional<ImpairStatus> impair{};  ///< of a flow that is impaired
  std::optional<LinkState> link{};       ///< what carries it, while something is known of that
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

/// Who outside hears of links, and what became of it (docs/congestion.md).
struct LinkOutletsStatus {
  struct Notified {
    Endpoint to;
    std::uint64_t sent = 0, failed = 0;  ///< lines
  };
  struct Hook {
    std::string command;
    std::uint64_t runs = 0, failures = 0, kills = 0;
    std::uint64_t skipped = 0;  ///< events that a newer one of the same link has replaced
    std::string outcome;        ///< of the last run, in words; empty before it
  };
  std::vector<Notified> notify;
  std::optional<Hook> hook;
  std::size_t listeners = 0;                               ///< of events, now
  std::uint64_t listeners_cut = 0, listeners_refused = 0;  ///< too slow; too many
};

struct ClientStatus {
  std::string id;
  ServerLinkStatus server;
  std::vector<PeerStatus> peers;
  std::vector<FlowStatus> flows;
  std::vector<LinkStatus> links;
  std::vector<OfferStatus> offers;
  UplinkStatus uplink;
  NatFindings nat;               ///< nothing is known before the first answer
  std::vector<DropCount> drops;  ///< frames that belonged to no flow, by cause
  LinkOutletsStatus outlets;     ///< filled in by who runs the core
};

}  // namespace wormhole
