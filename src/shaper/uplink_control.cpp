#include "wormhole/shaper/uplink_control.hpp"

#include <algorithm>
#include <cmath>

namespace wormhole {
namespace {

constexpr double seconds(Duration span) { return std::chrono::duration<double>(span).count(); }

/// A queue that is worth moving. Below it nobody is hurt, and jitter can look like it.
constexpr Duration kEnter = 25ms;
/// Loss without a queue that is none of the radio's: a short buffer, or a policer. Random loss of
/// 2 % reaches it in one of some thousand seconds.
constexpr double kEnterLoss = 0.05;

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
/// From the change of a rate to reports that tell of it, beside the round trip: the window of 100
/// ms over which jitter is filtered, and a report's interval, at least 50 ms.
constexpr Duration kFilterLag = 100ms;
constexpr Duration kReportLag = 50ms;
/// The longest queue that is waited for to see what a cut did.
constexpr Duration kMostDeaf = 2500ms;
/// A queue that grows by this much each second (of arrivals) tells how little is carried.
constexpr double kGrows = 0.1;
/// One cut leaves at least this share: most of what piles up may be others', who will yield, too.
constexpr double kMostCut = 0.5;
/// A cut to less than this share is news of another uplink, and what it carries is found anew.
constexpr double kFell = 0.7;
/// While draining it must shrink: as long as it does not, the capacity is less by this.
constexpr double kStillFull = 0.8;
/// One that shrinks by as much is on its way out; a short one, by half of what the pace leaves it.
constexpr double kShrinks = -0.1;
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

void UplinkControl::update(std::span<const UplinkWay> ways, const UplinkLoad& load, TimePoint now) {
  if (!wants_update(now)) return;
  auto view = view_of(ways, load.uploads_per_copy);
  if (!view.any) view.queue = queue_;  // until somebody tells
  queue_ = view.queue;
  const auto span = std::min(now - updated_, kTick);
  rtt_ = is_shaping() ? std::min(rtt_, view.rtt) : view.rtt;
  if (!is_shaping()) {
    updated_ = now;
    const bool worth_it = load.datagrams && (view.queue >= kEnter || view.loss >= kEnterLoss);
    if (!view.full || !worth_it || view.capacity <= 0 || view.capacity > kMostRate) return;
    begin(view, load, now);
    return slope_.note(now - view.silent, view.queue, load.uploaded);
  }
  slope_.note(now - view.silent, view.queue, load.uploaded);
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

void UplinkControl::begin(const UplinkView& view, const UplinkLoad& load, TimePoint now) {
  capacity_ = std::max(view.capacity, kLeastRate);
  before_hurt_ = capacity_;
  // What left before has not been counted.
  slope_ = {};
  calm_since_ = now;
  calm_uploaded_ = load.uploaded;
  begin_drain(view, now);
  set_pace(view);
}

void UplinkControl::begin_drain(const UplinkView& view, TimePoint now) {
  state_ = State::kDraining;
  // It took at least as long to pile up as it takes to go.
  full_since_ = now - view.queue;
  delivered_most_ = 0;
  hurt_since_ = kNever;
  drained_from_ = capacity_;
  note_cut(view, now);
}

/// Until the queue is gone. What arrives while it stands is what the uplink carries.
void UplinkControl::drain(const UplinkView& view, TimePoint now) {
  // What was known when it began may be of another time.
  if (view.capacity > 0) capacity_ = std::clamp(view.capacity, kLeastRate, capacity_);
  // Rates are those of the last second: over a whole one of queue they are no guess.
  if (now - full_since_ > 1s + deaf_time()) {
    delivered_most_ = std::max(delivered_most_, view.delivered);
    auto found = std::min(delivered_most_, kMostFound * drained_from_);
    if (view.capacity > 0) found = std::min(found, view.capacity);
    capacity_ = std::max(capacity_, found);
  }
  if (excess(view) > kHigh) {
    if (shrinks()) hurt_since_ = kNever;
    if (is_deaf(view, now) || shrinks()) return;
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

void UplinkControl::hold(const UplinkView& view, Duration span, TimePoint now) {
  tolerated_ = std::min(tolerated_, view.queue);
  tolerated_loss_ = std::min(tolerated_loss_, view.loss);
  if (excess(view) <= kHigh && !loses(view)) {
    hurt_since_ = kNever;
    before_hurt_ = capacity_;
  } else if (shrinks()) {
    hurt_since_ = kNever;
  } else {
    if (hurt_since_ == kNever) hurt_since_ = now;
    if (now - hurt_since_ > kUseless) return tolerate(view, now);
    const bool grows = slope_.growth() > kGrows && slope_.from() - tolerated_ > kFree;
    if (!is_deaf(view, now) && (grows || loses(view))) cut(view, now);
  }
  adjust(view, span, now);
}

/// What grows by the same bytes for all, and shrinks in proportion to what each has, comes to the
/// same for all who see the same queue.
void UplinkControl::adjust(const UplinkView& view, Duration span, TimePoint now) {
  const auto over = std::clamp(excess(view) - kFree, Duration{}, kMostOver);
  if (over > Duration{}) {
    step_ = kFirstStep;
    stepped_ = now;
  } else if (now - stepped_ >= kDouble) {
    stepped_ = now;
    step_ *= 2;
  }
  const bool busy = waits_ || slope_.sent() >= kBusy * pace_;
  const bool goes = shrinks();
  const auto up = busy ? std::min(step_, kMostStep * capacity_) : 0;
  const auto down = goes ? 0 : kYield * seconds(over) * capacity_;
  capacity_ = std::max(kLeastRate, capacity_ + (up - down) * seconds(span));
}

/// A queue that grows tells what is carried: of each second's arrivals, what did not pile up.
void UplinkControl::cut(const UplinkView& view, TimePoint now) {
  auto found = state_ == State::kDraining ? kStillFull * capacity_ : capacity_;
  const auto least = kMostCut * capacity_;
  if (slope_.growth() > kGrows) {
    found = std::min(found, std::max(least, slope_.sent() * (1 - slope_.growth())));
  }
  if (excess(view) <= kHigh) found = std::min(found, view.delivered);
  const bool fell = found < kFell * capacity_;
  capacity_ = std::max(kLeastRate, found);
  if (fell) return begin_drain(view, now);
  note_cut(view, now);
}

void UplinkControl::note_cut(const UplinkView& view, TimePoint now) {
  step_ = kFirstStep;
  stepped_ = now;
  at_cut_ = excess(view);
  cut_at_ = now;
}

/// We gave way and the queue stays: others fill it. To go on giving way would be to starve.
void UplinkControl::tolerate(const UplinkView& view, TimePoint now) {
  tolerated_ = view.queue;
  tolerated_loss_ = view.loss;
  capacity_ = std::max(std::min(before_hurt_, view.delivered), capacity_);
  hurt_since_ = kNever;
  state_ = State::kHolding;
  note_cut(view, now);
}

/// Over the last two seconds less was sent than may be, and nothing waits.
bool UplinkControl::may_end(const UplinkView& view, const UplinkLoad& load, TimePoint now) {
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

void UplinkControl::set_pace(const UplinkView& view) {
  // Not by how often reports come: whoever has less of a bottleneck has fewer, and would give way
  // less than the others.
  const auto slow = std::max(kDrainTime, 2 * (rtt_ + kFilterLag + kReportLag));
  const auto share = 1 - seconds(std::max(excess(view), Duration{})) / seconds(slow);
  pace_ = capacity_ * std::clamp(share, kLeastShare, 1.0);
  const auto usual = std::chrono::duration<double>(3 * kPerReport / pace_);
  const auto overdue = view.silent - deaf_time() - std::chrono::duration_cast<Duration>(usual);
  if (overdue > Duration{}) pace_ *= std::exp2(-seconds(overdue) / seconds(kHalve));
  pace_ = std::max(pace_, kLeastRate);
}

bool UplinkControl::shrinks() const {
  return slope_.growth() < std::max(kShrinks, (pace_ / capacity_ - 1) / 2);
}

bool UplinkControl::loses(const UplinkView& view) const {
  return view.loss - tolerated_loss_ >= kEnterLoss;
}

/// From a cut to reports that tell what it did.
Duration UplinkControl::deaf_time() const {
  const std::chrono::duration<double> apart(kPerReport / std::max(pace_, kLeastRate));
  return rtt_ + kFilterLag + std::max(kReportLag, std::chrono::duration_cast<Duration>(apart));
}

/// What arrives was sent before the last cut: all that stood in the queue then. How long that was
/// shows only meanwhile.
bool UplinkControl::is_deaf(const UplinkView& view, TimePoint now) const {
  const bool by_loss = excess(view) <= kHigh;  // which is told of the last second
  const auto stood = std::min(3 * at_cut_ / 2, kMostDeaf);
  return now - cut_at_ < deaf_time() + stood + (by_loss ? 1s : 0s);
}

}  // namespace wormhole
