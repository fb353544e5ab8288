// Bounded memory for datagrams that wait, shared by whoever holds some.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "wormhole/base/bytes.hpp"

namespace wormhole {

/// Copies of datagrams in blocks that are used again: once as many have been held as ever will be,
/// nothing is allocated.
class HeldPool {
 public:
  /// Most datagrams are one block: a tunnel's frame in an Ethernet packet.
  static constexpr std::size_t kBlock = 1536;
  /// 32 MiB: 600 ms of a satellite's 200 Mbit/s, twice.
  static constexpr std::size_t kMostBlocks = (std::size_t{32} << 20) / kBlock;

  explicit HeldPool(std::size_t most_blocks = kMostBlocks) : most_blocks_(most_blocks) {}

  /// One datagram's place.
  struct Ticket {
    std::uint32_t first = kNone;
    std::uint32_t size = 0;
  };
  /// Copies; nothing when there is no room.
  std::optional<Ticket> put(Bytes datagram);
  /// Copies it to `to`, which is as long, and frees its place.
  void take(const Ticket& ticket, MutBytes to);
  void drop(const Ticket& ticket);
  std::size_t used_blocks() const { return used_; }

 private:
  static constexpr std::uint32_t kNone = 0xffffffff;
  using Block = std::array<std::uint8_t, kBlock>;

  std::uint32_t take_block();

  std::size_t most_blocks_;
  std::deque<Block> blocks_;
  std::vector<std::uint32_t> next_;  // of each block: in its datagram, or in the list of free ones
  std::uint32_t free_ = kNone;
  std::size_t used_ = 0;
};

}  // namespace wormhole
