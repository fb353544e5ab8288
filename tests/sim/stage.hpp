// The usual network: one server, drone3 and gcs4, the flows mavlink (both ways) and video (one
// way).
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/client_node.hpp"
#include "sim/server_node.hpp"
#include "sim/world.hpp"

namespace wormhole::sim {

struct StageOptions {
  std::vector<std::string> clients = {"drone3", "gcs4"};
  std::vector<std::string> servers = {"198.51.100.10", "198.51.100.11"};
  LinkProfile link = {.delay = 10ms};  ///< of each client, each way; the server's is ideal
  bool nat = true;                     ///< each client behind its own
  NatProfile nat_profile = {};
  /// By ID, instead of the two above; nothing: a public address.
  std::map<std::string, std::optional<NatProfile>> nats = {};
  bool enrolled = true;  ///< the server's directory knows the clients' keys
  RelayPorts relay_ports = {};
  bool p2p = true;  ///< else all clients are told to use the relay alone
  P2pSettings p2p_settings = {};
  std::vector<Flow> more_flows = {};  ///< beside the two; numbered from 3 on
};

/// Owns the nodes of a world. Nothing runs before start().
class Stage {
 public:
  explicit Stage(World& world, StageOptions options = {});

  ServerNode& server() { return *server_; }
  ClientNode& client(const std::string& id) { return *clients_.at(id); }
  ClientNode& drone() { return client("drone3"); }
  ClientNode& gcs() { return client("gcs4"); }

  /// One more host behind its own NAT (or public) with the usual link.
  Host& add_host(const std::string& name);
  /// One more process; `name` tells it apart, `spec.id` may be somebody else's.
  ClientNode& add_client(const std::string& name, ClientSpec spec);
  /// What the client `id` would be started with.
  ClientSpec spec_of(const std::string& id) const;
  /// A server process with our keys but another network and directory.
  std::unique_ptr<ServerNode> make_server(const std::string& name, wormhole::Network network,
                                          Directory directory);

  /// Frames that a client has dropped for that cause.
  std::uint64_t drops(const std::string& id, const std::string& cause);
  /// The NAT in front of a client; null when there is none.
  Nat* nat_of(const std::string& id) { return client(id).host().nat; }
  /// Starts everything; true when every client is ready.
  bool start();
  /// True when it is connected, its flow ports are open and it knows that its peers are online.
  bool ready(const std::string& id);
  /// Runs until a datagram of `from` on `flow` that is sent from now on arrives; how long that
  /// took. Somebody must send: see traffic().
  std::optional<Duration> until_delivery(const std::string& from, const std::string& flow,
                                         Duration limit);
  /// Keeps sending `size` bytes every `interval` until the world ends or stop_traffic().
  void traffic(const std::string& from, const std::string& flow, Duration interval,
               std::size_t size = 200);
  void stop_traffic() { ++traffic_; }
  /// mavlink from drone3 and from gcs4.
  void both_ways(Duration interval, std::size_t size = 200);
  /// Runs until new datagrams have arrived both ways; how long the slower direction took.
  std::optional<Duration> until_both_ways(Duration limit);

  /// A new one-time code for `id`: its secret seed and the statement. The server will know it.
  std::pair<SecretKey, InviteStatement> invite(const std::string& id);
  KeyBinding bind(const std::string& id, const PublicKey& key);

  World& world;
  StageOptions options;
  wormhole::Network network;
  SigningKey signing;
  ServerSpec server_spec;
  std::map<std::string, KeyPair> keys;  ///< of the configured clients

 private:
  wormhole::Network make_network() const;
  Directory make_directory();

  std::unique_ptr<ServerNode> server_;
  std::map<std::string, std::unique_ptr<ClientNode>> clients_;
  std::uint64_t serial_ = 0;
  std::uint64_t traffic_ = 0;
  std::uint8_t hosts_ = 0;
};

}  // namespace wormhole::sim
