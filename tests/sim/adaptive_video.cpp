#include "sim/adaptive_video.hpp"

#include <algorithm>
#include <cmath>

namespace wormhole::sim {
namespace {

constexpr double kShare = 0.8;
constexpr double kFast = 0.2;
constexpr double kStep = 80e3;
constexpr double kSlow = 0.02;
constexpr double kBeyond = 1.05;
constexpr double kPause = 0.5;
constexpr double kSilence = 30;

double seconds(Duration span) { return std::chrono::duration<double>(span).count(); }

}  // namespace

double BitrateControl::within(double rate) const {
  return std::clamp(rate, range_.lowest, range_.highest);
}

void BitrateControl::on_state(const LinkState& state, double at) {
  verdict_ = state.verdict;
  told_ = at;
  if (verdict_ != LinkVerdict::kLimit) return;
  const auto told = state.capacity_bps > 0 ? state.capacity_bps : state.delivered_bps;
  if (told > 0) known_ = told;
  cut(at);
}

void BitrateControl::cut(double at) {
  const auto target = within(kShare * known_);
  if (known_ <= 0 || target >= rate_ || (cut_ && at - *cut_ < kPause)) return;
  rate_ = target;
  cut_ = at;
}

double BitrateControl::on_tick(double at) {
  const auto since = ticked_ ? at - *ticked_ : 0;
  ticked_ = at;
  const bool limited = verdict_ == LinkVerdict::kLimit && at - told_ < kSilence;
  if (limited) cut(at);
  const auto free = kShare * known_;
  const auto quick = rate_ * std::pow(1 + kFast, since);
  if (rate_ < free) {
    rate_ = within(std::min(free, quick));
  } else if (!limited && rate_ > kBeyond * known_) {
    rate_ = within(quick);
  } else if (!limited) {
    rate_ = within(rate_ + std::max(kStep, kSlow * rate_) * since);
  }
  return rate_;
}

void AdaptiveVideo::begin() {
  ticked_ = stage_.world.now();
  // The example's loop; odd, so that it shares no period with anything else.
  stage_.world.every(1'970us, [this] {
    tick();
    return true;
  });
}

void AdaptiveVideo::tick() {
  const auto now = stage_.world.now();
  const auto at = seconds(now.time_since_epoch());
  auto& client = stage_.client(client_);
  for (; heard_ < client.link_changes.size(); ++heard_) {
    const auto& change = client.link_changes[heard_];
    const bool ours = change.what == LinkChange::What::kFlow && change.flow == "video";
    if (ours) control_.on_state(change.state, at);
  }
  due_ += control_.on_tick(at) * seconds(now - ticked_);
  ticked_ = now;
  for (; due_ >= 8.0 * kSize; due_ -= 8.0 * kSize) client.send("video", kSize);
}

}  // namespace wormhole::sim
