#include "wormhole/impair/held_pool.hpp"

#include <algorithm>
#include <utility>

namespace wormhole {

std::uint32_t HeldPool::take_block() {
  ++used_;
  if (free_ != kNone) return std::exchange(free_, next_[free_]);
  blocks_.emplace_back();
  next_.push_back(kNone);
  return static_cast<std::uint32_t>(blocks_.size() - 1);
}

std::optional<HeldPool::Ticket> HeldPool::put(Bytes datagram) {
  const auto count = (datagram.size() + kBlock - 1) / kBlock;
  if (used_ + count > most_blocks_) return std::nullopt;
  Ticket ticket{kNone, static_cast<std::uint32_t>(datagram.size())};
  auto last = kNone;
  for (; !datagram.empty(); datagram = datagram.subspan(std::min(kBlock, datagram.size()))) {
    const auto block = take_block();
    copy_bytes(datagram.first(std::min(kBlock, datagram.size())), blocks_[block]);
    next_[block] = kNone;
    (last == kNone ? ticket.first : next_[last]) = block;
    last = block;
  }
  return ticket;
}

void HeldPool::take(const Ticket& ticket, MutBytes to) {
  for (auto block = ticket.first; block != kNone; block = next_[block]) {
    const auto size = std::min(kBlock, to.size());
    copy_bytes(Bytes(blocks_[block]).first(size), to);
    to = to.subspan(size);
  }
  drop(ticket);
}

void HeldPool::drop(const Ticket& ticket) {
  for (auto block = ticket.first; block != kNone; --used_) {
    const auto following = std::exchange(next_[block], free_);
    free_ = std::exchange(block, following);
  }
}

}  // namespace wormhole
