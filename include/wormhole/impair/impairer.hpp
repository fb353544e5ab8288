// A bad link as a pure machine: datagrams in, the same datagrams out, fewer, later, altered or
// twice.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "wormhole/base/bytes.hpp"
#include "wormhole/base/time.hpp"
#include "wormhole/impair/held_pool.hpp"
#include "wormhole/impair/loss_model.hpp"
#include "wormhole/impair/spread_delay.hpp"

namespace wormhole {

/// What became of datagrams so far.
struct ImpairCounts {
  std::uint64_t offered = 0;
  std::uint64_t lost = 0;         ///< by the loss model, copies included
  std::uint64_t handover = 0;     ///< lost in a handover
  std::uint64_t over_limit = 0;   ///< lost because `limit` datagrams waited
  std::uint64_t over_memory = 0;  ///< lost because the memory for all that wait was full
  std::uint64_t duplicated = 0;
  std::uint64_t corrupted = 0;
  std::uint64_t reordered = 0;  ///< left at once, ahead of those that waited
  std::uint64_t delayed = 0;    ///< have waited and left
  std::uint64_t waited_us = 0;  ///< … all of them together; a sum of Durations ends after 292 years
  ImpairCounts& operator+=(const ImpairCounts& other);
};

/// netem's qdisc without the kernel. In its order: duplicate and loss are decided together (both at
/// once cancel out), a copy goes through the rest on its own and may be lost itself; then corrupt,
/// limit, reorder or delay, rate, and slots where they leave. Datagrams leave in the order of their
/// times, so jitter reorders them, unless a rate puts them in a row.
class Impairer {
 public:
  /// `seed` is used where the profile has none. Contract: what_is_wrong(profile) is empty; `pool`
  /// outlives it.
  Impairer(ImpairProfile profile, HeldPool& pool, std::uint64_t seed);
  ~Impairer();
  Impairer(const Impairer&) = delete;
  Impairer& operator=(const Impairer&) = delete;

  /// Other rules for what comes from now on; what is held keeps its times. A seed begins anew.
  void set_profile(ImpairProfile profile);
  const ImpairProfile& profile() const { return profile_; }

  /// One datagram. True: it leaves now, as it then stands in `bytes`, behind those that are due.
  /// False: it is gone, or held. Its bytes may be changed in place. `tag` comes back with it.
  bool on_datagram(MutBytes bytes, std::uint16_t tag, TimePoint now);

  struct Due {
    std::size_t size = 0;
    std::uint16_t tag = 0;
  };
  /// The next one that is held and leaves now. Contract: take() or drop() follows.
  std::optional<Due> next_due(TimePoint now);
  /// Copies it to `to`, which is as long; nothing holds it any more.
  void take(MutBytes to, TimePoint now);
  void drop(TimePoint now);

  /// When next_due will have one; kNever when nothing is held.
  TimePoint next_deadline() const;
  std::size_t held() const { return held_.size(); }
  const ImpairCounts& counts() const { return counts_; }

 private:
  /// What a profile makes of dice.
  struct Rules {
    Rules(const ImpairProfile& profile, Dice& dice);
    LossModel loss;
    ChanceDice duplicate, reorder, corrupt;
    CorrelatedDice jitter;
    SpreadDelay delay, slot_delay;
  };
  struct Held {
    TimePoint at;
    std::uint64_t number = 0;  ///< those of one time leave as they came
    TimePoint since;
    HeldPool::Ticket ticket;
    std::uint16_t tag = 0;
  };
  struct LeavesLater {
    bool operator()(const Held& a, const Held& b) const {
      return a.at != b.at ? a.at > b.at : a.number > b.number;
    }
  };
  /// A bit of a datagram that was flipped.
  struct Bit {
    std::size_t byte = 0;
    std::uint8_t mask = 0;
  };

  bool admit(MutBytes bytes, std::uint16_t tag, TimePoint now, bool is_copy);
  std::optional<Bit> corrupt(MutBytes bytes);
  bool overtakes();
  /// When a datagram of `size` bytes leaves; nothing: it is lost in a handover.
  std::optional<TimePoint> time_to_leave(std::size_t size, TimePoint now);
  std::optional<TimePoint> after_handover(TimePoint at);
  Duration time_on_link(std::size_t size) const;
  bool has_slots() const { return profile_.slot.kind != ImpairProfile::Slot::Kind::kNone; }
  void begin_slot(TimePoint now);
  void hold(Bytes bytes, std::uint16_t tag, TimePoint at, TimePoint now);
  Held pop(TimePoint now);

  ImpairProfile profile_;
  HeldPool& pool_;
  Dice dice_;
  Rules rules_;
  std::vector<Held> held_;  // a heap: the first to leave in front
  std::uint64_t next_number_ = 0;
  TimePoint last_at_ = TimePoint::min();  // the latest time that was given to one
  std::uint32_t since_overtaking_ = 0;    // datagrams
  std::optional<TimePoint> begun_;        // handovers are counted from here
  TimePoint slot_at_ = TimePoint::min();
  std::int64_t slot_packets_ = 0;  // left in this slot
  std::int64_t slot_bytes_ = 0;
  ImpairCounts counts_;
};

}  // namespace wormhole
