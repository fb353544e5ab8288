// Many clients in one process and thread: real cores on real sockets, against a real server.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "shell/datagram_receiver.hpp"
#include "shell/file_descriptor.hpp"
#include "wormhole/client/client.hpp"
#include "wormhole/crypto/keys.hpp"
#include "wormhole/shell/system_rng.hpp"

namespace wormhole {

/// Clients are called c0, c1, …
std::string id_of(std::size_t n);
/// The same key for the same client in every step of a benchmark; worthless outside of it.
KeyPair key_of(std::size_t n);

/// Makes DIR/state and what a client must know of the network; opens DIR/routes.yaml with its
/// server section and `count` clients, which the caller follows with the flows. Empty: it failed,
/// and standard error says why.
std::string begin_routes(const std::string& dir, const Endpoint& server, const std::string& more,
                         std::size_t count);
/// What begin_routes has left for the second step.
NetworkIdentity network_of(const std::string& dir);

/// One client core on one socket.
struct Member {
  Member(std::size_t n, const NetworkIdentity& network, SystemRng& rng);

  struct FlowAt {
    std::string name;
    AppPort port;
    std::uint16_t at = 0;
  };
  FileDescriptor fd;
  std::unique_ptr<Client> core;
  std::vector<FlowAt> flows;  ///< opened so far, each as told last
};

class Crowd {
 public:
  Crowd(const std::string& dir, std::size_t count, const Endpoint& server);

  /// What has arrived, and a share of the timers; waits so long for the first datagram.
  void turn(int wait_ms = 1);
  /// All of them; returns when the server has answered each.
  void connect();
  /// Sends what a core has said, and answers what it asks for.
  void settle(Member& member);

  /// While `counting`, frames as large as this that the server sends on are only counted. Else the
  /// cores get everything: they find out how large a datagram may be, for example.
  static constexpr std::size_t kDataSize = 1200;
  bool counting = false;
  std::uint64_t data_received = 0;
  std::vector<std::unique_ptr<Member>> members;
  /// Of all of them: it is emptied after each call. Room for 2,800 copies of a full-size datagram.
  ClientOutbox out{std::size_t{4} << 20};

 private:
  void read(Member& member);
  void tend(std::size_t count);

  Endpoint server_;
  SystemRng rng_;
  FileDescriptor poll_;
  NetReceiver receiver_;
  std::size_t next_to_tend_ = 0;
};

}  // namespace wormhole
