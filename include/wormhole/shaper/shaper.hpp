// The queue in front of the uplink: who leaves next when not everything can leave at once.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "wormhole/base/bytes.hpp"
#include "wormhole/base/ids.hpp"
#include "wormhole/base/time.hpp"
#include "wormhole/shaper/token_bucket.hpp"

namespace wormhole {

/// Who goes first. The numbers are the wire's.
enum class UplinkClass : std::uint8_t { kHigh = 0, kNormal = 1, kLow = 2 };
inline constexpr std::size_t kUplinkClasses = 3;

/// What a flow asks of the queue.
struct ShaperTerms {
  UplinkClass group = UplinkClass::kNormal;
  Duration max_age{};  ///< what waits for longer is dropped; 0: Shaper::kUsualAge
  double rate = 0;     ///< bytes a second on the uplink, at most; 0: no limit of its own
  bool operator==(const ShaperTerms&) const = default;
};

/// Datagrams of a flow that did not leave, by cause.
struct ShaperDrops {
  std::uint64_t age = 0;       ///< waited longer than max_age
  std::uint64_t overflow = 0;  ///< the queue of all flows was full, and this flow's was the longest
  std::uint64_t codel = 0;     ///< so that a standing queue goes (RFC 8289)
  std::uint64_t rate = 0;      ///< any of these, while the flow's own limit held it back
};

struct ShaperQueueStatus {
  std::size_t packets = 0;  ///< waiting now
  std::size_t bytes = 0;
  Duration delay{};  ///< that the one at the head has waited, or that the last one had
  ShaperDrops drops;
};

/// Whose turn it is: one datagram of a flow, or (flow 0) the streams with a peer.
struct ShaperTurn {
  FlowNo flow;
  ClientNo peer;           ///< of the datagram: to whom alone; 0: everybody
  Bytes text;              ///< of the datagram; valid until charge()
  std::uint16_t slot = 0;  ///< of the streams' peer
};

/// Strict order of three classes, in which each lower one that waits gets a twentieth of what the
/// higher ones take; within a class deficit round robin over flows with CoDel in each (RFC 8290,
/// 4); a limit of its own for a flow that has one. Pure: no clock, no sockets.
///
/// Use: add() and want_streams() put in; `while (turn = next(now)) { send; charge(cost, now); }`
/// takes out what may leave now; the rest follows at next_deadline().
class Shaper {
 public:
  /// Everything that waits. One second (kUsualAge) of 64 Mbit/s; an uplink that is faster and still
  /// too slow has other worries.
  static constexpr std::size_t kMostBytes = std::size_t{8} << 20;
  /// … in datagrams: 8 MiB of 1,000 bytes. Each keeps up to 2 kB when it is gone.
  static constexpr std::size_t kMostPackets = 8192;
  /// A frame of 100 kB takes 0.8 s at 1 Mbit/s; what is older is of no use to who steers by it.
  static constexpr Duration kUsualAge = 1s;
  /// Wakes are at least so far apart: at 50 Mbit/s five packets leave together.
  static constexpr Duration kWake = 1ms;

  Shaper();
  ~Shaper();
  Shaper(const Shaper&) = delete;
  Shaper& operator=(const Shaper&) = delete;

  /// All flows together leave at so many bytes a second; nothing: at once.
  void set_pace(std::optional<double> bytes_per_s, TimePoint now);

  /// A copy of the datagram waits its turn. A queue that is full makes room where it is longest.
  void add(FlowNo flow, const ShaperTerms& terms, ClientNo peer, Bytes text, TimePoint now);
  /// The streams with the peer in this slot may have something to send.
  void want_streams(std::uint16_t slot, UplinkClass group);
  void remove(FlowNo flow);
  void remove_streams(std::uint16_t slot);
  /// Those that have ever waited and were not removed, in any order.
  std::vector<FlowNo> flows() const;

  /// Whoever is next and may leave now. charge() must follow before anything else.
  std::optional<ShaperTurn> next(TimePoint now);
  /// The turn is over and has put `bytes` on the uplink. Streams that have put none there have
  /// nothing more to send.
  void charge(std::size_t bytes, TimePoint now);
  /// When next() has something; kNever: when something is put in.
  TimePoint next_deadline() const;

  /// Datagrams' bytes that wait.
  std::size_t backlog() const { return bytes_; }
  ShaperQueueStatus status(FlowNo flow, TimePoint now) const;

 private:
  struct Packet;
  struct Queue;
  class Pool;
  /// Where a queue is: nothing waits in it; RFC 8290's new and old flows; held back by its limit.
  enum class Place : std::uint8_t { kIdle, kFresh, kOld, kHeld };
  /// Queues that wait for their turn, first come first served.
  struct Line {
    Queue* first = nullptr;
    Queue* last = nullptr;
    void push(Queue& queue);
    void remove(const Queue& queue);
  };
  struct Group {
    Line fresh;
    Line old;
    double credit = 0;  ///< bytes that the higher classes owe it
    bool waits() const { return fresh.first != nullptr || old.first != nullptr; }
  };

  Queue& queue_at(std::uint32_t key);
  void set_terms(Queue& queue, const ShaperTerms& terms, TimePoint now);
  void remove(std::uint32_t key);
  Line& line_of(const Queue& queue);
  void enter(Queue& queue, TimePoint now);
  void move(Queue& queue, Place to);
  void make_room(std::size_t size);
  void drop_head(Queue& queue, std::uint64_t ShaperDrops::*cause);
  void drop_aged(Queue& queue, TimePoint now);
  void readmit(TimePoint now);
  Queue* choose(TimePoint now);
  Queue* pick(Group& group, TimePoint now);
  bool prepare(Queue& queue, TimePoint now);
  void settle(UplinkClass group, std::size_t bytes);

  std::unique_ptr<Pool> pool_;
  std::unordered_map<std::uint32_t, std::unique_ptr<Queue>> queues_;  ///< by key_of()
  std::array<Group, kUplinkClasses> groups_;
  Line held_;  ///< by their own limit
  std::size_t bytes_ = 0;
  std::optional<TokenBucket> pace_;
  Queue* turn_ = nullptr;  ///< between next() and charge()
  TimePoint woken_ = TimePoint::min();
};

}  // namespace wormhole
