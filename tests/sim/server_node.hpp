// A server process with its durable directory, driven as the shell drives the core.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "sim/world.hpp"
#include "wormhole/server/server.hpp"

namespace wormhole::sim {

struct ServerSpec {
  KeyPair keys;
  NetworkIdentity network;
  std::uint16_t port = 7700;
  std::uint16_t probe_port = 7701;
};

class ServerNode final : public Node {
 public:
  /// Socket n is the host's n-th address at the time of construction; probe ports follow.
  ServerNode(World& world, std::string name, ServerSpec spec, Host& host, wormhole::Network network,
             Directory directory);

  void start();
  /// kill -9.
  void kill();
  /// Announces the restart, then ends.
  void stop(Duration spread);
  bool running() const { return core_ != nullptr; }
  void set_network(wormhole::Network network);
  ServerStatus status() const;
  /// What clients said of their links, with the history.
  std::vector<ClientLinks> links() const;

  Host& host() { return host_; }
  /// The ports open beside the shared one.
  std::set<std::uint16_t> relay_ports() const;
  std::set<std::uint16_t> taken_ports;  ///< by other programs on the host
  std::size_t descriptors = 65535;      ///< so many sockets can be open at once
  std::vector<Endpoint> endpoints() const;
  /// The durable part: survives restarts; may be changed while the server is down.
  Directory directory;
  /// Codes that were given out (T's public half) and whether they have been used.
  std::map<PublicKey, bool> codes;

  TimePoint next_deadline() const override;
  void on_timeout() override;
  void check_bounds() override;

 private:
  /// What went to and fro with one remote endpoint since the start.
  struct Exchange {
    std::uint64_t datagrams_in = 0, bytes_in = 0, datagrams_out = 0, bytes_out = 0;
    bool genuine = false;
  };

  void receive(Packet packet);
  void wake();
  void flush();
  void send_to_network(const NetSend& send);
  bool may_send(const NetSend& send);
  void execute(const StoreEnrolment& command);
  void execute(const OpenRelayPort& command);
  void execute(const CloseRelayPort& command);
  std::optional<SocketNo> socket_at(const Endpoint& at) const;
  std::optional<Endpoint> endpoint_of(SocketNo socket) const;
  void execute(const ChangeMembership& command);
  EnrolResult store(const KeyBinding& binding);
  void end();

  ServerSpec spec_;
  Host& host_;
  std::vector<IpAddress> addresses_;
  std::map<std::uint16_t, Endpoint> relay_sockets_;  ///< by socket number
  wormhole::Network network_;
  std::unique_ptr<Server> core_;
  std::unique_ptr<ServerOutbox> out_;
  std::uint64_t process_ = 0;
  std::map<std::uint16_t, std::vector<Packet>> inbox_;
  bool waking_ = false;
  std::unordered_map<Endpoint, Exchange> exchanges_;
};

}  // namespace wormhole::sim
