#include "wormhole/wire/frame.hpp"

#include "wormhole/crypto/seal.hpp"

namespace wormhole {

std::optional<FrameType> frame_type(Bytes datagram) {
  if (datagram.empty()) return std::nullopt;
  const auto type = static_cast<FrameType>(datagram[0]);
  switch (type) {
    case FrameType::kInit:
    case FrameType::kResp:
    case FrameType::kCookie:
    case FrameType::kDirect:
    case FrameType::kRelayed:
    case FrameType::kGroupUp:
    case FrameType::kGroupDown:
    case FrameType::kOpener:
      return type;
  }
  return std::nullopt;
}

std::optional<FrameHeader> read_header(Bytes datagram) {
  if (datagram.size() < kHeaderSize + kTagSize) return std::nullopt;
  const auto type = static_cast<FrameType>(datagram[0]);
  if (type < FrameType::kDirect || type > FrameType::kGroupDown) return std::nullopt;
  const auto* at = datagram.data();
  return FrameHeader{type, at[1], FlowNo{load_le<std::uint16_t>(at + 2)},
                     load_le<std::uint32_t>(at + 4), load_le<std::uint32_t>(at + 8)};
}

void write_header(const FrameHeader& header, std::uint8_t* to) {
  to[0] = static_cast<std::uint8_t>(header.type);
  to[1] = header.flags;
  store_le(to + 2, header.flow.value);
  store_le(to + 4, header.index);
  store_le(to + 8, header.counter);
}

}  // namespace wormhole
