// A server process with its durable directory, driven as the shell drives the core.
#pragma once

#include <map>
#include <memory>
#include <unordered_map>
#include <vector>

#include "sim/world.hpp"
#include "wormhole/server/server.hpp"

namespace wormhole::sim {

struct ServerSpec {
  KeyPair keys;
  NetworkIdentity network;
  std::uint16_t port = 7700;
};

class ServerNode final : public Node {
 public:
  /// Socket n is the host's n-th address at the time of construction.
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

  Host& host() { return host_; }
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
  EnrolResult store(const KeyBinding& binding);
  void end();

  ServerSpec spec_;
  Host& host_;
  std::vector<IpAddress> addresses_;
  wormhole::Network network_;
  std::unique_ptr<Server> core_;
  std::unique_ptr<ServerOutbox> out_;
  std::uint64_t process_ = 0;
  std::map<std::uint16_t, std::vector<Packet>> inbox_;
  bool waking_ = false;
  std::unordered_map<Endpoint, Exchange> exchanges_;
};

}  // namespace wormhole::sim
