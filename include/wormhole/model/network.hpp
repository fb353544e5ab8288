// What routes.yaml says, as typed immutable values. How it is written is config's business.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
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

struct Flow {
  std::string name;
  Protocol protocol = Protocol::kUdp;
  std::uint16_t port = 0;
  std::vector<Route> routes;
  Deliver deliver;                             ///< for members without an entry below
  std::map<std::string, Deliver> deliver_for;  ///< per ID
  bool operator==(const Flow&) const = default;
  const Deliver& deliver_of(const std::string& id) const;
};

struct ClientEntry {
  std::string id;
  std::optional<PublicKey> key;  ///< given by hand; else learnt at enrolment
  bool operator==(const ClientEntry&) const = default;
};

/// One public address of the server and where to bind for it (they differ behind 1:1 NAT).
struct ServerAddress {
  IpAddress public_address;
  IpAddress bind;
  bool operator==(const ServerAddress&) const = default;
};

struct ServerSettings {
  std::string name;  ///< DNS name, may be empty
  std::vector<ServerAddress> addresses;
  std::uint16_t port = 7700;
  std::string state_dir = "/var/lib/wormhole";
  bool operator==(const ServerSettings&) const = default;
};

/// The whole file.
struct Network {
  ServerSettings server;
  std::vector<ClientEntry> clients;                        ///< in the file's order
  std::map<std::string, std::vector<std::string>> groups;  ///< group → IDs, expanded
  std::vector<Flow> flows;                                 ///< in the file's order
  const ClientEntry* find_client(std::string_view id) const;
};

}  // namespace wormhole
