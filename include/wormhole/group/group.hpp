// One list of receivers that share a key: what one upload serves (docs/protocol.md, section 11).
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "wormhole/congestion/send_history.hpp"
#include "wormhole/session/session.hpp"
#include "wormhole/wire/control.hpp"
#include "wormhole/wire/messages.hpp"

namespace wormhole {

/// A client that a flow goes to: its number, and its place in the owner's table.
struct GroupReceiver {
  ClientNo number;
  std::uint16_t slot = 0;
  bool operator==(const GroupReceiver&) const = default;
};

/// The sender's end. Its receivers never change: others make another group, with other keys.
class Group {
 public:
  struct Member : GroupReceiver {
    ReceiverKey key{};
    bool has_keys = false;  ///< it has said so
    SentTotals from;        ///< what had left before
  };
  /// The server's word about it.
  enum class Relay : std::uint8_t { kAsked, kReady, kRefused };

  /// `receivers`: 2 to kMaxGroup. Draws all its keys from `rng`.
  Group(std::uint16_t number, FlowNo flow, std::string_view flow_name,
        std::span<const GroupReceiver> receivers, Rng& rng, TimePoint now);

  std::uint16_t number() const { return number_; }
  const std::vector<Member>& members() const { return members_; }
  bool holds(std::uint16_t slot) const;
  GroupPut announcement() const;
  GroupKey keys_for(const Member& member) const { return {number_, flow_, secret_, member.key}; }

  void on_ack(std::uint16_t slot);
  void set_relay(Relay relay) { relay_ = relay; }
  Relay relay() const { return relay_; }
  bool has_everybody() const { return with_keys() == members_.size(); }
  /// The server sends its frames on. Members without keys are left out of them.
  bool is_relayed() const { return relay_ == Relay::kReady; }
  std::size_t with_keys() const;
  /// A member has lost its keys.
  void spoil() { spoilt_ = true; }
  /// It will never serve its members.
  bool is_void() const { return spoilt_ || relay_ == Relay::kRefused; }

  TimePoint born() const { return born_; }
  /// When members without keys are to be told them.
  TimePoint tell_at() const { return tell_at_; }
  void tell_again(TimePoint at) { tell_at_ = at; }
  TimePoint renewal_time() const { return born_ + kRekeyAfter; }
  bool wants_renewal(TimePoint now) const {
    return now >= renewal_time() || sent_ >= kRekeyAfterFrames;
  }

  /// Of a text of so many bytes, without the hop tag.
  std::size_t frame_size(std::size_t text) const {
    return kHeaderSize + text + kTagSize + members_.size() * kReceiverTagSize;
  }
  /// Seals `text` in place (kHeadroom, kTailroom) as one frame for all members, with their tags
  /// (zeros for those without keys, to whom the server sends nothing);
  /// HopLink::relay() appends the hop tag. Empty when the key's counter or age is used up.
  MutBytes seal(ClientNo sender, MutBytes text, std::uint8_t flags, TimePoint now);
  /// What seal() made of a text of so many bytes leaves.
  void note_sent(Bytes frame, std::size_t text, TimePoint now) {
    const auto sealed = kHeaderSize + text + kTagSize;
    history_.note(frame_mark(frame.first(sealed)), sealed + kReceiverTagSize, now);
  }
  /// Of its frames, as large as each receiver's copy is.
  const SendHistory& history() const { return history_; }

 private:
  std::uint16_t number_;
  FlowNo flow_;
  SecretKey secret_;
  SecretKey key_;  // of the flow
  std::uint64_t sent_ = 0;
  std::vector<Member> members_;
  Relay relay_ = Relay::kAsked;
  bool spoilt_ = false;
  TimePoint born_;
  TimePoint tell_at_;
  SendHistory history_;
};

}  // namespace wormhole
