// What routes.yaml says, as typed immutable values. How it is written is config's business.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wormhole/base/endpoint.hpp"
#include "wormhole/crypto/keys.hpp"
#include "wormhole/impair/profile.hpp"

namespace wormhole {

enum class Protocol : std::uint8_t { kTcp = 6, kUdp = 17 };  // IANA protocol numbers

/// Where a receiving client hands datagrams over, besides applications that have sent to the port.
struct Deliver {
  enum class Kind : std::uint8_t { kDefault = 0, kNone = 1, kEndpoint = 2 };
  Kind kind = Kind::kDefault;  ///< default: 127.0.0.1:port for a client on 127.1.0.1, else none
  Endpoint endpoint;           ///< for kEndpoint
  bool operator==(const Deliver&) const = default;
};

/// Who, within a route: IDs, already expanded from groups, lists and globs; sorted, without
/// duplicates.
using Members = std::vector<std::string>;

/// How the two ways of a route are impaired; null: not at all. Shared by all who name a profile.
struct Impairment {
  std::shared_ptr<const ImpairProfile> forward;  ///< from → to, first → second, all of a mesh
  std::shared_ptr<const ImpairProfile> back;     ///< second → first
  bool is_set() const { return forward || back; }
  bool operator==(const Impairment& other) const;
};

/// One route of a flow.
struct Route {
  enum class Kind : std::uint8_t {
    kFromTo,   ///< one-way: every `first` sends to every `second`
    kBetween,  ///< two-way: every `first` with every `second`, nobody within a side
    kMesh      ///< everyone of `first` with everyone else of it
  };
  Kind kind = Kind::kFromTo;
  Members first;
  Members second;
  std::optional<Impairment> impair{};  ///< instead of the flow's
  bool operator==(const Route&) const = default;
};

/// How a receiving client's applications see who has sent.
enum class Addressing : std::uint8_t {
  kShared,  ///< everything comes from the flow's own 127.1.0.1:port
  kPerPeer  ///< each peer has a loopback address of its own
};

/// What becomes of a TCP connection that an application makes where several clients may serve it.
enum class Fanout : std::uint8_t {
  kPick,  ///< the first that can be reached, in the order of Flow::preference
  kCopy   ///< what it says goes to all of them
};

/// How datagrams of a UDP flow go to several receivers (`fanout`); the numbers are the wire's.
enum class Spread : std::uint8_t {
  kAuto = 0,   ///< one upload for all, but for those whom the relay would keep waiting
  kRelay = 1,  ///< one upload for all
  kDirect = 2  ///< who has a direct path gets them there, the others by one upload
};

/// Who goes first where the uplink is full; the numbers are the wire's.
enum class Priority : std::uint8_t { kHigh = 0, kNormal = 1, kLow = 2 };

/// How senders of TCP flows find their rate; the numbers are the wire's.
enum class CongestionControl : std::uint8_t { kBbr = 0, kCubic = 1 };

/// The sides of routes, by the word that names them to people.
enum class Side : std::uint8_t { kFrom, kTo, kFirst, kSecond, kMesh };
/// "from", "to", "first", "second" (of between), "mesh".
std::string_view side_name(Side side);
std::optional<Side> side_named(std::string_view name);
/// Whether a route of this kind has the side.
bool has_side(Route::Kind kind, Side side);

struct Flow {
  std::string name;
  Protocol protocol = Protocol::kUdp;
  std::uint16_t port = 0;
  Addressing addressing = Addressing::kShared;
  bool p2p = true;  ///< else it goes by the relay alone
  std::vector<Route> routes;
  std::map<Side, Members> self_join;           ///< who may join and leave which side by itself
  Spread spread = Spread::kAuto;               ///< of a UDP flow
  Impairment impair;                           ///< of a UDP flow, where its routes say nothing else
  Deliver deliver;                             ///< for members without an entry below
  std::map<std::string, Deliver> deliver_for;  ///< per ID
  Priority priority = Priority::kNormal;
  // Of a UDP flow, towards the network.
  std::uint16_t max_age_ms = 0;  ///< what waits longer for the uplink is dropped; 0: as usual
  std::uint32_t rate_kbps = 0;   ///< kbit/s of IP packets that a sender uploads, at most; 0: all
  // Of a TCP flow, where `deliver` is the target.
  Members preference;  ///< all members in the order in which the routes name them, each once
  Fanout fanout = Fanout::kPick;
  std::uint32_t copy_buffer = std::uint32_t{1} << 20;  ///< bytes that a receiver may be behind
  bool proxy_protocol = false;                         ///< the target first hears who dials
  bool operator==(const Flow&) const = default;
  const Deliver& deliver_of(const std::string& id) const;
};

/// What a client asks for by itself.
struct MembershipChange {
  std::string flow;
  std::optional<Side> side;  ///< not needed where only one can be meant
  bool join = true;          ///< else leave
};

struct ClientEntry {
  std::string id;
  std::optional<PublicKey> key;  ///< given by hand; else learnt at enrolment
  bool p2p = true;               ///< else everything of it goes by the relay
  bool operator==(const ClientEntry&) const = default;
};

/// One public address of the server and where to bind for it (they differ behind 1:1 NAT).
struct ServerAddress {
  IpAddress public_address;
  IpAddress bind;
  bool operator==(const ServerAddress&) const = default;
};

/// Ports, both ends included.
struct PortRange {
  std::uint16_t first = 0;
  std::uint16_t last = 0;
  bool operator==(const PortRange&) const = default;
};

/// Ports that relayed members of flows get for themselves, beside the one that all share.
struct RelayPorts {
  bool shared = false;         ///< no ports of their own
  PortRange from{2000, 2999};  ///< senders and first sides
  PortRange to{3000, 3999};    ///< receivers and second sides
  bool operator==(const RelayPorts&) const = default;
};

struct RestSettings {
  bool enabled = true;
  Endpoint listen{IpAddress::v4(127, 0, 0, 1), 7780};
  /// Names that callers may use for this host, beside its addresses, its name and the loopback's.
  std::vector<std::string> hosts;
  bool operator==(const RestSettings&) const = default;
};

struct ServerSettings {
  std::string name;  ///< DNS name, may be empty
  std::vector<ServerAddress> addresses;
  std::uint16_t port = 7700;
  /// A second port on each address, for NAT checks (RFC 5780, 3); 0: none.
  std::uint16_t probe_port = 7701;
  RelayPorts relay_ports;
  RestSettings rest;
  std::string state_dir = "/var/lib/wormhole";
  bool operator==(const ServerSettings&) const = default;
};

/// The names of strategies for direct paths, at the places of their numbers on the wire.
inline constexpr std::array<std::string_view, 7> kStrategyNames{
    "relay", "direct", "cone", "birthday", "range", "sequential", "range-pair"};

/// How direct paths are opened (docs/nat-traversal.md).
struct P2pSettings {
  std::uint16_t forbidden = 0;  ///< bit n: the strategy of the n-th name is not used
  std::uint8_t forced = 0;      ///< the place of the only one that is used; 0: all
  bool strict_keepalive = false;
  std::uint16_t sockets = 256;          ///< a campaign, at most
  std::uint16_t probes = 2048;          ///< a campaign, at most
  std::uint16_t open_rate = 2000;       ///< openings a second
  std::uint16_t probe_rate_from = 100;  ///< probes a second, growing within one …
  std::uint16_t probe_rate_to = 500;    ///< … to this
  /// Heavy campaigns at a time of all clients behind one public address.
  std::uint16_t campaigns_per_address = 1;
  bool operator==(const P2pSettings&) const = default;
};
/// `preset: polite`, for routers that fall over and carriers that flag bursts: half the mappings, a
/// tenth of the openings and a fifth of the probes a second (docs/nat-traversal.md, packet
/// budgets).
inline constexpr P2pSettings kPoliteP2p{
    .sockets = 128, .probes = 1024, .open_rate = 200, .probe_rate_from = 20, .probe_rate_to = 100};

/// For all flows, where they say nothing else.
struct Defaults {
  CongestionControl congestion = CongestionControl::kBbr;
  bool operator==(const Defaults&) const = default;
};

/// The whole file.
struct Network {
  ServerSettings server;
  Defaults defaults;
  P2pSettings p2p;
  std::vector<ClientEntry> clients;                        ///< in the file's order
  std::map<std::string, std::vector<std::string>> groups;  ///< group → IDs, expanded
  std::vector<Flow> flows;                                 ///< in the file's order
  const ClientEntry* find_client(std::string_view id) const;
};

}  // namespace wormhole
