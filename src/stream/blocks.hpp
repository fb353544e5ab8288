// Bytes on their way into or out of streams, in blocks that streams share, so that an idle stream
// holds none.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "wormhole/base/bytes.hpp"

namespace wormhole {

/// 16 KiB: one read of a socket, a dozen packets; the unit in which memory is counted.
inline constexpr std::size_t kBlockBytes = 16 * 1024;

struct Block {
  Block* next = nullptr;
  std::array<std::uint8_t, kBlockBytes> bytes;
};

/// Makes blocks and keeps some that were given back, so that a stream's data path does not
/// allocate.
class BlockPool {
 public:
  /// `limit`: bytes in blocks that may be out at once; what exceeds it is up to the callers.
  explicit BlockPool(std::size_t limit) : limit_(limit) {}
  ~BlockPool();
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;

  Block* take();
  void give_back(Block* block);
  std::size_t used() const { return out_ * kBlockBytes; }
  std::size_t free() const { return used() >= limit_ ? 0 : limit_ - used(); }

 private:
  /// 4 MiB at most are kept for the next burst.
  static constexpr std::size_t kKept = 256;
  std::size_t limit_;
  std::size_t out_ = 0;
  std::size_t spare_count_ = 0;
  Block* spare_ = nullptr;
};

/// A queue of bytes in a pool's blocks. Bytes keep their place until they are popped. Its owner
/// clears it before it goes.
class ByteQueue {
 public:
  std::size_t size() const { return size_; }
  /// Whole blocks, in bytes.
  std::size_t memory() const { return blocks_ * kBlockBytes; }

  /// What space() has without another block.
  std::size_t tail_room() const { return tail_ == nullptr ? 0 : kBlockBytes - end_; }
  /// Writable bytes behind the last; takes a block when the last one is full.
  MutBytes space(BlockPool& pool);
  /// The first `size` bytes of space() now belong to the queue.
  void extend(std::size_t size);
  void append(Bytes bytes, BlockPool& pool);

  /// The bytes from the front on that lie in one block.
  Bytes front() const;
  void pop(std::size_t size, BlockPool& pool);
  void clear(BlockPool& pool);

  /// Bytes that advance() has not passed yet: those not sent, while the rest waits for pop().
  std::size_t ahead() const { return ahead_; }
  /// Those bytes block by block, into `parts`; returns how many parts there are.
  std::size_t gather(std::span<Bytes> parts) const;
  void advance(std::size_t size);

 private:
  void drop_front(BlockPool& pool);
  Block* head_ = nullptr;
  Block* tail_ = nullptr;
  std::size_t begin_ = 0;  ///< in the first block
  std::size_t end_ = 0;    ///< in the last block
  std::size_t size_ = 0;
  std::size_t blocks_ = 0;
  Block* mark_ = nullptr;  ///< the block of the first byte ahead; null with no blocks
  std::size_t mark_at_ = 0;
  std::size_t ahead_ = 0;
};

}  // namespace wormhole
