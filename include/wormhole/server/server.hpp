// The server's core: rendezvous and relay. One door in for each kind of input, one tray out.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "wormhole/base/outbox.hpp"
#include "wormhole/base/rng.hpp"
#include "wormhole/base/time.hpp"
#include "wormhole/crypto/identity.hpp"
#include "wormhole/model/network.hpp"

namespace wormhole {

struct ServerConfig {
  KeyPair keys;
  NetworkIdentity network;    ///< server_key equals keys.public_key
  std::uint64_t boot_id = 0;  ///< random per process
};

/// What the state directory knows: numbers that must survive restarts, and who has enrolled.
struct Directory {
  struct Entry {
    ClientNo number;
    std::optional<KeyBinding>
        binding;  ///< absent until enrolled; chainless: a key in the YAML that nobody signed
  };
  std::map<std::string, Entry> clients;  ///< every ID of the network has one
  std::map<std::string, FlowNo> flows;   ///< every flow of the network has one
};

/// A client proved a genuine invite for a key: burn the code and store the binding durably, in one
/// step; then answer with on_enrolled. Not known here: whether the code is known, unused and in
/// date.
struct StoreEnrolment {
  std::uint64_t ticket;
  KeyBinding binding;
};
/// Open a UDP port on one of the server's addresses, as socket `socket`; answer with on_relay_port.
struct OpenRelayPort {
  SocketNo socket;            ///< above those of the addresses
  std::uint16_t address = 0;  ///< its position in ServerSettings::addresses
  std::uint16_t port = 0;
};
/// The number may be used anew from the next command on.
struct CloseRelayPort {
  SocketNo socket;
};
using ServerCommand = std::variant<StoreEnrolment, OpenRelayPort, CloseRelayPort>;

enum class RelayPortAnswer : std::uint8_t {
  kOpen,
  kTaken,   ///< by another program: the next port may be free
  kRefused  ///< for want of descriptors, memory or permission: the next one would fare no better
};

/// Wire values of ENROL_RESULT.
enum class EnrolResult : std::uint8_t {
  kDone = 0,
  kUnknown = 1,
  kUsed = 2,
  kExpired = 3,
  kNotConfigured = 4,
  kStoreFailed = 5,
  kNotGenuine = 6
};

class ServerOutbox : public Outbox {
 public:
  using Outbox::Outbox;
  std::vector<ServerCommand> commands;
  void clear() {
    Outbox::clear();
    commands.clear();
  }
};

/// What one can see of a server.
struct ServerStatus {
  struct ClientRow {
    std::string id;
    bool online = false;
    Endpoint address;
    Duration since{};
    std::uint64_t relayed_packets = 0, relayed_bytes = 0;  ///< sent by this client
  };
  std::vector<ClientRow> clients;
  std::vector<std::pair<std::string, std::uint64_t>> counters;  ///< drops and events by cause
};

class Server {
 public:
  Server(ServerConfig config, Network network, Directory directory, Rng& rng);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// A batch from one bound address. Relayed frames are forwarded by reference to these bytes.
  void on_net_datagrams(SocketNo socket, std::span<const NetDatagram> batch, TimePoint now,
                        ServerOutbox& out);
  /// Answer to StoreEnrolment; on kDone the entry is the client's new one.
  void on_enrolled(std::uint64_t ticket, EnrolResult result, TimePoint now, ServerOutbox& out);
  /// Answer to OpenRelayPort; `error` says why not.
  void on_relay_port(SocketNo socket, RelayPortAnswer answer, const std::string& error,
                     TimePoint now, ServerOutbox& out);
  /// Replaces the configuration: clients that are gone are cut off and their peers told; what did
  /// not change is not touched.
  void set_network(Network network, Directory directory, TimePoint now, ServerOutbox& out);
  void on_timeout(TimePoint now, ServerOutbox& out);
  TimePoint next_deadline() const;
  /// Tells every client to come back in 500 ms plus up to `spread`, which the peers of a restart
  /// need.
  void shutdown(Duration spread, TimePoint now, ServerOutbox& out);

  ServerStatus status(TimePoint now) const;

 private:
  struct Core;
  std::unique_ptr<Core> core_;
};

}  // namespace wormhole
