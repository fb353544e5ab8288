// What the tests of this room share: fixed keys, hex, one handshake.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "wormhole/crypto/handshake.hpp"

namespace wormhole::test {

std::string to_hex(Bytes bytes);
/// Contract: pairs of lower-case hex digits.
std::vector<std::uint8_t> from_hex(std::string_view hex);

/// 32 bytes counting up from `first`: recognisable in a dump, and different for each `first`.
std::array<std::uint8_t, 32> counting(std::uint8_t first);
KeyPair key_pair(std::uint8_t first);

/// An order-1, 2, 4 or 8 point, or one of its non-canonical forms: each X25519 with it is zero.
std::vector<PublicKey> low_order_points();

using InitMessage = std::array<std::uint8_t, kInitSize>;
using RespMessage = std::array<std::uint8_t, kRespSize>;

/// Both ends of a hop handshake with fixed keys, an INIT already written.
struct Handshake {
  SeededRng rng{7};
  KeyPair client = key_pair(0x10);
  KeyPair server = key_pair(0x40);
  HandshakeContext context{hop_prologue(NetworkId{1, 2, 3}), counting(0x80), {}};
  std::array<std::uint8_t, kInitPayloadSize> init_payload{1, 1, 0, 0, 9};
  std::array<std::uint8_t, kRespPayloadSize> resp_payload{1, 0, 5};
  Initiator initiator{client, server.public_key, context, rng};
  InitMessage init{};

  Handshake();
  /// The server's check of a message from the network: MAC1, then Noise.
  std::optional<Responder> receive(Bytes message) const;
  /// The authentic answer to `init`, and the server's keys.
  std::pair<RespMessage, TransportKeys> answer();
};

}  // namespace wormhole::test
