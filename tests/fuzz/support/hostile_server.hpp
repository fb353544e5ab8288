// A server that holds the genuine key and says what it is told to, with a peer beside it who does
// too. The client under test is drone3.
#pragma once

#include <memory>
#include <vector>

#include "fuzz/support/hostile_end.hpp"
#include "fuzz/support/parties.hpp"

namespace wormhole::fuzz {

class HostileServer {
 public:
  /// Connects the client and says the usual roster: gcs4 is online, both flows.
  HostileServer();

  void hop_control(Bytes plaintext);
  void hop_stream(Bytes bytes);
  void hop_message(std::uint8_t kind, Bytes body);
  void peer_control(Bytes plaintext);
  void peer_data(FlowNo flow, Bytes plaintext);
  void raw(Bytes datagram);
  void app_datagram(FlowNo flow, std::size_t size);
  void pause(Duration duration);
  /// From now on INITs get this verdict and boot id.
  void answer_with(std::uint8_t verdict, std::uint64_t boot_id);
  /// Takes what the client says, and answers its handshakes and pings.
  void pump();

  Client& client() { return client_; }
  ClientOutbox& out() { return out_; }
  TimePoint now() const { return now_; }

 private:
  void to_client(const Buffer& datagram);
  void on_datagram(Bytes datagram);
  void on_init(Bytes init);
  void on_control(Bytes plaintext);
  void on_peer_handshake(const HandshakeCarriage& item);

  SeededRng rng_{2};
  TimePoint now_ = kStart;
  Client client_{client_config("drone3", 101), rng_};
  ClientOutbox& out_;
  RespPayload answer_;
  std::unique_ptr<HostileEnd> hop_;
  std::unique_ptr<HostileEnd> peer_;
};

}  // namespace wormhole::fuzz
