// One finished handshake: its keys, counters and replay windows. It outlives paths.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "wormhole/base/time.hpp"
#include "wormhole/crypto/handshake.hpp"
#include "wormhole/crypto/seal.hpp"
#include "wormhole/wire/frame.hpp"

namespace wormhole {

/// A flow's place in a session's key table. Local to a process; 0 is control. A flow name keeps its
/// slot, so a server that swaps flow numbers can't mix keys up.
using FlowSlot = StrongId<struct FlowSlotTag, std::uint16_t>;
inline constexpr FlowSlot kControlSlot{0};
/// The streams of all TCP flows with a peer have one key, named as no flow can be.
inline constexpr FlowSlot kStreamSlot{1};
inline constexpr std::string_view kStreamKeyName = "/streams";
inline constexpr FlowSlot kFirstFlowSlot{2};

enum class Role : std::uint8_t { kInitiator, kResponder };

/// Rekey ages are WireGuard's (whitepaper, 6.1); the responder waits 10 s longer so that both don't
/// start.
inline constexpr Duration kRekeyAfter = 120s;
inline constexpr Duration kResponderRekeyAfter = 130s;
inline constexpr Duration kRejectAfter = 180s;
/// Far below the 2^32 that one key may ever seal (the counter on the wire), leaving time for a
/// rekey.
inline constexpr std::uint64_t kRekeyAfterFrames = std::uint64_t{1} << 27;
inline constexpr std::uint64_t kRejectAfterFrames = (std::uint64_t{1} << 32) - 1;

/// Keys and counters of one flow, both directions.
struct FlowKeys {
  SecretKey send;
  SecretKey receive;
  std::uint64_t sent = 0;      ///< frames sealed; the next counter is one more
  std::uint64_t received = 0;  ///< frames opened
  ReplayWindow window;
  std::uint64_t mark = 0;  ///< a counter that was the highest when its frame came
  TimePoint marked_at{};   ///< when that was
};

/// How much older than the truth a copy's time may be taken for: a quarter of the silence that
/// makes a path suspect.
inline constexpr Duration kMarkEvery = 100ms;

/// Why a frame was not opened.
enum class Unopened : std::uint8_t { kReplayed, kForged, kExpired };

class Session {
 public:
  Session(const TransportKeys& keys, Role role, std::uint32_t local_index,
          std::uint32_t remote_index, TimePoint born);

  /// The keys of a flow; derived when first asked for (control at once).
  FlowKeys& keys(FlowSlot slot, std::string_view flow_name);

  /// Prepends header and appends tag around `text`, in place (see kHeadroom, kTailroom). The whole
  /// frame; empty when the key's counter or age is used up.
  MutBytes seal(FlowKeys& keys, FrameType type, FlowNo flow, MutBytes text, TimePoint now,
                std::uint8_t flags = kNoFlags);

  struct Opened {
    std::optional<Unopened> failure;
    MutBytes text;  ///< in place
  };
  /// Checks the replay window, opens `frame` in place, and only then commits. `header` is the
  /// frame's.
  Opened open(FlowKeys& keys, const FrameHeader& header, MutBytes frame, TimePoint now);

  /// Whether a frame that was there before can say something of its path: it is not older than the
  /// mark. Whoever holds it back or replays it proves nothing that is later than keys.marked_at.
  static bool is_recent(const FlowKeys& keys, const FrameHeader& header) {
    return header.counter >= keys.mark && header.counter <= keys.window.highest();
  }
  /// Opens `frame` in place though it was there before; nothing changes.
  static Opened open_copy(const FlowKeys& keys, const FrameHeader& header, MutBytes frame);

  bool wants_rekey(TimePoint now) const;
  bool is_expired(TimePoint now) const { return now - born_ >= kRejectAfter; }
  /// When wants_rekey() will say yes by age.
  TimePoint rekey_time() const;
  Role role() const { return role_; }
  std::uint32_t local_index() const { return local_index_; }
  std::uint32_t remote_index() const { return remote_index_; }
  TimePoint born() const { return born_; }
  /// True as soon as one authentic frame arrived: the other end has the keys.
  bool is_confirmed() const { return confirmed_; }
  /// Frames that the other end has sealed, as far as seen, and those that arrived, over all flows
  /// but control.
  std::pair<std::uint64_t, std::uint64_t> seen_and_received() const;

 private:
  SecretKey send_;
  SecretKey receive_;
  Role role_;
  std::uint32_t local_index_;
  std::uint32_t remote_index_;
  TimePoint born_;
  bool confirmed_ = false;
  bool busy_key_ = false;                         // some key has sealed kRekeyAfterFrames
  std::vector<std::unique_ptr<FlowKeys>> flows_;  // by slot
};

}  // namespace wormhole
