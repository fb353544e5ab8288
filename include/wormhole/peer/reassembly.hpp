// Datagrams that came in fragments, put together again: bounded in number, memory and time.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "wormhole/base/time.hpp"
#include "wormhole/session/session.hpp"
#include "wormhole/wire/fragment.hpp"

namespace wormhole {

class Reassembly {
 public:
  /// Datagrams under way at once; 2 MiB when all are in use. The oldest makes way.
  static constexpr std::size_t kMaxOpen = 32;
  /// Twice the 500 ms of skew that several paths may have; what is not whole by then has lost a
  /// fragment.
  static constexpr Duration kTimeout = 1s;

  struct Drops {
    std::uint64_t malformed = 0;
    std::uint64_t timed_out = 0;
    std::uint64_t made_way = 0;
  };

  /// Takes the plaintext of a fragment from a peer on a flow. The whole datagram when this was the
  /// last that was missing; it stays valid until release().
  std::optional<Bytes> add(std::uint16_t peer, FlowSlot flow, Bytes text, TimePoint now);
  /// Gives back the memory of datagrams that add() has returned. Call before each batch.
  void release();
  const Drops& drops() const { return drops_; }

 private:
  enum class State : std::uint8_t { kFree, kOpen, kReturned };
  struct Entry {
    State state = State::kFree;
    std::uint16_t peer = 0;
    FlowSlot flow;
    FragmentHeader head;        // of the first fragment that came
    std::uint64_t arrived = 0;  // a bit for each fragment
    TimePoint since{};
    std::unique_ptr<std::array<std::uint8_t, 65536>> bytes;  // made at first use, then kept
  };
  Entry* find(std::uint16_t peer, FlowSlot flow, const FragmentHeader& head);
  Entry* open(TimePoint now);

  std::array<Entry, kMaxOpen> entries_;
  bool any_returned_ = false;
  Drops drops_;
};

}  // namespace wormhole
