// The sender's side: when each frame left.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "wormhole/base/time.hpp"
#include "wormhole/wire/feedback.hpp"

namespace wormhole {

/// Frames and their bytes, as large as they arrive.
struct SentTotals {
  std::uint64_t frames = 0;
  std::uint64_t bytes = 0;
};

/// A frame that left.
struct SentFrame {
  TimePoint at{};
  SentTotals after;  ///< what left at the same time behind it: one call sends many
};

/// Frames of one source in the order in which they left: what one peer gets by one way, or what is
/// uploaded once for a group. A ring that grows while it holds less than kSpan.
class SendHistory {
 public:
  /// A report tells of what was sent a round trip and a queue ago: 1 s of queue, 500 ms of round
  /// trip, and 1 s of low rate between reports.
  static constexpr Duration kSpan = 2500ms;
  /// … but no more frames: at 20,000 a second a second's worth, 320 kB.
  static constexpr std::size_t kMost = 16'384;
  static constexpr std::size_t kFirst = 64;

  /// A frame leaves. `bytes`: of it as the receiver gets it.
  void note(FrameMark mark, std::size_t bytes, TimePoint now) {
    if (((totals_.frames + 1) & mask_) == 0) [[unlikely]]
      grow(now);
    const auto at = totals_.frames & mask_;
    totals_.bytes += bytes;
    ++totals_.frames;
    marks_[at] = mark;
    sent_[at] = {now, totals_.bytes};
  }
  /// When the frame left; nothing when it is not known (any more).
  std::optional<SentFrame> find(FrameMark mark) const;
  /// Everything that left until then, that moment included; of times before the oldest that is
  /// kept: until that.
  SentTotals until(TimePoint at) const;
  SentTotals totals() const { return totals_; }
  void clear() { *this = {}; }

 private:
  struct Sent {
    TimePoint at{};
    std::uint64_t bytes = 0;  // all until then, this one included
  };
  void grow(TimePoint now);
  std::uint64_t oldest() const;

  std::vector<FrameMark> marks_;
  std::vector<Sent> sent_;
  std::uint64_t mask_ = 0;  // size - 1
  std::uint64_t kept_from_ = 0;
  SentTotals totals_;
};

/// A history, as far as it is about one receiver.
struct SentSource {
  const SendHistory* history = nullptr;
  SentTotals from;  ///< what left before was not for it
};

/// Everything that goes to one peer by one way: its own frames, and those of groups that it is in.
class SentBy {
 public:
  /// `sources` outlive this.
  explicit SentBy(std::span<const SentSource> sources) : sources_(sources) {}
  std::optional<SentFrame> find(FrameMark mark) const;
  /// Of (from, to].
  SentTotals between(TimePoint from, TimePoint to) const;

 private:
  std::span<const SentSource> sources_;
};

}  // namespace wormhole
