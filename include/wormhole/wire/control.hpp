// Control frames: a sequence of kind, length, value (docs/protocol.md, section 4).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <variant>

#include "wormhole/base/bytes.hpp"
#include "wormhole/base/endpoint.hpp"
#include "wormhole/base/ids.hpp"
#include "wormhole/crypto/seal.hpp"
#include "wormhole/wire/feedback.hpp"
#include "wormhole/wire/nat_report.hpp"

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
/// "Answer from where this arrives": only then may the path carry data (RFC 9000, 8.2).
struct PathChallenge {
  std::uint64_t token = 0;
};
struct PathResponse {
  std::uint64_t token = 0;
};
/// Over the relay: "nothing that you sealed for our direct path reaches me".
struct PathSilent {
  std::uint16_t ms = 0;  ///< for this long
};
/// Keeps a path's mappings and its life; nothing is answered.
struct Keepalive {};
/// From which of the server's sockets a probe is to be answered (RFC 5780, 7.2: CHANGE-REQUEST).
enum class ProbeFrom : std::uint8_t {
  kSame = 0,
  kOtherPort = 1,    ///< the same address
  kOtherAddress = 2  ///< another address and the other port
};
struct Probe {
  std::uint64_t token = 0;
  ProbeFrom from = ProbeFrom::kSame;
  std::uint16_t delay_s = 0;  ///< answer so much later: does the mapping still stand?
};
struct ProbeAnswer {
  std::uint64_t token = 0;
  Endpoint observed;  ///< where the probe came from
};
/// Agreement about one campaign between two clients, through any path that they have.
struct PunchTalk {
  enum class Stage : std::uint8_t {
    kOffer = 0,  ///< "let us punch; this is my NAT": the other end checks its own and says kGo
    kGo = 1,     ///< "this is mine; I have begun": the receiver begins at once
    kStop = 2    ///< no: busy, forbidden, or no strategy
  };
  std::uint32_t campaign = 0;
  Stage stage = Stage::kOffer;
  NatReport report;
};
/// "You are a receiver of this group of mine" (docs/protocol.md, section 11).
struct GroupKey {
  std::uint16_t group = 0;  ///< the sender's number for it
  FlowNo flow;
  SecretKey key;           ///< what all its receivers share
  ReceiverKey receiver{};  ///< what the sender and this receiver alone know
};
/// "I have the keys of this group of yours."
struct GroupKeyAck {
  std::uint16_t group = 0;
};
using ControlItem =
    std::variant<Ping, Pong, HandshakeCarriage, StreamSegment, StreamAck, Close, Restarting,
                 Observed, PathChallenge, PathResponse, PathSilent, Keepalive, Probe, ProbeAnswer,
                 PunchTalk, GroupKey, GroupKeyAck, Feedback>;

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

/// Fills `room` (3 to 65,538 bytes) with one item that nobody reads: it makes a frame larger.
void write_padding(MutBytes room);

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
