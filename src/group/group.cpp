#include "wormhole/group/group.hpp"

#include <algorithm>

#include "wormhole/base/datagram.hpp"
#include "wormhole/base/result.hpp"

namespace wormhole {

static_assert(kTailroom >= kTagSize + kMaxGroup * kReceiverTagSize + kHopTagSize);

Group::Group(std::uint16_t number, FlowNo flow, std::string_view flow_name,
             std::span<const GroupReceiver> receivers, Rng& rng, TimePoint now)
    : number_(number), flow_(flow), born_(now), tell_at_(now) {
  WH_ASSERT(receivers.size() >= 2 && receivers.size() <= kMaxGroup);
  rng.fill(secret_.bytes);
  key_ = flow_key(secret_, flow_name);
  members_.reserve(receivers.size());
  for (const auto& receiver : receivers) {
    auto& member = members_.emplace_back(Member{receiver, {}, false, {}});
    rng.fill(member.key);
  }
}

bool Group::holds(std::uint16_t slot) const {
  return std::any_of(members_.begin(), members_.end(),
                     [slot](const Member& member) { return member.slot == slot; });
}

GroupPut Group::announcement() const {
  GroupPut message{number_, flow_, {}};
  for (const auto& member : members_) message.receivers.push_back(member.number);
  return message;
}

void Group::on_ack(std::uint16_t slot) {
  for (auto& member : members_) {
    if (member.slot != slot || member.has_keys) continue;
    member.has_keys = true;
    member.from = history_.totals();
  }
}

std::size_t Group::with_keys() const {
  return static_cast<std::size_t>(std::count_if(
      members_.begin(), members_.end(), [](const Member& member) { return member.has_keys; }));
}

MutBytes Group::seal(ClientNo sender, MutBytes text, std::uint8_t flags, TimePoint now) {
  if (now - born_ >= kRejectAfter || sent_ >= kRejectAfterFrames) return {};
  const auto counter = ++sent_;
  std::uint8_t* const frame = text.data() - kHeaderSize;
  write_header({FrameType::kGroupUp, flags, flow_, make_index(sender, number_),
                static_cast<std::uint32_t>(counter)},
               frame);
  const auto associated = associated_data(frame);
  seal_in_place(key_, counter, associated, text);
  const auto hash = frame_hash({text.data(), text.size() + kTagSize});
  std::uint8_t* end = text.data() + text.size() + kTagSize;
  for (const auto& member : members_) {
    const auto tag = member.has_keys ? receiver_tag(member.key, hash, associated) : kNoReceiverTag;
    end = std::copy(tag.begin(), tag.end(), end);
  }
  return {frame, end};
}

}  // namespace wormhole
