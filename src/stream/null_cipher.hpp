// QUIC's packet protection without protection: the datagrams are sealed outside, once.
#pragma once

#include "stream/ngtcp2_compat.hpp"

namespace wormhole::quic {

/// What a cipher adds to each packet. It must be 16: libngtcp2 0.12 asserts with 0, and with less
/// than what header protection samples, ACK-only packets are padded, count as in flight, and are
/// never acknowledged.
inline constexpr std::size_t kOverhead = 16;
/// The first bytes of the overhead: the low half of the nonce, which is the packet's number.
/// Without it a late packet of the old path is taken for another number and ends the connection.
/// (A real cipher would refuse it.) The kStreamTail bytes behind it are zeros and stay at home.
inline constexpr std::size_t kNumberCheck = kOverhead - kStreamTail;
static_assert(kNumberCheck == sizeof(std::uint32_t));

/// libngtcp2's callbacks of these names.
int encrypt(std::uint8_t* dest, const ngtcp2_crypto_aead* aead, const ngtcp2_crypto_aead_ctx* ctx,
            const std::uint8_t* plain, std::size_t plain_size, const std::uint8_t* nonce,
            std::size_t nonce_size, const std::uint8_t* extra, std::size_t extra_size);
/// NGTCP2_ERR_DECRYPT when the number in the tag is not the nonce's.
int decrypt(std::uint8_t* dest, const ngtcp2_crypto_aead* aead, const ngtcp2_crypto_aead_ctx* ctx,
            const std::uint8_t* sealed, std::size_t sealed_size, const std::uint8_t* nonce,
            std::size_t nonce_size, const std::uint8_t* extra, std::size_t extra_size);
/// A mask of zeros.
int header_mask(std::uint8_t* dest, const ngtcp2_crypto_cipher* cipher,
                const ngtcp2_crypto_cipher_ctx* ctx, const std::uint8_t* sample);

/// What passed through the cipher, where packets lie open.
struct PacketNotes {
  std::uint64_t opened = 0;
  std::uint64_t mismatched = 0;
  std::uint64_t stream_bytes_sealed = 0;  ///< in STREAM frames, each time they were sent
};
/// A key that writes into `notes`, which must outlive it: the library hands its ciphers nothing
/// else of ours.
ngtcp2_crypto_aead_ctx noting_key(PacketNotes& notes);

/// How many bytes of streams a packet's frames carry (RFC 9000, 19.8).
std::size_t stream_bytes(Bytes packet);

}  // namespace wormhole::quic
