// The outer bytes of every datagram: types and the frame header (docs/protocol.md, sections 2 and
// 3).
#pragma once

#include <cstdint>
#include <optional>

#include "wormhole/base/bytes.hpp"
#include "wormhole/base/ids.hpp"

namespace wormhole {

enum class FrameType : std::uint8_t {
  kInit = 0x01,
  kResp = 0x02,
  kCookie = 0x03,
  kDirect = 0x10,
  kRelayed = 0x11,
  kGroupUp = 0x12,    ///< one upload for several receivers, towards the server
  kGroupDown = 0x13,  ///< one receiver's copy of it
  kOpener = 0x20,
};

inline constexpr std::size_t kHeaderSize = 12;

/// Flags of kDirect, kRelayed and the group types (of those, kFlagFragment alone). They are
/// authenticated.
inline constexpr std::uint8_t kNoFlags = 0;
inline constexpr std::uint8_t kFlagFragment = 0x01;  ///< the plaintext begins with a FragmentHeader
/// Of flow 0: the plaintext is a stream packet (docs/protocol.md, section 9), not control items.
inline constexpr std::uint8_t kFlagStream = 0x02;
/// Sealed for the direct path that it travels on: it counts for that path's life. A copy that also
/// goes another way is sealed without it.
inline constexpr std::uint8_t kFlagPath = 0x04;
/// Hop control of a NAT check: it moves no address, and nothing but PROBE and PROBE_ANSWER is in
/// it.
inline constexpr std::uint8_t kFlagProbe = 0x08;

/// Where a frame goes: client number in the high half, the receiver's local number in the low half;
/// on the hop, an index of the receiver's choice; of a group frame, the sender's client number and
/// its number for the group.
constexpr std::uint32_t make_index(ClientNo client, std::uint16_t local) {
  return static_cast<std::uint32_t>(client.value) << 16 | local;
}
constexpr ClientNo client_of(std::uint32_t index) {
  return ClientNo{static_cast<std::uint16_t>(index >> 16)};
}

struct FrameHeader {
  FrameType type = FrameType::kDirect;
  std::uint8_t flags = kNoFlags;
  FlowNo flow;
  std::uint32_t index = 0;
  std::uint32_t counter = 0;
  bool operator==(const FrameHeader&) const = default;
};

/// The type of a datagram; nothing for an empty one or a type that this version does not speak.
std::optional<FrameType> frame_type(Bytes datagram);
/// The header of a sealed frame; nothing when the datagram is shorter than header and tag or of
/// another type.
std::optional<FrameHeader> read_header(Bytes datagram);
/// A hop frame of a NAT check, by its outer bytes: not yet authentic.
inline bool is_probe(Bytes datagram) {
  return datagram.size() > 1 && datagram[0] == static_cast<std::uint8_t>(FrameType::kDirect) &&
         datagram[1] == kFlagProbe;
}
/// Whether a frame between clients holds control items.
constexpr bool is_control(const FrameHeader& header) {
  return header.flow.value == 0 && (header.flags & kFlagStream) == 0;
}
/// The flow of a frame of our own making.
inline FlowNo frame_flow(Bytes frame) { return FlowNo{load_le<std::uint16_t>(frame.data() + 2)}; }
/// Writes kHeaderSize bytes to `to`.
void write_header(const FrameHeader& header, std::uint8_t* to);
/// The header bytes that the seal covers: 1–11, so that a frame means the same on each path.
inline Bytes associated_data(const std::uint8_t* frame) { return {frame + 1, kHeaderSize - 1}; }

}  // namespace wormhole
