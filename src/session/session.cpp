#include "wormhole/session/session.hpp"

#include <utility>

#include "wormhole/base/datagram.hpp"
#include "wormhole/base/result.hpp"

namespace wormhole {

static_assert(kHeadroom >= kHeaderSize);
static_assert(kTailroom >= kTagSize + kHopTagSize);

Session::Session(const TransportKeys& keys, Role role, std::uint32_t local_index,
                 std::uint32_t remote_index, TimePoint born)
    : send_(keys.send),
      receive_(keys.receive),
      role_(role),
      local_index_(local_index),
      remote_index_(remote_index),
      born_(born) {
  this->keys(kControlSlot, "");
}

FlowKeys& Session::keys(FlowSlot slot, std::string_view flow_name) {
  if (slot.value >= flows_.size()) flows_.resize(slot.value + std::size_t{1});
  auto& keys = flows_[slot.value];
  if (!keys) {
    keys = std::make_unique<FlowKeys>();
    keys->send = flow_key(send_, flow_name);
    keys->receive = flow_key(receive_, flow_name);
  }
  return *keys;
}

MutBytes Session::seal(FlowKeys& keys, FrameType type, FlowNo flow, MutBytes text, TimePoint now,
                       std::uint8_t flags) {
  if (is_expired(now) || keys.sent >= kRejectAfterFrames) return {};
  const auto counter = ++keys.sent;
  if (counter >= kRekeyAfterFrames) busy_key_ = true;
  std::uint8_t* frame = text.data() - kHeaderSize;
  write_header({type, flags, flow, remote_index_, static_cast<std::uint32_t>(counter)}, frame);
  seal_in_place(keys.send, counter, associated_data(frame), text);
  return {frame, kHeaderSize + text.size() + kTagSize};
}

Session::Opened Session::open(FlowKeys& keys, const FrameHeader& header, MutBytes frame,
                              TimePoint now) {
  WH_ASSERT(frame.size() >= kHeaderSize + kTagSize);
  if (is_expired(now)) return {Unopened::kExpired, {}};
  // Counters never pass 2^32 in one session, so the 32 bits on the wire are the whole counter.
  const std::uint64_t counter = header.counter;
  if (!keys.window.check(counter)) return {Unopened::kReplayed, {}};
  const auto opened = open_copy(keys, header, frame);
  if (opened.failure) return opened;
  keys.window.commit(counter);
  if (counter == keys.window.highest() && now >= keys.marked_at + kMarkEvery) {
    keys.mark = counter;
    keys.marked_at = now;
  }
  ++keys.received;
  confirmed_ = true;
  return opened;
}

Session::Opened Session::open_copy(const FlowKeys& keys, const FrameHeader& header,
                                   MutBytes frame) {
  const auto sealed = frame.subspan(kHeaderSize);
  if (!open_in_place(keys.receive, header.counter, associated_data(frame.data()), sealed)) {
    return {Unopened::kForged, {}};
  }
  return {std::nullopt, sealed.first(sealed.size() - kTagSize)};
}

TimePoint Session::rekey_time() const {
  return born_ + (role_ == Role::kInitiator ? kRekeyAfter : kResponderRekeyAfter);
}

bool Session::wants_rekey(TimePoint now) const { return busy_key_ || now >= rekey_time(); }

std::pair<std::uint64_t, std::uint64_t> Session::seen_and_received() const {
  std::pair<std::uint64_t, std::uint64_t> sum{0, 0};
  for (std::size_t slot = 0; slot < flows_.size(); ++slot) {
    const auto& keys = flows_[slot];
    // Control frames may be lost on purpose: to find a path, or how large a frame it carries.
    if (!keys || slot == kControlSlot.value) continue;
    sum.first += keys->window.highest();
    sum.second += keys->received;
  }
  return sum;
}

}  // namespace wormhole
