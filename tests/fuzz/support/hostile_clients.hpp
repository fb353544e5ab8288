// A real server and three ends with genuine keys that say what they are told to: drone3, gcs4, and
// a stranger with an invite for drone9.
#pragma once

#include <array>
#include <memory>
#include <set>

#include "fuzz/support/hostile_end.hpp"
#include "fuzz/support/parties.hpp"

namespace wormhole::fuzz {

class HostileClients {
 public:
  static constexpr std::size_t kGcsEnd = 1;
  static constexpr std::size_t kStrangerEnd = 2;

  /// All three have a session.
  HostileClients();

  /// A handshake with this payload (the ID's hash is filled in); the session stays as it was when
  /// the server does not answer or refuses.
  void connect(std::size_t who, InitPayload payload);
  void control(std::size_t who, Bytes plaintext);
  void stream(std::size_t who, Bytes bytes);
  /// Says whether the server forwarded it.
  bool relay(std::size_t who, FlowNo flow, std::uint32_t index, Bytes sealed);
  void raw(std::size_t who, Bytes datagram);
  /// From now on it sends from its own address (0) or another one, perhaps somebody else's.
  void move(std::size_t who, std::uint8_t where);
  void pause(Duration duration);
  /// Empties the tray; how many relayed frames were in it.
  std::size_t pump();

  Server& server() { return server_; }
  ServerOutbox& out() { return out_; }
  TimePoint now() const { return now_; }

 private:
  struct End {
    const KeyPair& keys;
    std::string id;
    Endpoint home;
    Endpoint at = home;
    std::unique_ptr<HostileEnd> session = nullptr;
    Buffer last_resp = {};
  };
  std::size_t say(std::size_t who, Bytes datagram);

  SeededRng rng_{3};
  TimePoint now_ = kStart;
  Server server_{server_config(), plan_network(network(), directory(), nullptr), rng_};
  ServerOutbox& out_;
  std::array<End, 3> ends_;
  std::set<Endpoint> heard_;  ///< addresses that have said something
};

}  // namespace wormhole::fuzz
