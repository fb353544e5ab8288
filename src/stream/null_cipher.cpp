#include "stream/null_cipher.hpp"

#include <cstring>

namespace wormhole::quic {
namespace {

PacketNotes& notes_of(const ngtcp2_crypto_aead_ctx* key) {
  return *static_cast<PacketNotes*>(key->native_handle);
}

}  // namespace

int encrypt(std::uint8_t* dest, const ngtcp2_crypto_aead* /*aead*/,
            const ngtcp2_crypto_aead_ctx* ctx, const std::uint8_t* plain, std::size_t plain_size,
            const std::uint8_t* nonce, std::size_t nonce_size, const std::uint8_t* /*extra*/,
            std::size_t /*extra_size*/) {
  notes_of(ctx).stream_bytes_sealed += stream_bytes({plain, plain_size});
  if (plain_size > 0 && plain != dest) std::memmove(dest, plain, plain_size);
  std::memcpy(dest + plain_size, nonce + nonce_size - kNumberCheck, kNumberCheck);
  std::memset(dest + plain_size + kNumberCheck, 0, kStreamTail);
  return 0;
}

int decrypt(std::uint8_t* dest, const ngtcp2_crypto_aead* /*aead*/,
            const ngtcp2_crypto_aead_ctx* ctx, const std::uint8_t* sealed, std::size_t sealed_size,
            const std::uint8_t* nonce, std::size_t nonce_size, const std::uint8_t* /*extra*/,
            std::size_t /*extra_size*/) {
  const bool fits =
      sealed_size >= kOverhead && std::memcmp(sealed + sealed_size - kOverhead,
                                              nonce + nonce_size - kNumberCheck, kNumberCheck) == 0;
  if (!fits) {
    ++notes_of(ctx).mismatched;
    return NGTCP2_ERR_DECRYPT;
  }
  ++notes_of(ctx).opened;
  std::memmove(dest, sealed, sealed_size - kOverhead);
  return 0;
}

int header_mask(std::uint8_t* dest, const ngtcp2_crypto_cipher* /*cipher*/,
                const ngtcp2_crypto_cipher_ctx* /*ctx*/, const std::uint8_t* /*sample*/) {
  std::memset(dest, 0, NGTCP2_HP_MASKLEN);
  return 0;
}

ngtcp2_crypto_aead_ctx noting_key(PacketNotes& notes) { return {&notes}; }

}  // namespace wormhole::quic
