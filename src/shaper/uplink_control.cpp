#include "wormhole/shaper/uplink_control.hpp"

#include <algorithm>
#include <cmath>

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
constexpr Duration kEnter = 25ms;
/// Loss without a queue that is none of the radio's: a short buffer, or a policer. Random loss of
/// 2 % reaches it in one of some thousand seconds.
constexpr double kEnterLoss = 0.05;

/// Round trips are smoothed, and while a queue goes they are told too long.
constexpr Duration kLeastRtt = 10ms;
constexpr Duration kMostRtt = 300ms;

/// Holding: above it a growing queue tells of less capacity.
constexpr Duration kHigh = 15ms;
/// Below this nobody gives way: it keeps the uplink in use, and jitter makes as much.
constexpr Duration kFree = 8ms;
/// What is above it lowers the capacity by so much a second for each second of queue (10 ms: 20 %
/// a second), …
constexpr double kYield = 20;
/// … but never faster than this queue would: longer ones are news of another kind.
constexpr Duration kMostOver = 30ms;
/// The rate sent is lower than the capacity by the queue's share of this: a queue goes in that
/// time.
constexpr Duration kDrainTime = 250ms;
/// … but not below this share: what is urgent goes on meanwhile.
constexpr double kLeastShare = 0.2;
/// From the change of a rate to reports that tell of it, beside the round trip: a report's interval
/// of 50 ms and the window of 100 ms over which jitter is filtered.
constexpr Duration kReportLag = 150ms;
/// The longest queue that is waited for to see what a cut did.
constexpr Duration kMostDeaf = 2500ms;
/// A queue that grows by this much each second (of arrivals) tells how little is carried.
constexpr double kGrows = 0.1;
/// … but not more than this: a report that came late looks like a queue.
constexpr double kMostGrowth = 0.8;
/// One cut leaves at least this share: most of what piles up may be others', who will yield, too.
constexpr double kMostCut = 0.5;
/// A cut to less than this share is news of another uplink, and what it carries is found anew.
constexpr double kFell = 0.7;
/// While draining it must shrink: as long as it does not, the capacity is less by this.
constexpr double kStillFull = 0.8;
/// One that shrinks by as much is on its way out.
constexpr double kShrinks = -0.1;
/// Growth is measured over so much time: jitter of 2 ms is then 2 %.
constexpr Duration kSlope = 100ms;
/// … or the time between two reports of a slow link.
constexpr Duration kOldMark = 2s;

/// The additive step, bytes a second each second: 160 kbit/s. With kYield it rests at a queue of
/// 12 ms with 2 Mbit/s and at 20 ms with 0.6, and sharers of 4 Mbit/s agree in a quarter of a
/// minute.
constexpr double kFirstStep = 20000;
/// It doubles as often as this while no queue shows …
constexpr Duration kDouble = 2s;
/// … up to this share of the capacity each second: the queue that the last step builds before it
/// is seen stays below 50 ms.
constexpr double kMostStep = 0.15;
/// What draining finds is no more than this much of what was known before: reports that
/// disagree, because flows have just changed their way, are not believed at once.
constexpr double kMostFound = 1.5;
/// After draining: a little below what was found, so that the queue goes for good.
constexpr double kAfterDrain = 0.95;

/// A stranger's queue: giving way for so long did not make it shrink.
constexpr Duration kUseless = 3s;

/// As busy as this is limited by the pace.
constexpr double kBusy = 0.9;
constexpr Duration kCalm = 2s;

/// Without any report the rate is halved as often as this: the uplink may be gone.
constexpr Duration kHalve = 500ms;
/// … and nothing is known any more.
constexpr Duration kForget = 10s;
/// Bytes that must be carried to pay for a report (1 % of them).
constexpr double kPerReport = 12'000;

}  // namespace

UplinkControl::View UplinkControl::look(std::span<const UplinkWay> ways, double uploads_per_copy) {
  View view;
  double sent = 0;
  Duration longest{};
  for (const auto& way : ways) {
    view.silent = std::min(view.silent, way.silent);
    if (way.silent > kFresh) continue;
    sent += way.link.sent_bps;
    if (way.link.verdict == LinkVerdict::kLimit) longest = std::max(longest, way.link.queue_delay);
  }
  double full = 0;
  double known = 0;  // sent by ways whose capacity is known
  bool limited = false;
  for (const auto& way : ways) {
    const auto& link = way.link;
    if (way.silent > kFresh) continue;
    const bool at_limit = link.verdict == LinkVerdict::kLimit;
    limited |= at_limit;
    // One that carries little is not at its limit; but it stands in the same queue.
    if (at_limit || (link.queue_delay > kEnter && 2 * link.queue_delay > longest)) {
      full += link.sent_bps;
    }
    view.delivered += bytes(link.delivered_bps);
    if (at_limit && link.capacity_bps > 0) {
      view.capacity += bytes(link.capacity_bps);
      known += link.sent_bps;
    }
    if (link.sent_bps < kGoodPart * sent || sent <= 0) continue;
    view.queue = view.any ? std::min(view.queue, link.queue_delay) : link.queue_delay;
    view.loss = view.any ? std::min(view.loss, link.loss) : link.loss;
    if (link.rtt) view.rtt = std::clamp(*link.rtt - link.queue_delay, kLeastRtt, kMostRtt);
    view.any = true;
  }
  view.delivered *= uploads_per_copy;
  // One queue serves all in proportion to what they send; not each has shown yet how much that is.
  view.capacity *= uploads_per_copy * (known > 0 ? sent / known : 0);
  view.full = limited && full >= kMostOfIt * sent;
  return view;
}

