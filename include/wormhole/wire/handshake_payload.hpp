// What the handshake messages carry inside their seal (docs/protocol.md, section 2).
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "wormhole/base/ids.hpp"
#include "wormhole/crypto/handshake.hpp"

namespace wormhole {

inline constexpr std::uint8_t kProtocolVersion = 1;

struct InitPayload {
  std::uint8_t lowest_version = kProtocolVersion;
  std::uint8_t highest_version = kProtocolVersion;
  std::uint16_t capabilities = 0;
  std::uint64_t boot_id = 0;
  Mac id_hash{};
  Mac invite_hash{};  ///< zero unless enrolling
  std::uint32_t attempt = 0;
  std::uint8_t uplink = 0;
  bool operator==(const InitPayload&) const = default;
};

enum class Verdict : std::uint8_t {
  kAccepted = 0,  ///< the control stream starts anew
  kResumed = 1,   ///< the control stream goes on
  kUnknownId = 0x10,
  kWrongKey = 0x11,
  kSuperseded = 0x12,
  kNoCommonVersion = 0x13,
  kServerFull = 0x14,
};
constexpr bool is_refusal(Verdict verdict) { return static_cast<unsigned>(verdict) >= 0x10; }

struct RespPayload {
  std::uint8_t version = kProtocolVersion;
  Verdict verdict = Verdict::kAccepted;
  ClientNo client;
  std::uint32_t capabilities = 0;
  std::uint64_t boot_id = 0;
  /// Hop: a second UDP port on each of the server's addresses, for NAT checks; 0: there is none.
  std::uint16_t probe_port = 0;
  bool operator==(const RespPayload&) const = default;
};

std::array<std::uint8_t, kInitPayloadSize> encode(const InitPayload& payload);
InitPayload decode_init_payload(const std::array<std::uint8_t, kInitPayloadSize>& bytes);
std::array<std::uint8_t, kRespPayloadSize> encode(const RespPayload& payload);
/// Nothing when the verdict is one that this version does not know.
std::optional<RespPayload> decode_resp_payload(
    const std::array<std::uint8_t, kRespPayloadSize>& bytes);

}  // namespace wormhole
