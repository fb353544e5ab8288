#include "stream/blocks.hpp"

#include <algorithm>

#include "wormhole/base/result.hpp"

namespace wormhole {

BlockPool::~BlockPool() {
  while (spare_ != nullptr) {
    Block* const block = spare_;
    spare_ = block->next;
    delete block;
  }
}

Block* BlockPool::take() {
  ++out_;
  if (spare_ == nullptr) return new Block;
  Block* const block = spare_;
  spare_ = block->next;
  --spare_count_;
  block->next = nullptr;
  return block;
}

void BlockPool::give_back(Block* block) {
  --out_;
  if (spare_count_ == kKept) {
    delete block;
    return;
  }
  block->next = spare_;
  spare_ = block;
  ++spare_count_;
}

MutBytes ByteQueue::space(BlockPool& pool) {
  if (tail_ == nullptr || end_ == kBlockBytes) {
    Block* const block = pool.take();
    (tail_ == nullptr ? head_ : tail_->next) = block;
    if (tail_ == nullptr) {
      mark_ = block;
      mark_at_ = begin_ = 0;
    }
    tail_ = block;
    end_ = 0;
    ++blocks_;
  }
  return MutBytes(tail_->bytes).subspan(end_);
}

void ByteQueue::extend(std::size_t size) {
  WH_ASSERT(size == 0 || (tail_ != nullptr && end_ + size <= kBlockBytes));
  end_ += size;
  size_ += size;
  ahead_ += size;
}

void ByteQueue::append(Bytes bytes, BlockPool& pool) {
  while (!bytes.empty()) {
    const MutBytes room = space(pool);
    const std::size_t size = std::min(room.size(), bytes.size());
    copy_bytes(bytes.first(size), room);
    extend(size);
    bytes = bytes.subspan(size);
  }
}

Bytes ByteQueue::front() const {
  if (size_ == 0) return {};
  return Bytes(head_->bytes).subspan(begin_, std::min(size_, kBlockBytes - begin_));
}

void ByteQueue::pop(std::size_t size, BlockPool& pool) {
  WH_ASSERT(size <= size_);
  const std::size_t behind = size_ - ahead_;
  if (size > behind) advance(size - behind);
  while (size > 0) {
    const std::size_t step = std::min(size, kBlockBytes - begin_);
    begin_ += step;
    size_ -= step;
    size -= step;
    if (begin_ == kBlockBytes && head_ != tail_) drop_front(pool);
  }
  if (size_ == 0) clear(pool);
}

void ByteQueue::drop_front(BlockPool& pool) {
  Block* const block = head_;
  head_ = block->next;
  begin_ = 0;
  --blocks_;
  if (mark_ == block) {
    mark_ = head_;
    mark_at_ = 0;
  }
  pool.give_back(block);
}

void ByteQueue::clear(BlockPool& pool) {
  while (head_ != nullptr) drop_front(pool);
  *this = ByteQueue{};
}

std::size_t ByteQueue::gather(std::span<Bytes> parts) const {
  std::size_t count = 0;
  std::size_t left = ahead_;
  std::size_t at = mark_at_;
  for (const Block* block = mark_; left > 0 && count < parts.size(); block = block->next) {
    const std::size_t size = std::min(left, kBlockBytes - at);
    if (size > 0) parts[count++] = Bytes(block->bytes).subspan(at, size);
    left -= size;
    at = 0;
  }
  return count;
}

void ByteQueue::advance(std::size_t size) {
  WH_ASSERT(size <= ahead_);
  ahead_ -= size;
  while (size > 0) {
    if (mark_at_ == kBlockBytes) {
      mark_ = mark_->next;
      mark_at_ = 0;
    }
    const std::size_t step = std::min(size, kBlockBytes - mark_at_);
    mark_at_ += step;
    size -= step;
  }
}

}  // namespace wormhole
