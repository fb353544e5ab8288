#include "crypto/noise.hpp"

#include <sodium.h>

#include <algorithm>

#include "crypto/nonce.hpp"
#include "wormhole/base/result.hpp"

namespace wormhole::noise {
namespace {

constexpr std::string_view kProtocolName = "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2b";
constexpr std::size_t kBlockSize = 128;  // BLOCKLEN of BLAKE2b (Noise 12.8)
constexpr std::size_t kKeySize = 32;

// A name that fits is padded with zeros, not hashed (Noise 5.2, InitializeSymmetric).
static_assert(kProtocolName.size() <= kHashSize);

/// HKDF with N outputs (Noise 4.3).
template <std::size_t N>
std::array<Hash, N> hkdf(const Hash& chaining_key, Bytes input) {
  const Hash extracted = hmac(chaining_key, input);
  std::array<Hash, N> outputs;
  Bytes previous;
  for (std::size_t i = 0; i < N; ++i) {
    const Array<1> number{static_cast<std::uint8_t>(i + 1)};
    outputs[i] = hmac(extracted, previous, number);
    previous = outputs[i].bytes;
  }
  return outputs;
}

/// A hash output shortened to a cipher key (Noise 5.2: "If HASHLEN is 64, then truncates").
SecretKey truncated(const Hash& hash) {
  SecretKey key;
  std::copy_n(hash.bytes.begin(), kKeySize, key.bytes.begin());
  return key;
}

PublicKey read_key(Bytes from) {
  PublicKey key;
  copy_bytes(from.first(kKeySize), key.bytes);
  return key;
}

}  // namespace

Hash hmac(const Hash& key, Bytes first, Bytes second) {
  SecretArray<kBlockSize> inner;
  SecretArray<kBlockSize> outer;
  inner.bytes.fill(0x36);  // ipad and opad of RFC 2104 2
  outer.bytes.fill(0x5c);
  for (std::size_t i = 0; i < kHashSize; ++i) {
    inner.bytes[i] ^= key.bytes[i];
    outer.bytes[i] ^= key.bytes[i];
  }
  Hash digest;
  blake2b(digest.bytes, {}, {inner.bytes, first, second});
  Hash result;
  blake2b(result.bytes, {}, {outer.bytes, digest.bytes});
  return result;
}

SymmetricState::SymmetricState(Bytes prologue) {
  copy_bytes(as_bytes(kProtocolName), hash_.bytes);
  chaining_key_ = hash_;
  mix_hash(prologue);
}

void SymmetricState::mix_hash(Bytes data) {
  Hash next;
  blake2b(next.bytes, {}, {hash_.bytes, data});
  hash_ = next;
}

void SymmetricState::mix_key(Bytes input) {
  const auto outputs = hkdf<2>(chaining_key_, input);
  chaining_key_ = outputs[0];
  key_ = truncated(outputs[1]);
  nonce_ = 0;
}

void SymmetricState::mix_key_and_hash(Bytes input) {
  const auto outputs = hkdf<3>(chaining_key_, input);
  chaining_key_ = outputs[0];
  mix_hash(outputs[1].bytes);
  key_ = truncated(outputs[2]);
  nonce_ = 0;
}

bool SymmetricState::mix_dh(const SecretKey& ours, const PublicKey& theirs) {
  SecretKey shared;
  // libsodium refuses an all-zero result (RFC 7748 6.1).
  if (crypto_scalarmult(shared.bytes.data(), ours.bytes.data(), theirs.bytes.data()) != 0) {
    return false;
  }
  mix_key(shared.bytes);
  return true;
}

void SymmetricState::mix_ephemeral(const PublicKey& key) {
  mix_hash(key.bytes);
  mix_key(key.bytes);
}

void SymmetricState::encrypt_and_hash(Bytes plaintext, MutBytes out) {
  copy_bytes(plaintext, out);
  seal_in_place(key_, nonce_++, hash_.bytes, out.first(plaintext.size()));
  mix_hash(out.first(plaintext.size() + kTagSize));
}

bool SymmetricState::decrypt_and_hash(Bytes sealed, MutBytes out) {
  WH_ASSERT(sealed.size() == out.size() + kTagSize);
  const Nonce nonce = nonce_of(nonce_);
  const int failed = crypto_aead_chacha20poly1305_ietf_decrypt(
      out.data(), nullptr, nullptr, sealed.data(), sealed.size(), hash_.bytes.data(), kHashSize,
      nonce.data(), key_.bytes.data());
  if (failed != 0) return false;
  ++nonce_;
  mix_hash(sealed);
  return true;
}

TransportPair SymmetricState::split() const {
  const auto outputs = hkdf<2>(chaining_key_, {});
  return {truncated(outputs[0]), truncated(outputs[1])};
}

Initiator::Initiator(const KeyPair& self, const PublicKey& responder, const SecretKey& psk,
                     Bytes prologue, const KeyPair& ephemeral)
    : self_(self), responder_(responder), psk_(psk), ephemeral_(ephemeral), symmetric_(prologue) {
  symmetric_.mix_hash(responder_.bytes);  // pre-message: <- s
}

bool Initiator::write_first(Bytes payload, MutBytes out) {
  copy_bytes(ephemeral_.public_key.bytes, out);
  symmetric_.mix_ephemeral(ephemeral_.public_key);
  if (!symmetric_.mix_dh(ephemeral_.secret, responder_)) return false;  // es
  const auto rest = out.subspan(kKeySize);
  symmetric_.encrypt_and_hash(self_.public_key.bytes, rest);       // s
  if (!symmetric_.mix_dh(self_.secret, responder_)) return false;  // ss
  symmetric_.encrypt_and_hash(payload, rest.subspan(kKeySize + kTagSize));
  return true;
}

bool Initiator::read_second(Bytes message, MutBytes payload) {
  if (message.size() != payload.size() + kSecondOverhead) return false;
  SymmetricState attempt = symmetric_;
  const PublicKey theirs = read_key(message);
  attempt.mix_ephemeral(theirs);
  if (!attempt.mix_dh(ephemeral_.secret, theirs)) return false;  // ee
  if (!attempt.mix_dh(self_.secret, theirs)) return false;       // se
  attempt.mix_key_and_hash(psk_.bytes);
  if (!attempt.decrypt_and_hash(message.subspan(kKeySize), payload)) return false;
  symmetric_ = attempt;
  return true;
}

Responder::Responder(const KeyPair& self, const SecretKey& psk, Bytes prologue)
    : self_(self), psk_(psk), symmetric_(prologue) {
  symmetric_.mix_hash(self_.public_key.bytes);  // pre-message: <- s
}

bool Responder::read_first(Bytes message, MutBytes payload) {
  if (message.size() != payload.size() + kFirstOverhead) return false;
  initiator_ephemeral_ = read_key(message);
  symmetric_.mix_ephemeral(initiator_ephemeral_);
  if (!symmetric_.mix_dh(self_.secret, initiator_ephemeral_)) return false;  // es
  const auto sealed_key = message.subspan(kKeySize, kKeySize + kTagSize);
  if (!symmetric_.decrypt_and_hash(sealed_key, initiator_.bytes)) return false;  // s
  if (!symmetric_.mix_dh(self_.secret, initiator_)) return false;                // ss
  return symmetric_.decrypt_and_hash(message.subspan(2 * kKeySize + kTagSize), payload);
}

bool Responder::write_second(const KeyPair& ephemeral, Bytes payload, MutBytes out) {
  copy_bytes(ephemeral.public_key.bytes, out);
  symmetric_.mix_ephemeral(ephemeral.public_key);
  if (!symmetric_.mix_dh(ephemeral.secret, initiator_ephemeral_)) return false;  // ee
  if (!symmetric_.mix_dh(ephemeral.secret, initiator_)) return false;            // se
  symmetric_.mix_key_and_hash(psk_.bytes);
  symmetric_.encrypt_and_hash(payload, out.subspan(kKeySize));
  return true;
}

}  // namespace wormhole::noise
