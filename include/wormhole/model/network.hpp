// What routes.yaml says, as typed immutable values. How it is written is config's business.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wormhole/base/endpoint.hpp"
#include "wormhole/crypto/keys.hpp"

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
  bool operator==(const Route&) const = default;
};

/// How a receiving client's applications see who has sent.
enum class Addressing : std::uint8_t {
  kShared,  ///< everything comes from the flow's own 127.1.0.1:port
  kPerPeer  ///< each peer has a loopback address of its own
};

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
  Deliver deliver;                             ///< for members without an entry below
  std::map<std::string, Deliver> deliver_for;  ///< per ID
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

/// The whole file.
struct Network {
  ServerSettings server;
  P2pSettings p2p;
  std::vector<ClientEntry> clients;                        ///< in the file's order
  std::map<std::string, std::vector<std::string>> groups;  ///< group → IDs, expanded
  std::vector<Flow> flows;                                 ///< in the file's order
  const ClientEntry* find_client(std::string_view id) const;
};

}  // namespace wormhole
