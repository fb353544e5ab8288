#include "wormhole/shaper/uplink_view.hpp"

#include <algorithm>

namespace wormhole {
namespace {

constexpr double seconds(Duration span) { return std::chrono::duration<double>(span).count(); }
constexpr double bytes(double bits) { return bits / 8; }

/// A report that is older says nothing of now: reports come 20 times a second, on slow links once.
constexpr Duration kFresh = 2s;
/// A way with less than this share of the bytes is not asked about the queue: its reports are rare.
constexpr double kGoodPart = 0.1;
/// So much of what is sent must go by ways that are full, for the uplink to be what they share.
constexpr double kMostOfIt = 0.8;
/// A queue that is worth moving. Below it nobody is hurt, and jitter can look like it.
constexpr Duration kQueues = 25ms;
/// The least while shaping: in the others there was a queue.
constexpr Duration kLeastRtt = 10ms;
constexpr Duration kMostRtt = 300ms;

/// Growth is measured over so much time: jitter of 2 ms is then 2 %.
constexpr Duration kSlope = 100ms;
/// … or the time between two reports of a slow link.
constexpr Duration kOldMark = 2s;
/// Not more than this: a report that came late looks like a queue.
constexpr double kMostGrowth = 0.8;

/// What all ways send together, and the longest queue of one that is at its limit.
struct Sum {
  double sent = 0;
  Duration longest{};
};

Sum sum_of(std::span<const UplinkWay> ways) {
  Sum sum;
  for (const auto& way : ways) {
    if (way.silent > kFresh) continue;
    sum.sent += way.link.sent_bps;
    if (way.link.verdict == LinkVerdict::kLimit) {
      sum.longest = std::max(sum.longest, way.link.queue_delay);
    }
  }
  return sum;
}

/// What all have in common is the uplink's.
void narrow(UplinkView& view, const LinkState& link) {
  view.queue = view.any ? std::min(view.queue, link.queue_delay) : link.queue_delay;
  view.loss = view.any ? std::min(view.loss, link.loss) : link.loss;
  if (link.rtt) view.rtt = std::clamp(*link.rtt, kLeastRtt, kMostRtt);
  view.any = true;
}

}  // namespace

UplinkView view_of(std::span<const UplinkWay> ways, double uploads_per_copy) {
  UplinkView view;
  const auto sum = sum_of(ways);
  double full = 0;
  double known = 0;  // sent by ways whose capacity is known
  bool limited = false;
  for (const auto& [link, silent] : ways) {
    view.silent = std::min(view.silent, silent);
    if (silent > kFresh) continue;
    const bool at_limit = link.verdict == LinkVerdict::kLimit;
    limited |= at_limit;
    // One that carries little is not at its limit; but it stands in the same queue.
    const bool stands = link.queue_delay > kQueues && 2 * link.queue_delay > sum.longest;
    if (at_limit || stands) full += link.sent_bps;
    view.delivered += bytes(link.delivered_bps);
    if (at_limit && link.capacity_bps > 0) {
      view.capacity += bytes(link.capacity_bps);
      known += link.sent_bps;
    }
    if (sum.sent > 0 && link.sent_bps >= kGoodPart * sum.sent) narrow(view, link);
  }
  view.delivered *= uploads_per_copy;
  // One queue serves all in proportion to what they send; not each has shown yet how much that is.
  view.capacity *= uploads_per_copy * (known > 0 ? sum.sent / known : 0);
  view.full = limited && full >= kMostOfIt * sum.sent;
  return view;
}

void QueueSlope::note(TimePoint at, Duration queue, std::uint64_t uploaded) {
  if (at == newest_) return;
  newest_ = at;
  if (const auto before = earlier(at)) {
    const auto span = seconds(at - before->at);
    growth_ = std::min(kMostGrowth, seconds(queue - before->queue) / span);
    from_ = before->queue;
    sent_ = static_cast<double>(uploaded - before->uploaded) / span;
  } else {
    growth_ = 0;
    sent_ = 0;
  }
  marks_[next_mark_++ % marks_.size()] = {at, queue, uploaded};
}

/// The newest that is long enough ago to compare with.
std::optional<QueueSlope::Mark> QueueSlope::earlier(TimePoint now) const {
  std::optional<Mark> found;
  for (const auto& mark : marks_) {
    if (mark.at == TimePoint::min() || now - mark.at < kSlope || now - mark.at > kOldMark) continue;
    if (!found || mark.at > found->at) found = mark;
  }
  return found;
}

}  // namespace wormhole
