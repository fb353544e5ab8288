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
#include "wormhole/congestion/link_state.hpp"
#include "wormhole/crypto/identity.hpp"
#include "wormhole/model/network.hpp"
#include "wormhole/server/plan.hpp"

namespace wormhole {

struct ServerConfig {
  KeyPair keys;
  NetworkIdentity network;    ///< server_key equals keys.public_key
  std::uint64_t boot_id = 0;  ///< random per process
  /// The second port, open on each address, for NAT checks; 0: there is none.
  std::uint16_t probe_port = 0;
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
  SocketNo socket;            ///< above those of the addresses and their probe ports
  std::uint16_t address = 0;  ///< its position in ServerSettings::addresses
  std::uint16_t port = 0;
};
/// The number may be used anew from the next command on.
struct CloseRelayPort {
  SocketNo socket;
};
/// A client puts itself on a side of a flow, or takes itself off, as self_join lets it: make it so
/// in routes.yaml and in force (set_network), then answer with on_membership_changed.
struct ChangeMembership {
  std::uint64_t ticket;
  MembershipChange change;  ///< with a side
  std::string id;
};
using ServerCommand = std::variant<StoreEnrolment, ChangeMembership, OpenRelayPort, CloseRelayPort>;

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

/// How routes.yaml and what is in force stand to each other.
struct ConfigStatus {
  std::string file;
  std::uint64_t revision = 0;       ///< grows with each change that came into force
  Duration since{};                 ///< how long this one is in force
  std::vector<std::string> errors;  ///< of a file that was saved and is not used
  std::string held;                 ///< why a valid file waits for confirmation; else empty
};

/// How long things wait for the loop: how late its timers were, over the last 10 s.
struct LoopStatus {
  Duration p99{};
  Duration most{};
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
  ConfigStatus config;  ///< filled in by who runs the core, as is `loop`
  LoopStatus loop;
};

/// What a client has said of one of its links, or of a flow's part of them.
struct LinkSample {
  Duration ago{};
  LinkState state;
};
struct LinkReport {
  std::string peer;     ///< its ID; empty for a flow
  std::string flow;     ///< its name; empty for a whole link
  bool direct = false;  ///< else by the relay; of a link
  LinkSample newest;
  std::size_t samples = 0;          ///< that there are
  std::vector<LinkSample> history;  ///< them, oldest first; empty when it was not asked for
};
struct ClientLinks {
  std::string id;
  bool online = false;
  std::vector<LinkReport> links;
};

class Server {
 public:
  Server(ServerConfig config, std::shared_ptr<const ServerPlan> plan, Rng& rng);
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
  /// Answer to ChangeMembership; `error` is empty when it is in force, else one sentence.
  void on_membership_changed(std::uint64_t ticket, const std::string& error, TimePoint now,
                             ServerOutbox& out);
  /// Replaces the configuration: clients that are gone are cut off and their peers told; what did
  /// not change is not touched. Takes time by what changed when `plan` is based on the one in
  /// force; who keeps that one too can free its memory elsewhere.
  void set_plan(std::shared_ptr<const ServerPlan> plan, TimePoint now, ServerOutbox& out);
  const ServerPlan& plan() const;
  void on_timeout(TimePoint now, ServerOutbox& out);
  TimePoint next_deadline() const;
  /// Tells every client to come back in 500 ms plus up to `spread`, which the peers of a restart
  /// need.
  void shutdown(Duration spread, TimePoint now, ServerOutbox& out);

  ServerStatus status(TimePoint now) const;
  /// What clients said of their links in the last 10 minutes, by client; of one alone if `id` is
  /// not empty. Clients that have said nothing are left out.
  std::vector<ClientLinks> links(const std::string& id, bool history, TimePoint now) const;

 private:
  struct Core;
  std::unique_ptr<Core> core_;
};

}  // namespace wormhole
