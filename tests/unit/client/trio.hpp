// A server and two clients or more wired directly to each other: no network model, no loss, for
// tests of one path at a time.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "wormhole/client/client.hpp"
#include "wormhole/server/server.hpp"

namespace wormhole::testing {

/// Enrolled clients: drone3, and one receiver or more from gcs4 on. One flow "mavlink" between
/// drone3 and gcs4, one flow "video" from drone3 to all receivers.
class Trio {
 public:
  static constexpr std::size_t kMostClients = 4;
  /// `p2p`: the clients may find a direct path; else everything goes by the relay.
  explicit Trio(bool p2p = false, std::size_t receivers = 1);

  /// Runs until nothing is under way at this moment, jumping through timers up to `until`.
  void run(Duration duration);
  /// Sends video until one upload serves all receivers, and frames of 1,200 bytes fit.
  void warm_up_group();
  /// Puts another configuration of the same clients and flows in force, and lets the news travel.
  void reload(const Network& changed);
  /// An application of `who` (0 drone3, 1 gcs4, …) sends to a port.
  void app_send(std::size_t who, AppPort port, std::string_view text);
  void app_send(std::size_t who, FlowNo flow, std::string_view text) {
    app_send(who, AppPort{flow, ClientNo{}}, text);
  }

  /// A genuine binding, as an enrolment makes it.
  KeyBinding bind(const std::string& id, const PublicKey& key, std::uint64_t serial);
  /// A new process of `who`, in place of the one before.
  void start_client(std::size_t who, const std::map<std::string, PeerPin>& pins);
  /// From now on the server says that this is gcs4.
  void announce_gcs(const KeyBinding& binding);

  struct Delivered {
    std::size_t who;
    AppPort port;
    Endpoint to;
    std::string text;
  };
  std::vector<Delivered> delivered;
  std::vector<ClientCommand> commands[kMostClients];
  TimePoint now{1000s};
  SeededRng rng{7};
  SigningKey signing;
  NetworkIdentity identity;
  std::size_t count;  ///< of clients
  KeyPair keys[kMostClients];
  Network network;  ///< what the server was started with
  Directory directory;
  bool cut[kMostClients] = {};                    ///< nothing passes to or from this client
  bool only_shared_port = false;                  ///< a firewall before the server
  std::map<SocketNo, std::uint16_t> relay_ports;  ///< open ones
  /// Which socket of the server a datagram to `at` reaches.
  std::optional<SocketNo> server_socket(const Endpoint& at) const;
  std::unique_ptr<Server> server;
  std::unique_ptr<Client> clients[kMostClients];
  ServerOutbox server_out;
  ClientOutbox client_out[kMostClients];

  static constexpr FlowNo kMavlink{1};
  static constexpr FlowNo kVideo{2};

 private:
  struct UnderWay {
    Endpoint from;
    Endpoint to;
    std::vector<std::uint8_t> bytes;
  };
  void collect_client(std::size_t who);
  void collect_server();
  bool deliver_one();
  std::deque<UnderWay> under_way_;
};

inline const Endpoint kServerAt = *Endpoint::parse("198.51.100.10:7700");
inline const Endpoint kClientAt[Trio::kMostClients] = {
    *Endpoint::parse("203.0.113.8:41001"), *Endpoint::parse("203.0.113.16:41002"),
    *Endpoint::parse("203.0.113.24:41003"), *Endpoint::parse("203.0.113.32:41004")};
inline const Endpoint kAppAt = *Endpoint::parse("127.0.0.1:14551");

}  // namespace wormhole::testing
