// One-way delays of one way: the least that was seen, and how much more it is now.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "wormhole/base/time.hpp"

namespace wormhole {

/// The two clocks are not one, so that only differences mean something.
class DelayWatch {
 public:
  /// The least delay of the last two or three of these is the path's own. Clocks that drift apart
  /// by 50 ppm make 1.5 ms of it.
  static constexpr Duration kAge = 10s;
  /// Delays are the least of so much time: jitter is above it, a queue is not.
  static constexpr Duration kSlice = 74ms;
  /// Slices that are kept: 2.4 s and more.
  static constexpr std::size_t kSlices = 32;

  /// A frame left at `sent` and arrived at `at` (receiver's clock). In the order of `at`.
  void add(TimePoint sent, Duration at);
  /// Beyond the path's own, over the newest slice that has something, and the one before.
  Duration queue() const;
  /// The least and the most of the slices in the last `span`; nothing when there are none.
  struct Range {
    Duration least{};
    Duration most{};
    std::size_t slices = 0;
  };
  Range range(Duration span) const;
  /// Whether each of the last `count` slices that are over was above the one before by `step` at
  /// least, and none by more than `share` of it all: else it was a single step.
  bool climbs(std::size_t count, Duration step, double share) const;
  /// How much the queue has grown over the last `span`; negative: it shrank.
  Duration growth(Duration span) const;
  /// The most that it has risen within the last `span`, whatever it was before.
  Duration rise(Duration span) const;
  /// The path itself has become longer: what is the least now is its own.
  void rebase();
  /// While a queue stands, the least of the last seconds is not the path's own.
  void hold_base(bool hold) { held_ = hold; }

 private:
  struct Slice {
    Duration begin{};  // receiver's clock
    Duration least{};
  };
  const Slice& slice(std::size_t back) const { return slices_[(count_ - 1 - back) % kSlices]; }
  std::size_t kept() const { return count_ < kSlices ? count_ : kSlices; }
  Duration base() const;

  std::array<Slice, kSlices> slices_{};
  std::size_t count_ = 0;
  std::array<Duration, 3> bases_{};  // the newest first; each of kAge
  std::size_t bases_known_ = 0;
  Duration base_begin_{};
  bool held_ = false;
};

}  // namespace wormhole
