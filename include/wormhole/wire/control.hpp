// Control frames: a sequence of kind, length, value (docs/protocol.md, section 4).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <variant>

#include "wormhole/base/bytes.hpp"
#include "wormhole/base/endpoint.hpp"
#include "wormhole/base/ids.hpp"

namespace wormhole {

struct Ping {
  std::uint64_t token = 0;
};
struct Pong {
  std::uint64_t token = 0;
};
struct HandshakeCarriage {
  ClientNo other;  ///< the other end; 0 inside an end-to-end session
  Bytes message;   ///< INIT or RESP, by reference
};
struct StreamSegment {
  std::uint32_t offset = 0;
  Bytes bytes;  ///< by reference
};
struct StreamAck {
  std::uint32_t offset = 0;
};
enum class CloseReason : std::uint8_t { kReplaced = 1, kRemoved = 2, kShuttingDown = 3 };
struct Close {
  CloseReason reason = CloseReason::kShuttingDown;
};
struct Restarting {
  std::uint16_t reconnect_ms = 0;
  std::uint16_t spread_ms = 0;
};
struct Observed {
  Endpoint endpoint;
};
using ControlItem = std::variant<Ping, Pong, HandshakeCarriage, StreamSegment, StreamAck, Close,
                                 Restarting, Observed>;

/// Largest plaintext of a control frame: with 32 bytes of frame it passes a 1,280-byte IPv6 path.
inline constexpr std::size_t kMaxControlSize = 1180;
/// Most bytes of control stream in one segment, so that other items fit beside it.
inline constexpr std::size_t kMaxSegment = 1100;

/// Gathers items into one control frame's plaintext. add() says false, and adds nothing, when the
/// item does not fit.
class ControlWriter {
 public:
  bool add(const ControlItem& item);
  bool empty() const { return used_ == 0; }
  Bytes bytes() const { return {buffer_.data(), used_}; }

 private:
  std::array<std::uint8_t, kMaxControlSize> buffer_{};
  std::size_t used_ = 0;
};

/// Walks through the items of a plaintext; unknown kinds from 128 on are skipped. It ends with
/// nothing at the end or at what cannot be read; broken() tells the two apart.
class ControlReader {
 public:
  explicit ControlReader(Bytes plaintext) : rest_(plaintext) {}
  std::optional<ControlItem> next();
  bool broken() const { return broken_; }

 private:
  std::optional<ControlItem> fail();
  Bytes rest_;
  bool broken_ = false;
};

/// Walks through the whole plaintext: a receiver asks first, so that a broken frame changes
/// nothing.
bool well_formed_control(Bytes plaintext);

}  // namespace wormhole