void UplinkControl::update(std::span<const UplinkWay> ways, const UplinkLoad& load, TimePoint now) {
  if (!wants_update(now)) return;
  auto view = look(ways, load.uploads_per_copy);
  if (!view.any) view.queue = queue_;  // until somebody tells
  queue_ = view.queue;
  const auto span = std::min(now - updated_, kTick);
  rtt_ = is_shaping() ? std::min(rtt_, view.rtt) : view.rtt;
  if (!is_shaping()) {
    updated_ = now;
    const bool worth_it = load.datagrams && (view.queue >= kEnter || view.loss >= kEnterLoss);
    if (!view.full || !worth_it || view.capacity <= 0 || view.capacity > kMostRate) return;
    begin(view, load, now);
    return note(view, load, now);
  }
  note(view, load, now);
  updated_ = now;
  waits_ = load.backlog > 0;
  if (view.silent > kForget || may_end(view, load, now)) return reset();
  at_cut_ = std::max(at_cut_, excess(view));
  if (state_ == State::kDraining) {
    drain(view, now);
  } else {
    hold(view, span, now);
  }
  set_pace(view);
}

void UplinkControl::begin(const View& view, const UplinkLoad& load, TimePoint now) {
  capacity_ = std::max(view.capacity, kLeastRate);
  before_hurt_ = capacity_;
  // What left before has not been counted.
  marks_.fill({});
  newest_ = TimePoint::min();
  calm_since_ = now;
  calm_uploaded_ = load.uploaded;
  begin_drain(view, now);
  set_pace(view);
}

void UplinkControl::begin_drain(const View& view, TimePoint now) {
  state_ = State::kDraining;
  // It took at least as long to pile up as it takes to go.
  full_since_ = now - view.queue;
  delivered_most_ = 0;
  hurt_since_ = kNever;
  drained_from_ = capacity_;
  note_cut(view, now);
}

/// Until the queue is gone. What arrives while it stands is what the uplink carries.
void UplinkControl::drain(const View& view, TimePoint now) {
  // Rates are those of the last second: over a whole one of queue they are no guess.
  if (now - full_since_ > 1s + deaf_time()) {
    delivered_most_ = std::max(delivered_most_, view.delivered);
    capacity_ = std::max(capacity_, std::min(delivered_most_, kMostFound * drained_from_));
  }
  if (excess(view) > kHigh) {
    if (growth_ < kShrinks) hurt_since_ = kNever;
    if (is_deaf(view, now) || growth_ < kShrinks) return;
    if (hurt_since_ == kNever) hurt_since_ = now;
    return now - hurt_since_ > kUseless ? tolerate(view, now) : cut(view, now);
  }
  // Where others filled the queue, too, what arrives of ours says less.
  if (delivered_most_ > 0) {
    capacity_ = std::clamp(delivered_most_, kStillFull * capacity_, capacity_);
  }
  capacity_ = std::max(kLeastRate, kAfterDrain * capacity_);
  state_ = State::kHolding;
  hurt_since_ = kNever;
  note_cut(view, now);
}

void UplinkControl::hold(const View& view, Duration span, TimePoint now) {
  tolerated_ = std::min(tolerated_, view.queue);
  tolerated_loss_ = std::min(tolerated_loss_, view.loss);
  if (excess(view) <= kHigh && !loses(view)) {
    hurt_since_ = kNever;
    before_hurt_ = capacity_;
  } else if (growth_ < kShrinks) {
    hurt_since_ = kNever;
  } else {
    if (hurt_since_ == kNever) hurt_since_ = now;
    if (now - hurt_since_ > kUseless) return tolerate(view, now);
    const bool grows = growth_ > kGrows && grew_from_ > kFree;
    if (!is_deaf(view, now) && (grows || loses(view))) cut(view, now);
  }
  adjust(view, span, now);
}

