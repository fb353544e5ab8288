#include "wormhole/peer/reassembly.hpp"

#include <algorithm>
#include <bit>

namespace wormhole {

static_assert(kMaxFragments <= 64, "a bit for each in Entry::arrived");

Reassembly::Entry* Reassembly::find(std::uint16_t peer, FlowSlot flow, const FragmentHeader& head) {
  for (auto& entry : entries_) {
    if (entry.state == State::kOpen && entry.peer == peer && entry.flow == flow &&
        entry.head.datagram == head.datagram) {
      return &entry;
    }
  }
  return nullptr;
}

Reassembly::Entry* Reassembly::open(TimePoint now) {
  Entry* oldest = nullptr;
  for (auto& entry : entries_) {
    if (entry.state == State::kOpen && now - entry.since >= kTimeout) {
      ++drops_.timed_out;
      entry.state = State::kFree;
    }
    if (entry.state == State::kFree) return &entry;
    if (entry.state == State::kOpen && (oldest == nullptr || entry.since < oldest->since)) {
      oldest = &entry;
    }
  }
  if (oldest != nullptr) ++drops_.made_way;
  return oldest;
}

std::optional<Bytes> Reassembly::add(std::uint16_t peer, FlowSlot flow, Bytes text, TimePoint now) {
  const auto head = read_fragment_header(text);
  if (!head) {
    ++drops_.malformed;
    return std::nullopt;
  }
  auto* entry = find(peer, flow, *head);
  if (entry == nullptr) {
    entry = open(now);
    if (entry == nullptr) {  // every place holds a datagram of this very batch
      ++drops_.made_way;
      return std::nullopt;
    }
    if (!entry->bytes) entry->bytes = std::make_unique<std::array<std::uint8_t, 65536>>();
    entry->state = State::kOpen;
    entry->peer = peer;
    entry->flow = flow;
    entry->head = *head;
    entry->arrived = 0;
    entry->since = now;
  }
  if (entry->head.count != head->count || entry->head.total != head->total) {
    ++drops_.malformed;
    return std::nullopt;
  }
  copy_bytes(text.subspan(kFragmentHeaderSize), MutBytes(*entry->bytes).subspan(head->offset()));
  entry->arrived |= std::uint64_t{1} << head->index;
  if (std::popcount(entry->arrived) != head->count) return std::nullopt;
  entry->state = State::kReturned;
  any_returned_ = true;
  return Bytes(*entry->bytes).first(head->total);
}

void Reassembly::release() {
  if (!any_returned_) return;
  any_returned_ = false;
  for (auto& entry : entries_) {
    if (entry.state == State::kReturned) entry.state = State::kFree;
  }
}

}  // namespace wormhole
