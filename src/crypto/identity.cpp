#include "wormhole/crypto/identity.hpp"

#include <sodium.h>

#include "crypto/byte_writer.hpp"
#include "crypto/secret_array.hpp"
#include "wormhole/base/ids.hpp"

namespace wormhole {
namespace {

/// What the network's signing key signs.
std::vector<std::uint8_t> signed_part(const InviteStatement& statement, const NetworkId& network) {
  return ByteWriter()
      .text("wh1 invite")
      .bytes(network)
      .lp(statement.id)
      .bytes(statement.invite_key.bytes)
      .number(statement.serial)
      .number(statement.expires_s)
      .take();
}

/// What T signs.
std::vector<std::uint8_t> proof_part(const InviteStatement& statement, const NetworkId& network,
                                     const PublicKey& client_key) {
  return ByteWriter()
      .text("wh1 bind")
      .bytes(network)
      .lp(statement.id)
      .number(statement.serial)
      .bytes(client_key.bytes)
      .take();
}

}  // namespace

SigningKey SigningKey::generate(Rng& rng) {
  SecretKey seed;
  rng.fill(seed.bytes);
  return from_seed(seed);
}

SigningKey SigningKey::from_seed(const SecretKey& seed) {
  SigningKey key{seed, {}};
  SecretArray<crypto_sign_SECRETKEYBYTES> expanded;
  crypto_sign_seed_keypair(key.public_key.bytes.data(), expanded.bytes.data(), seed.bytes.data());
  return key;
}

Signature SigningKey::sign(Bytes message) const {
  // Derived anew and not put together from seed and public_key: signing with a public key that does
  // not belong to the seed would give the seed away.
  SecretArray<crypto_sign_SECRETKEYBYTES> expanded;
  PublicKey ignored;
  crypto_sign_seed_keypair(ignored.bytes.data(), expanded.bytes.data(), seed.bytes.data());
  Signature signature{};
  crypto_sign_detached(signature.data(), nullptr, message.data(), message.size(),
                       expanded.bytes.data());
  return signature;
}

bool verify(const PublicKey& key, Bytes message, const Signature& signature) {
  return crypto_sign_verify_detached(signature.data(), message.data(), message.size(),
                                     key.bytes.data()) == 0;
}

InviteStatement make_statement(const SigningKey& network_key, const NetworkId& network,
                               std::string id, const PublicKey& invite_key, std::uint64_t serial,
                               std::uint64_t expires_s) {
  WH_ASSERT(is_valid_name(id));
  InviteStatement statement{std::move(id), invite_key, serial, expires_s, {}};
  statement.signature = network_key.sign(signed_part(statement, network));
  return statement;
}

KeyBinding make_binding(const SecretKey& invite_seed, const NetworkId& network,
                        const InviteStatement& statement, const PublicKey& client_key) {
  const auto invite_key = SigningKey::from_seed(invite_seed);
  const auto proof = invite_key.sign(proof_part(statement, network, client_key));
  return {statement.id, client_key, KeyBinding::Chain{statement, proof}};
}

bool verify_binding(const KeyBinding& binding, const PublicKey& network_key,
                    const NetworkId& network) {
  if (!binding.chain || !is_valid_name(binding.id)) return false;
  const auto& [statement, proof] = *binding.chain;
  return statement.id == binding.id &&
         verify(network_key, signed_part(statement, network), statement.signature) &&
         verify(statement.invite_key, proof_part(statement, network, binding.key), proof);
}

Mac invite_hash(const PublicKey& invite_key) {
  Mac hash{};
  blake2b(hash, {}, {as_bytes("wh1 invite"), invite_key.bytes});
  return hash;
}

Mac id_hash(std::string_view id) {
  Mac hash{};
  blake2b(hash, {}, {as_bytes("wh1 id"), as_bytes(id)});
  return hash;
}

}  // namespace wormhole
