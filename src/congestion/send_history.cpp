#include "wormhole/congestion/send_history.hpp"

#include <algorithm>

namespace wormhole {

/// The number of the oldest frame in the ring.
std::uint64_t SendHistory::oldest() const {
  const auto held = std::min<std::uint64_t>(totals_.frames, marks_.size());
  return std::max(kept_from_, totals_.frames - held);
}

/// Once a round.
void SendHistory::grow(TimePoint now) {
  const auto size = marks_.size();
  const auto first = oldest();
  if (size >= kMost) return;
  if (size > 0 && now - sent_[first & mask_].at > kSpan) return;
  const auto larger = std::max(kFirst, 2 * size);
  std::vector<FrameMark> marks(larger);
  std::vector<Sent> sent(larger);
  for (auto i = first; i < totals_.frames; ++i) {
    marks[i & (larger - 1)] = marks_[i & mask_];
    sent[i & (larger - 1)] = sent_[i & mask_];
  }
  marks_ = std::move(marks);
  sent_ = std::move(sent);
  mask_ = larger - 1;
  kept_from_ = first;
}

std::optional<SentFrame> SendHistory::find(FrameMark mark) const {
  const auto first = oldest();
  for (auto at = std::find(marks_.begin(), marks_.end(), mark); at != marks_.end();
       at = std::find(at + 1, marks_.end(), mark)) {
    // The place's newest number, if the ring has come so far.
    const auto place = static_cast<std::uint64_t>(at - marks_.begin());
    if (place >= totals_.frames) continue;
    const auto number = totals_.frames - 1 - ((totals_.frames - 1 - place) & mask_);
    if (number < first) continue;
    const auto all = until(sent_[place].at);
    return SentFrame{sent_[place].at, {all.frames - number - 1, all.bytes - sent_[place].bytes}};
  }
  return std::nullopt;
}

SentTotals SendHistory::until(TimePoint at) const {
  if (totals_.frames == 0) return {};
  auto low = oldest();  // left until then, or is the oldest
  auto high = totals_.frames;
  while (high - low > 1) {
    const auto middle = low + (high - low) / 2;
    (sent_[middle & mask_].at <= at ? low : high) = middle;
  }
  if (low == 0 && sent_[0].at > at) return {};
  return {low + 1, sent_[low & mask_].bytes};
}

std::optional<SentFrame> SentBy::find(FrameMark mark) const {
  for (const auto& source : sources_) {
    if (const auto frame = source.history->find(mark)) return frame;
  }
  return std::nullopt;
}

SentTotals SentBy::between(TimePoint from, TimePoint to) const {
  SentTotals sum;
  for (const auto& source : sources_) {
    const auto first = source.history->until(from);
    const auto last = source.history->until(to);
    const auto part = [](std::uint64_t begin, std::uint64_t end, std::uint64_t least) {
      return std::max(end, least) - std::max(begin, least);
    };
    sum.frames += part(first.frames, last.frames, source.from.frames);
    sum.bytes += part(first.bytes, last.bytes, source.from.bytes);
  }
  return sum;
}

}  // namespace wormhole
