// Datagrams that wait for a peer's first session.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string_view>
#include <vector>

#include "wormhole/base/bytes.hpp"
#include "wormhole/base/ids.hpp"
#include "wormhole/base/time.hpp"
#include "wormhole/session/session.hpp"

namespace wormhole {

/// A flow as the data path names it. The name lives as long as the client.
struct FlowRef {
  FlowNo number;
  FlowSlot slot;
  std::string_view name;
  bool relay_only = false;  ///< never by a direct path (p2p: off)
};

/// What all peers of a client hold back together: 32 of them at their limit. A handshake is a
/// matter of some hundred milliseconds, so they rarely wait at once.
struct WaitingBudget {
  static constexpr std::size_t kMostBytes = std::size_t{16} << 20;
  std::size_t bytes = 0;
};

/// A bounded queue; the oldest make way.
class WaitingDatagrams {
 public:
  /// 10 Mbit/s of video (1,000 packets a second) and telemetry during a handshake over a path of
  /// 300 ms, with one INIT lost.
  static constexpr std::size_t kMost = 512;
  static constexpr std::size_t kMostBytes = 512 * 1024;
  /// Older ones are of no use to a pilot.
  static constexpr Duration kMostAge = 2s;

  struct Item {
    FlowRef flow;
    TimePoint at;
    std::vector<std::uint8_t> bytes;
  };

  explicit WaitingDatagrams(WaitingBudget& budget) : budget_(budget) {}
  ~WaitingDatagrams() { clear(); }
  WaitingDatagrams(const WaitingDatagrams&) = delete;
  WaitingDatagrams& operator=(const WaitingDatagrams&) = delete;

  void add(const FlowRef& flow, Bytes text, TimePoint now);
  /// All of them, oldest first, without those that are too old.
  std::deque<Item> take(TimePoint now);
  void clear();
  /// Datagrams that made way or found no room.
  std::uint64_t overflow() const { return overflow_; }

 private:
  bool is_full(std::size_t more) const {
    return items_.size() == kMost || bytes_ + more > kMostBytes;
  }
  void drop_oldest();

  WaitingBudget& budget_;
  std::deque<Item> items_;
  std::size_t bytes_ = 0;
  std::uint64_t overflow_ = 0;
};

}  // namespace wormhole
