// Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b, clause by clause after the Noise specification rev. 34.
// Payloads may have any length and ephemeral keys come from outside, so that published vectors run
// against it; handshake.cpp puts our message layout around it.
#pragma once

#include <array>
#include <cstdint>

#include "crypto/secret_array.hpp"
#include "wormhole/crypto/keys.hpp"
#include "wormhole/crypto/seal.hpp"

namespace wormhole::noise {

/// HASHLEN of BLAKE2b (Noise 12.8).
inline constexpr std::size_t kHashSize = 64;
using Hash = SecretArray<kHashSize>;

/// What a message adds to its payload: e, sealed s and a tag; e and a tag.
inline constexpr std::size_t kFirstOverhead = 32 + (32 + kTagSize) + kTagSize;
inline constexpr std::size_t kSecondOverhead = 32 + kTagSize;

/// HMAC (RFC 2104) over BLAKE2b of the concatenated parts. BLAKE2b's own keyed mode is something
/// else, and Noise's HKDF (4.3) wants this one.
Hash hmac(const Hash& key, Bytes first, Bytes second = {});

/// The transport keys (Noise 5.2, Split).
struct TransportPair {
  SecretKey to_responder;
  SecretKey to_initiator;
};

/// The SymmetricState object (Noise 5.2), with its CipherState inside.
class SymmetricState {
 public:
  explicit SymmetricState(Bytes prologue);

  void mix_hash(Bytes data);
  void mix_key(Bytes input);
  void mix_key_and_hash(Bytes input);
  /// MixKey of a DH result; false when that is all zero, which a low-order point brings about.
  bool mix_dh(const SecretKey& ours, const PublicKey& theirs);
  /// The token e in a handshake with a psk: its hash and its key (Noise 9.2).
  void mix_ephemeral(const PublicKey& key);

  /// Writes plaintext.size() + kTagSize bytes.
  void encrypt_and_hash(Bytes plaintext, MutBytes out);
  /// Writes sealed.size() - kTagSize bytes; false when `sealed` is not authentic.
  bool decrypt_and_hash(Bytes sealed, MutBytes out);

  TransportPair split() const;
  const Hash& handshake_hash() const { return hash_; }

 private:
  Hash chaining_key_;
  Hash hash_;
  SecretKey key_;
  std::uint64_t nonce_ = 0;
};

/// The side that speaks first: -> e, es, s, ss   <- e, ee, se, psk
class Initiator {
 public:
  Initiator(const KeyPair& self, const PublicKey& responder, const SecretKey& psk, Bytes prologue,
            const KeyPair& ephemeral);
  /// Writes payload.size() + kFirstOverhead bytes; false when the responder's key is of low order.
  bool write_first(Bytes payload, MutBytes out);
  /// Fills `payload`; false, and this object unchanged, when it is not the authentic answer.
  bool read_second(Bytes message, MutBytes payload);
  const SymmetricState& symmetric() const { return symmetric_; }

 private:
  KeyPair self_;
  PublicKey responder_;
  SecretKey psk_;
  KeyPair ephemeral_;
  SymmetricState symmetric_;
};

/// The side that answers.
class Responder {
 public:
  Responder(const KeyPair& self, const SecretKey& psk, Bytes prologue);
  /// Fills `payload`; false when the message is not authentic, and the object is then spent.
  bool read_first(Bytes message, MutBytes payload);
  /// Writes payload.size() + kSecondOverhead bytes; false on a low-order point.
  bool write_second(const KeyPair& ephemeral, Bytes payload, MutBytes out);
  const PublicKey& initiator_key() const { return initiator_; }
  const SymmetricState& symmetric() const { return symmetric_; }

 private:
  KeyPair self_;
  SecretKey psk_;
  PublicKey initiator_;
  PublicKey initiator_ephemeral_;
  SymmetricState symmetric_;
};

}  // namespace wormhole::noise
