#include "wormhole/group/heard_groups.hpp"

#include <algorithm>

namespace wormhole {

HeardGroups::Heard* HeardGroups::find(std::uint16_t number) {
  const auto at = std::find_if(groups_.begin(), groups_.end(),
                               [number](const auto& heard) { return heard->number == number; });
  return at == groups_.end() ? nullptr : at->get();
}

void HeardGroups::make_way(FlowSlot flow) {
  std::size_t count = 0;
  std::erase_if(groups_, [&](const auto& heard) {  // the newest come first
    return heard->flow == flow && ++count >= kMostOfFlow;
  });
}

bool HeardGroups::put(const GroupKey& keys, FlowSlot flow, std::string_view flow_name,
                      TimePoint now) {
  std::erase_if(groups_, [now](const auto& heard) { return now >= heard->ends; });
  if (auto* known = find(keys.group)) {
    if (equal_secret(known->secret.bytes, keys.key.bytes)) return true;
    std::erase_if(groups_, [known](const auto& heard) { return heard.get() == known; });
  }
  make_way(flow);
  if (groups_.size() >= kMost) {
    ++drops_.too_many;
    return false;
  }
  auto heard = std::make_unique<Heard>();
  heard->number = keys.group;
  heard->flow = flow;
  heard->secret = keys.key;
  heard->key = flow_key(keys.key, flow_name);
  heard->own = keys.receiver;
  heard->ends = now + kRejectAfter;
  groups_.insert(groups_.begin(), std::move(heard));
  return true;
}

std::optional<MutBytes> HeardGroups::open(const FrameHeader& header, FlowSlot flow, MutBytes frame,
                                          TimePoint now) {
  auto* heard = find(static_cast<std::uint16_t>(header.index & 0xffffU));
  if (heard == nullptr || heard->flow != flow || now >= heard->ends ||
      frame.size() < kHeaderSize + kTagSize + kReceiverTagSize) {
    ++drops_.unknown;
    return std::nullopt;
  }
  if (!heard->window.check(header.counter)) {
    ++drops_.replayed;
    return std::nullopt;
  }
  const auto own_tag = frame.last(kReceiverTagSize);
  const auto sealed =
      frame.subspan(kHeaderSize).first(frame.size() - kHeaderSize - kReceiverTagSize);
  const auto associated = associated_data(frame.data());
  if (!equal_secret(receiver_tag(heard->own, frame_hash(sealed), associated), own_tag) ||
      !open_in_place(heard->key, header.counter, associated, sealed)) {
    ++drops_.forged;
    return std::nullopt;
  }
  heard->window.commit(header.counter);
  return sealed.first(sealed.size() - kTagSize);
}

}  // namespace wormhole
