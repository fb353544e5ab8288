#include "wormhole/congestion/way_monitor.hpp"

#include <algorithm>
#include <cmath>

namespace wormhole {
namespace {

constexpr double seconds(Duration span) { return std::chrono::duration<double>(span).count(); }

// The figures below were tried with bench/congestion_sim: even traffic and video through
// bottlenecks of 1 to 50 Mbit/s with jitter of up to 30 ms.

/// Rates are those of about a second: video comes in frames, encoders in groups of them.
constexpr Duration kSecond = 1s;
/// A way with less than that has not been asked for what it carries.
constexpr double kLeastBps = 100'000;

/// The queue that tells of a limit: above what jitter of 30 ms leaves in the least of a slice.
constexpr Duration kStands = 30ms;
/// It grows fast: each of three slices is above the one before by so much (117 % of the capacity),
/// or each of four by so much (109 %), and none holds more than half of it: a path that has become
/// longer at once, as a satellite's does every 15 s, is none.
constexpr std::size_t kFewSteps = 3;
constexpr Duration kHighStep = 11ms;
constexpr std::size_t kMoreSteps = 4;
constexpr Duration kLowStep = 6ms;
constexpr double kMostOfOne = 0.5;
/// … while less arrives than is sent, …
constexpr double kArrives = 0.95;
constexpr Duration kSoon = 320ms;
/// … and more is still being sent: a key frame that waits is over by now.
constexpr double kGoesOn = 1.05;
constexpr Duration kJustNow = 160ms;
/// It grows slowly: it has not been shorter than kStands for a second, and has grown by so much in
/// it (102 %), or it is full, so that this share does not arrive.
constexpr Duration kGrows = 15ms;
constexpr double kOverflows = 0.02;
/// The radio's own loss is not the queue's; a second's share of it is seldom twice the mean.
constexpr double kMoreLoss = 2;
constexpr std::size_t kLeastSlices = 4;
/// A buffer too short to show, or a policer: so much is lost for a second, and more is sent than
/// when it was not, not long ago. Else it is the radio, or a path that no longer carries large
/// packets.
constexpr double kDrops = 0.10;
constexpr double kMoreSent = 1.1;
constexpr Duration kNotLongAgo = 10s;
constexpr double kLeastFrames = 20;
/// Something waits here for the uplink, which shows in no queue of the network: longer than a key
/// frame takes to go.
constexpr Duration kHeld = 500ms;
/// What shows that a limit still holds. Encoders try again each second or so.
constexpr Duration kStillStands = 20ms;
constexpr double kStillDrops = 0.05;
constexpr Duration kLeaves = 2s;

/// Loss without a queue, over a span in which a hundred packets or so are sent.
constexpr double kLossy = 0.02;
constexpr Duration kNoQueue = 15ms;
constexpr Duration kLossSpan = 3s;

/// While so much stands in front of the bottleneck, what arrives is what it carries. Of a client
/// that paces itself, the queue is shorter.
constexpr Duration kBusy = 15ms;
/// Of a client that paces itself the queue is shorter. While it is as long as this, the way carries
/// what arrives, or more: a slow bottleneck holds each packet for longer than the path once did.
constexpr Duration kBusyPaced = 6ms;
/// Where it has risen by so much, though something waited here all the time, the pace has found
/// what is carried; it swings around that, so that only far less tells anything.
constexpr Duration kFound = 10ms;
constexpr double kFarLess = 0.85;
constexpr Duration kLeastProof = 200ms;
/// What is carried lately differs from that by so much: it is another capacity, and what was before
/// no longer counts. Jitter of 30 ms moves it by 10 %.
constexpr double kOther = 0.25;
/// Measurements overlap; together they are an average over so much time.
constexpr Duration kAverage = 250ms;
/// A packet of 1,500 bytes, bits: for so long it stands in front of a slow bottleneck alone.
constexpr double kPacket = 12'000;
/// More than the capacity has arrived over a second: jitter of 30 ms moves that by 3 %.
constexpr double kMore = 1.05;
/// Measurements until the capacity is as sure as it will be: a second's.
constexpr double kSure = 20;

/// A queue that stays as it is for so long though all arrives, or though much less is sent than is
/// carried, is none: the path has become longer.
constexpr Duration kLonger = 3s;
constexpr double kAll = 0.98;
constexpr double kNextToNone = 0.01;
constexpr double kLittle = 0.7;

}  // namespace

void WayMonitor::on_report(const Feedback& report, const SentBy& sent, std::size_t overhead,
                           std::optional<Duration> rtt, TimePoint now) {
  auto taken = book_.add(report, sent, overhead, delays_);
  if (taken == RateBook::Taken::kForeign) {
    reset();
    taken = book_.add(report, sent, overhead, delays_);
  }
  if (taken != RateBook::Taken::kYes) return;
  overhead_ = overhead;
  if (reported_ == kNever) since_ = now;
  reported_ = now;
  rtt_ = rtt;
  judge(now);
}

void WayMonitor::set_demand(double unsent_bps, bool waits, TimePoint now) {
  unsent_bps_ = unsent_bps;
  if (!waits) waits_since_ = kNever;
  if (waits && waits_since_ == kNever) waits_since_ = now;
}

void WayMonitor::judge(TimePoint now) {
  const auto second = book_.rates(kSecond);
  note_drops(second, now);
  const bool limited = verdict_ == LinkVerdict::kLimit;
  const bool held = waits_since_ != kNever && (limited || now - waits_since_ >= kHeld);
  const bool full = is_full(second) || held;
  const bool still = delays_.range(kSecond / 2).least > kStillStands || second.loss > kStillDrops;
  if (full || (limited && still)) pressed_ = now;
  delays_.hold_base(full || limited);
  if (full) {
    set_verdict(LinkVerdict::kLimit, now);
  } else if (!limited || now - pressed_ > kLeaves) {
    judge_without_limit(second, now);
  }
  learn_capacity(second);
  if (verdict_ == LinkVerdict::kLimit && waits_since_ == kNever) look_for_longer_path(now);
}

void WayMonitor::judge_without_limit(const Rates& second, TimePoint now) {
  const auto longer = book_.rates(kLossSpan);
  if (longer.loss > kLossy && longer.frames >= 3 * kLeastFrames &&
      delays_.range(kSecond).least < kNoQueue) {
    return set_verdict(LinkVerdict::kLossy, now);
  }
  const bool tested = second.sent_bps >= kLeastBps;
  set_verdict(tested ? LinkVerdict::kClear : LinkVerdict::kAppLimited, now);
}

/// Whether the newest report shows a way that is at its limit.
bool WayMonitor::is_full(const Rates& second) const {
  if (dropping_since_ != kNever && reported_ - dropping_since_ >= kSecond) return true;
  if (delays_.queue() <= kStands) return false;
  if (grows_fast()) return true;
  const auto range = delays_.range(kSecond);
  if (range.least <= kStands || range.slices < kLeastSlices) return false;
  return delays_.growth(kSecond) >= kGrows || second.loss > kOverflows + kMoreLoss * radio_loss_;
}

bool WayMonitor::grows_fast() const {
  if (!delays_.climbs(kFewSteps, kHighStep, kMostOfOne) &&
      !delays_.climbs(kMoreSteps, kLowStep, kMostOfOne)) {
    return false;
  }
  const auto soon = book_.rates(kSoon);
  return soon.delivered_bps < kArrives * soon.sent_bps &&
         book_.rates(kJustNow).sent_bps > kGoesOn * soon.delivered_bps;
}

void WayMonitor::note_drops(const Rates& second, TimePoint now) {
  if (second.loss < kLossy && second.span >= kSecond / 2) {
    clean_bps_ = second.sent_bps;
    clean_at_ = now;
  }
  const auto longer = book_.rates(kLossSpan);
  if (verdict_ != LinkVerdict::kLimit && longer.frames >= 3 * kLeastFrames &&
      delays_.range(kLossSpan).most < kNoQueue) {
    radio_loss_ = longer.loss;
  }
  const bool drops = clean_bps_ > 0 && second.loss > kDrops && second.frames >= kLeastFrames &&
                     now - clean_at_ < kNotLongAgo && second.sent_bps > kMoreSent * clean_bps_;
  if (!drops) {
    dropping_since_ = kNever;
  } else if (dropping_since_ == kNever) {
    dropping_since_ = now;
  }
}

void WayMonitor::learn_capacity(const Rates& second) {
  // What has arrived since the capacity changed.
  const bool of_now = second.span >= kSecond && reported_ - changed_ >= second.span;
  if (capacity_ > 0 && of_now && second.delivered_bps > kMore * capacity_) {
    capacity_ = second.delivered_bps;
  }
  if (verdict_ != LinkVerdict::kLimit) return;
  const auto carried = measured(second);
  if (!carried) return;
  const auto aged = seconds(book_.step()) / seconds(kAverage);
  const auto weight = std::max(1 - std::exp(-aged), 1.0 / (proofs_ + 1));
  capacity_ += weight * (*carried - capacity_);
  ++proofs_;
}

/// What the newest reports say is carried; nothing when they don't.
std::optional<double> WayMonitor::measured(const Rates& second) {
  auto busy = kBusy;
  if (waits_since_ != kNever && capacity_ > 0) {
    busy +=
        std::chrono::duration_cast<Duration>(std::chrono::duration<double>(kPacket / capacity_));
  }
  const auto span = std::clamp<Duration>(reported_ - changed_ + kSoon, kSoon, kSecond);
  if (const auto carried = book_.carried_bps(busy, span, kLeastProof)) {
    const auto lately = book_.carried_bps(busy, kSoon, kLeastProof);
    if (std::abs(*lately - *carried) <= kOther * *carried) return carried;
    changed_ = reported_;
    proofs_ = 0;
    return lately;
  }
  if (dropping_since_ != kNever && delays_.queue() < kBusy) return second.delivered_bps;
  if (proofs_ == 0) return book_.rates(kSoon).delivered_bps;
  if (waits_since_ == kNever) return std::nullopt;
  const bool held = reported_ - waits_since_ >= kSecond;
  const bool found = held && delays_.rise(2 * kSecond) >= kFound;
  if (found && second.delivered_bps < kFarLess * capacity_) return second.delivered_bps;
  const auto least = book_.carried_bps(kBusyPaced, kSecond, kLeastProof);
  return least && *least > capacity_ ? least : std::nullopt;
}

void WayMonitor::look_for_longer_path(TimePoint now) {
  const auto range = delays_.range(kLonger);
  const auto rates = book_.rates(kLonger);
  const bool flat = range.least >= kNoQueue && range.most - range.least <= kNoQueue;
  if (!flat || now - since_ < kLonger || rates.span < kLonger) return;
  const double usual = kMoreLoss * radio_loss_;
  const bool all_arrives =
      rates.loss < kNextToNone + usual && rates.delivered_bps >= (kAll - usual) * rates.sent_bps;
  if (all_arrives || rates.sent_bps < kLittle * capacity_) delays_.rebase();
}

void WayMonitor::set_verdict(LinkVerdict verdict, TimePoint now) {
  if (verdict == verdict_) return;
  if (verdict == LinkVerdict::kLimit) proofs_ = 0;  // the link may carry something else by now
  verdict_ = verdict;
  since_ = now;
}

LinkState WayMonitor::state(const SentBy& sent, TimePoint now) {
  LinkState state;
  if (reported_ == kNever) return state;
  const auto second = book_.rates(kSecond);
  // Reports come as often as bytes do: twice as long without one means that nothing arrives.
  const bool silent = now - reported_ > std::max<Duration>(kLeaves, 2 * second.span);
  if (silent && waits_since_ == kNever) set_verdict(LinkVerdict::kAppLimited, now);
  state.verdict = verdict_;
  state.age = now - since_;
  state.capacity_bps = capacity_;
  const auto left = sent.between(now - kSecond, now);
  state.sent_bps = 8 * static_cast<double>(left.bytes + left.frames * overhead_);
  state.offered_bps = state.sent_bps + unsent_bps_;
  state.rtt = rtt_;
  if (silent) return state;
  state.delivered_bps = second.delivered_bps;
  state.queue_delay = delays_.queue();
  state.loss = second.loss;
  // Half for the verdict, half for how long it has held, or what the capacity rests on.
  const auto rests_on = verdict_ == LinkVerdict::kLimit ? proofs_ / kSure : seconds(state.age);
  state.confidence = 0.5 + 0.5 * std::min(1.0, rests_on);
  return state;
}

}  // namespace wormhole
