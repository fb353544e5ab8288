#include "unit/congestion/way_rig.hpp"

#include <algorithm>
#include <cmath>

namespace wormhole::testing {
namespace {

Duration of_seconds(double span) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(span));
}

constexpr double kFps = 30;
constexpr std::uint64_t kKeyEvery = 60;
constexpr double kKey = 3;
/// IP packet of a report with seven samples.
constexpr std::size_t kReport = 3 + 13 + 7 * 6 + 28 + WayRig::kOverhead;

}  // namespace

WayRig::WayRig(const WayModel& with, std::uint64_t seed) : model(with), rng_(seed) {}

double WayRig::even(double low, double high) {
  return low + (high - low) * static_cast<double>(rng_.below(1U << 30)) / (1U << 30);
}

void WayRig::offer(WaySource source) {
  source_ = source;
  next_send_ = source.bps > 0 ? now_ + of_seconds(even(0, 0.03)) : kNever;
}

void WayRig::schedule_next() {
  const double apart = source_.video
                           ? 1 / kFps
                           : 8.0 * kPacket / source_.bps * even(0.9, 1.1);  // a clock of its own
  next_send_ = now_ + of_seconds(apart);
}

void WayRig::send() {
  std::size_t packets = 1;
  if (source_.video) {
    const bool key = ++frame_ % kKeyEvery == 0;
    // So that they come to bps together.
    const double usual = source_.bps / 8 / kFps * kKeyEvery / (kKeyEvery - 1 + kKey);
    const double size = usual * (key ? kKey : even(0.7, 1.3));
    packets = static_cast<std::size_t>(std::floor(size / kPacket + even(0, 1)));
  }
  for (std::size_t i = 0; i < packets; ++i) carry(now_);  // a call sends many
  schedule_next();
}

/// Through the bottleneck.
void WayRig::carry(TimePoint now) {
  const FrameMark mark = ++sent_ * 2654435761U;
  history_.note(mark, kFrame, now);
  const auto phase = model.every > Duration{} ? (now - start_) % model.every : Duration{};
  const bool disturbed = model.every > Duration{} && phase >= model.every - model.lasts;
  if (disturbed && model.standstill) free_at_ = std::max(free_at_, now + model.every - phase);
  if (even(0, 1) < model.loss) return;
  auto served = std::max(now, free_at_);
  if (model.rate > 0) {
    if (served - now > model.queue) return;
    served += of_seconds(8.0 * kPacket / model.rate);
  }
  free_at_ = served;
  auto at = served + model.delay +
            of_seconds(even(0, std::chrono::duration<double>(model.jitter).count()));
  if (disturbed && !model.standstill) at += model.spike;
  if (!model.reorder) at = std::max(at, last_arrival_);
  last_arrival_ = at;
  under_way_.emplace(at, mark);
}

void WayRig::arrive(FrameMark mark) {
  const auto drifted =
      of_seconds(std::chrono::duration<double>(now_ - start_).count() * model.drift);
  const TimePoint clock = now_ + 1000h + drifted;  // the receiver's own
  carried_bytes += kPacket;
  if (!log_.note(mark, kFrame, clock)) return;
  report_bytes += kReport;
  const auto report = log_.take(false, clock);
  if (even(0, 1) >= model.back_loss) reports_.emplace(now_ + model.delay, report);
}

void WayRig::run(Duration time, const std::function<bool(const LinkState&)>& each) {
  const auto end = now_ + time;
  const auto first = [](const auto& map) { return map.empty() ? kNever : map.begin()->first; };
  for (;;) {
    const auto next = std::min({next_send_, next_look_, first(under_way_), first(reports_)});
    if (next > end) break;
    now_ = next;
    if (next == next_send_) {
      send();
    } else if (next == first(under_way_)) {
      const auto mark = under_way_.begin()->second;
      under_way_.erase(under_way_.begin());
      arrive(mark);
    } else if (next == first(reports_)) {
      const auto report = reports_.begin()->second;
      reports_.erase(reports_.begin());
      monitor_.on_report(report, sent_by(), kOverhead, 2 * model.delay, now_);
    } else {
      next_look_ += 100ms;
      if (each && !each(state())) return;
    }
  }
  now_ = end;
}

}  // namespace wormhole::testing
