// Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b (Noise specification rev. 34) and our two messages around
// it. The same machine serves the hop (client–server) and end to end (client–client).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "wormhole/crypto/keys.hpp"

namespace wormhole {

inline constexpr std::size_t kInitSize = 192;
inline constexpr std::size_t kRespSize = 100;
inline constexpr std::size_t kCookieSize = 64;
inline constexpr std::size_t kInitPayloadSize = 56;
inline constexpr std::size_t kRespPayloadSize = 24;
inline constexpr std::size_t kMacSize = 16;

using KnockKey = std::array<std::uint8_t, 32>;
using NetworkId = std::array<std::uint8_t, 16>;
using Mac = std::array<std::uint8_t, kMacSize>;

/// What both ends of a handshake must agree on beforehand.
struct HandshakeContext {
  std::vector<std::uint8_t> prologue;  ///< hop_prologue() or e2e_prologue()
  KnockKey knock{};                    ///< strangers without it get no answer
  SecretKey psk;                       ///< all zero when there is none
};

/// "wormhole/1 hop" ‖ network id.
std::vector<std::uint8_t> hop_prologue(const NetworkId& network);
/// "wormhole/1 e2e" ‖ network id ‖ lp(initiator id) ‖ lp(responder id); lp = one length byte, then
/// it.
std::vector<std::uint8_t> e2e_prologue(const NetworkId& network, std::string_view initiator,
                                       std::string_view responder);

/// What a finished handshake leaves: one key per direction, seen from this side.
struct TransportKeys {
  SecretKey send;
  SecretKey receive;
};

/// Key of MAC1 towards the owner of `responder`: BLAKE2b-256("mac1" ‖ responder ‖ knock). Compute
/// once.
SecretKey mac1_key(const PublicKey& responder, const KnockKey& knock);
/// Checks MAC1 of an INIT (size kInitSize) or RESP (size kRespSize) in constant time; needs no key
/// agreement, so it comes first. 0.5–0.7 µs.
bool check_mac1(Bytes message, const SecretKey& key);

/// The initiator's half. One object is one attempt (one ephemeral key).
class Initiator {
 public:
  /// `responder` is the key the other end must prove.
  Initiator(const KeyPair& self, const PublicKey& responder, const HandshakeContext& context,
            Rng& rng);
  ~Initiator();
  Initiator(Initiator&&) noexcept;
  Initiator& operator=(Initiator&&) noexcept;

  /// Writes the INIT (layout: docs/protocol.md) into `out` (kInitSize bytes). The payload is
  /// sealed; `cookie` fills MAC2. False when the responder's key is a low-order point (all-zero
  /// DH). Call again to re-send with a new cookie: the bytes before MAC2 stay those of the first
  /// call, because sealing another payload would use a nonce twice.
  bool write_init(std::uint32_t sender_index,
                  const std::array<std::uint8_t, kInitPayloadSize>& payload,
                  const std::optional<Mac>& cookie, MutBytes out);

  struct Accepted {
    std::uint32_t peer_index;
    std::array<std::uint8_t, kRespPayloadSize> payload;
    TransportKeys keys;
  };
  /// Reads a RESP and checks its MAC1. Nothing when it is not an authentic answer to this INIT; the
  /// state is then unchanged and the authentic one may still come. It is accepted once.
  std::optional<Accepted> read_resp(Bytes message);
  /// Reads a COOKIE for this INIT: the value to put into the next write_init. Nothing if not
  /// authentic.
  std::optional<Mac> read_cookie(Bytes message) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The responder's half: created by reading an INIT.
class Responder {
 public:
  /// Reads an INIT whose MAC1 was checked. Nothing when it is not authentic. Costs two DH.
  static std::optional<Responder> read_init(const KeyPair& self, const HandshakeContext& context,
                                            Bytes message);
  ~Responder();
  Responder(Responder&&) noexcept;
  Responder& operator=(Responder&&) noexcept;

  const PublicKey& initiator_key() const;
  std::uint32_t initiator_index() const;
  const std::array<std::uint8_t, kInitPayloadSize>& payload() const;

  /// Writes the RESP into `out` (kRespSize bytes) and returns the keys; nothing on a low-order
  /// point, and from the second call on.
  std::optional<TransportKeys> write_resp(std::uint32_t sender_index,
                                          const std::array<std::uint8_t, kRespPayloadSize>& payload,
                                          Rng& rng, MutBytes out);

 private:
  struct State;
  explicit Responder(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace wormhole