/// What grows by the same bytes for all, and shrinks in proportion to what each has, comes to the
/// same for all who see the same queue.
void UplinkControl::adjust(const View& view, Duration span, TimePoint now) {
  const auto over = std::clamp(excess(view) - kFree, Duration{}, kMostOver);
  if (over > Duration{}) {
    step_ = kFirstStep;
    stepped_ = now;
  } else if (now - stepped_ >= kDouble) {
    stepped_ = now;
    step_ *= 2;
  }
  const bool busy = waits_ || sent_ >= kBusy * pace_;
  const bool goes = growth_ < kShrinks;
  const auto up = busy ? std::min(step_, kMostStep * capacity_) : 0;
  const auto down = goes ? 0 : kYield * seconds(over) * capacity_;
  capacity_ = std::max(kLeastRate, capacity_ + (up - down) * seconds(span));
}

/// A queue that grows tells what is carried: of each second's arrivals, what did not pile up.
void UplinkControl::cut(const View& view, TimePoint now) {
  auto found = state_ == State::kDraining ? kStillFull * capacity_ : capacity_;
  const auto least = kMostCut * capacity_;
  if (growth_ > kGrows) found = std::min(found, std::max(least, sent_ * (1 - growth_)));
  if (excess(view) <= kHigh) found = std::min(found, view.delivered);
  const bool fell = found < kFell * capacity_;
  capacity_ = std::max(kLeastRate, found);
  if (fell) return begin_drain(view, now);
  note_cut(view, now);
}

void UplinkControl::note_cut(const View& view, TimePoint now) {
  step_ = kFirstStep;
  stepped_ = now;
  at_cut_ = excess(view);
  cut_at_ = now;
}

/// We gave way and the queue stays: others fill it. To go on giving way would be to starve.
void UplinkControl::tolerate(const View& view, TimePoint now) {
  tolerated_ = view.queue;
  tolerated_loss_ = view.loss;
  capacity_ = std::max(std::min(before_hurt_, view.delivered), capacity_);
  hurt_since_ = kNever;
  state_ = State::kHolding;
  note_cut(view, now);
}

/// Over the last two seconds less was sent than may be, and nothing waits.
bool UplinkControl::may_end(const View& view, const UplinkLoad& load, TimePoint now) {
  if (now - calm_since_ < kCalm) return false;
  const auto rate =
      static_cast<double>(load.uploaded - calm_uploaded_) / seconds(now - calm_since_);
  if (state_ == State::kHolding && rate < kBusy * capacity_) {
    return load.backlog == 0 && excess(view) < kHigh;  // else as soon as that is so
  }
  calm_since_ = now;
  calm_uploaded_ = load.uploaded;
  return false;
}

void UplinkControl::set_pace(const View& view) {
  const auto slow = std::max(kDrainTime, 2 * deaf_time());
  const auto share = 1 - seconds(std::max(excess(view), Duration{})) / seconds(slow);
  pace_ = capacity_ * std::clamp(share, kLeastShare, 1.0);
  const auto usual = std::chrono::duration<double>(3 * kPerReport / pace_);
  const auto overdue = view.silent - deaf_time() - std::chrono::duration_cast<Duration>(usual);
  if (overdue > Duration{}) pace_ *= std::exp2(-seconds(overdue) / seconds(kHalve));
  pace_ = std::max(pace_, kLeastRate);
}

bool UplinkControl::loses(const View& view) const {
  return view.loss - tolerated_loss_ >= kEnterLoss;
}

/// From a cut to reports that tell what it did.
Duration UplinkControl::deaf_time() const { return rtt_ + kReportLag; }

/// What arrives was sent before the last cut: all that stood in the queue then. How long that was
/// shows only meanwhile.
bool UplinkControl::is_deaf(const View& view, TimePoint now) const {
  const bool by_loss = excess(view) <= kHigh;  // which is told of the last second
  const auto stood = std::min(3 * at_cut_ / 2, kMostDeaf);
  return now - cut_at_ < deaf_time() + stood + (by_loss ? 1s : 0s);
}

/// The newest that is long enough ago to compare with.
std::optional<UplinkControl::Mark> UplinkControl::earlier(TimePoint now) const {
  std::optional<Mark> found;
  for (const auto& mark : marks_) {
    if (mark.at == TimePoint::min() || now - mark.at < kSlope || now - mark.at > kOldMark) continue;
    if (!found || mark.at > found->at) found = mark;
  }
  return found;
}

void UplinkControl::note(const View& view, const UplinkLoad& load, TimePoint now) {
  const auto at = now - view.silent;  // when it was told
  if (at == newest_) return;
  newest_ = at;
  if (const auto before = earlier(at)) {
    const auto span = seconds(at - before->at);
    growth_ = std::min(kMostGrowth, seconds(view.queue - before->queue) / span);
    grew_from_ = before->queue - tolerated_;
    sent_ = static_cast<double>(load.uploaded - before->uploaded) / span;
  } else {
    growth_ = 0;
    sent_ = 0;
  }
  marks_[next_mark_++ % marks_.size()] = {at, view.queue, load.uploaded};
}

}  // namespace wormhole
