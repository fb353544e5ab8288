#include "wormhole/crypto/keys.hpp"

#include <sodium.h>

#include <algorithm>

#include "wormhole/base/result.hpp"

namespace wormhole {

void crypto_init() { WH_ASSERT(sodium_init() >= 0); }

bool PublicKey::is_zero() const {
  return std::all_of(bytes.begin(), bytes.end(), [](std::uint8_t byte) { return byte == 0; });
}

SecretKey::~SecretKey() { sodium_memzero(bytes.data(), bytes.size()); }

KeyPair KeyPair::generate(Rng& rng) {
  SecretKey secret;
  rng.fill(secret.bytes);
  return from_secret(secret);
}

KeyPair KeyPair::from_secret(const SecretKey& secret) {
  KeyPair pair{secret, {}};
  // Never fails: a clamped scalar times the base point is never zero (RFC 7748 5).
  WH_ASSERT(crypto_scalarmult_base(pair.public_key.bytes.data(), secret.bytes.data()) == 0);
  return pair;
}

void blake2b(MutBytes out, Bytes key, std::initializer_list<Bytes> parts) {
  WH_ASSERT(out.size() >= crypto_generichash_BYTES_MIN);
  crypto_generichash_state state;
  WH_ASSERT(crypto_generichash_init(&state, key.data(), key.size(), out.size()) == 0);
  for (const Bytes part : parts) crypto_generichash_update(&state, part.data(), part.size());
  crypto_generichash_final(&state, out.data(), out.size());
  sodium_memzero(&state, sizeof state);
}

bool equal_secret(Bytes a, Bytes b) {
  return a.size() == b.size() && sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace wormhole
