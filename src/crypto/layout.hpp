// Where the fields of INIT, RESP and COOKIE stand (docs/protocol.md, 2), and what MACs them.
#pragma once

#include <cstddef>
#include <cstdint>

#include "wormhole/crypto/handshake.hpp"

namespace wormhole::layout {

inline constexpr std::uint8_t kInitType = 0x01;
inline constexpr std::uint8_t kRespType = 0x02;
inline constexpr std::uint8_t kCookieType = 0x03;
inline constexpr std::uint8_t kMajorVersion = 1;
inline constexpr std::size_t kVersionAt = 1;

inline constexpr std::size_t kInitSenderAt = 4;
inline constexpr std::size_t kInitNoiseAt = 8;
inline constexpr std::size_t kInitMac1At = kInitSize - 2 * kMacSize;
inline constexpr std::size_t kInitMac2At = kInitSize - kMacSize;

inline constexpr std::size_t kRespSenderAt = 4;
inline constexpr std::size_t kRespReceiverAt = 8;
inline constexpr std::size_t kRespNoiseAt = 12;
inline constexpr std::size_t kRespMac1At = kRespSize - kMacSize;

inline constexpr std::size_t kCookieReceiverAt = 4;
inline constexpr std::size_t kCookieNonceAt = 8;
inline constexpr std::size_t kCookieSealedAt = 32;

/// BLAKE2b-256("cookie" ‖ responder key ‖ knock): both ends derive it, so a COOKIE needs no
/// session.
SecretKey cookie_seal_key(const PublicKey& responder, const KnockKey& knock);

/// MAC1 and MAC2: keyed BLAKE2b-128 of everything before them.
Mac mac_of(Bytes key, Bytes before);

}  // namespace wormhole::layout
