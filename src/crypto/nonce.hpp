// The nonce of ChaCha20-Poly1305, the same in handshakes and frames.
#pragma once

#include <sodium.h>

#include "wormhole/base/bytes.hpp"

namespace wormhole {

using Nonce = Array<crypto_aead_chacha20poly1305_ietf_NPUBBYTES>;

/// Four zero bytes, then the counter (Noise 12.3).
inline Nonce nonce_of(std::uint64_t counter) {
  Nonce nonce{};
  store_le(nonce.data() + 4, counter);
  return nonce;
}

}  // namespace wormhole
