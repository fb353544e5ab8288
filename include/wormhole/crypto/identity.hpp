// Who may call itself what: the network's signing key, one-time invites, bindings of ID and key.
//   network signing key  --statement-->  T (one-time Ed25519 key in the invite)  --proof-->  client
//   key
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "wormhole/base/endpoint.hpp"
#include "wormhole/base/result.hpp"
#include "wormhole/crypto/handshake.hpp"

namespace wormhole {

using Signature = std::array<std::uint8_t, 64>;

/// An Ed25519 key pair (RFC 8032), held as its seed.
struct SigningKey {
  SecretKey seed;
  PublicKey public_key;
  static SigningKey generate(Rng& rng);
  static SigningKey from_seed(const SecretKey& seed);
  Signature sign(Bytes message) const;
};
bool verify(const PublicKey& key, Bytes message, const Signature& signature);

/// The network's statement "T may bind `id` once before `expires_s`".
struct InviteStatement {
  std::string id;
  PublicKey invite_key;         ///< T's public half
  std::uint64_t serial = 0;     ///< a higher serial replaces an older binding of the same ID
  std::uint64_t expires_s = 0;  ///< Unix seconds by the server's clock; only the server checks it
  Signature signature{};        ///< by the network's signing key
  bool operator==(const InviteStatement&) const = default;
};
InviteStatement make_statement(const SigningKey& network_key, const NetworkId& network,
                               std::string id, const PublicKey& invite_key, std::uint64_t serial,
                               std::uint64_t expires_s);

/// A binding of ID and X25519 key. `chain` is absent for a key given by hand in the YAML (`key:`)
/// while the signing key is offline: peers accept it only where their operator pinned that key.
struct KeyBinding {
  std::string id;
  PublicKey key;
  struct Chain {
    InviteStatement statement;
    Signature proof{};  ///< T's signature over network, id, serial and key
    bool operator==(const Chain&) const = default;
  };
  std::optional<Chain> chain;
  std::uint64_t serial() const { return chain ? chain->statement.serial : 0; }
  bool operator==(const KeyBinding&) const = default;
};
/// The client's part: T signs its new key.
KeyBinding make_binding(const SecretKey& invite_seed, const NetworkId& network,
                        const InviteStatement& statement, const PublicKey& client_key);
/// True when the binding has a chain, and each link of it is genuine and about this ID, serial and
/// key.
bool verify_binding(const KeyBinding& binding, const PublicKey& network_key,
                    const NetworkId& network);

/// What a client must know of its server and network.
struct NetworkIdentity {
  NetworkId network{};
  PublicKey server_key;  ///< X25519
  KnockKey knock{};
  PublicKey signing_key;  ///< Ed25519, public half
};

/// Everything that `wormhole invite` prints and `wormhole enroll` reads.
struct InviteCode {
  std::string server_name;          ///< DNS name, may be empty; tried first
  std::vector<Endpoint> addresses;  ///< 1–8
  NetworkIdentity network;
  InviteStatement statement;
  SecretKey invite_seed;
};
/// "wormhole-invite-1." + base64url(body ‖ first 8 bytes of its BLAKE2b-256). One line, no spaces.
/// Contract: 1–8 addresses, a valid ID, and a server name of letters, digits and ". _ -" only, at
/// most 253 characters (RFC 1035 2.3.4).
std::string encode_invite(const InviteCode& code);
/// Ignores whitespace around and inside (mail programs wrap). Errors say "cut short or mistyped"
/// (checksum), "not an invite code" (prefix) or "made by a newer version". Signatures are the
/// server's to check.
Result<InviteCode> decode_invite(std::string_view text);
/// What INIT's invite_hash field carries: BLAKE2b-128("wh1 invite" ‖ T's public half).
Mac invite_hash(const PublicKey& invite_key);
/// What INIT's id_hash field carries: BLAKE2b-128("wh1 id" ‖ id).
Mac id_hash(std::string_view id);

}  // namespace wormhole
