#include "wormhole/congestion/arrival_log.hpp"

#include <algorithm>
#include <limits>

namespace wormhole {
namespace {

constexpr Duration kUnit = 100us;
/// A report every 50 ms has six samples so far apart, and the newest.
constexpr Duration kLeastApart = 8ms;

}  // namespace

void ArrivalLog::keep_sample() {
  if (count_ == samples_.size()) {
    for (std::size_t i = 0; 2 * i < samples_.size(); ++i) samples_[i] = samples_[2 * i];
    count_ = (samples_.size() + 1) / 2;
    apart_ *= 2;
  }
  apart_ = std::max(apart_, kLeastApart);
  samples_[count_++] = newest_;
  next_sample_ = newest_.at + apart_;
}

Feedback ArrivalLog::take(bool direct, TimePoint now) {
  Feedback report;
  report.direct = direct;
  report.frames = frames_;
  report.bytes = bytes_;
  report.at = static_cast<std::uint32_t>(newest_.at.time_since_epoch() / kUnit);
  const auto add = [&](const Arrival& arrival) {
    const auto before = (newest_.at - arrival.at) / kUnit;
    if (before > std::numeric_limits<std::uint16_t>::max()) return;
    report.samples[report.count++] = {arrival.mark, static_cast<std::uint16_t>(before)};
  };
  for (std::size_t i = 0; i < count_; ++i) {
    if (samples_[i].mark != newest_.mark) add(samples_[i]);
  }
  add(newest_);
  to_earn_ = std::max(to_earn_, -kMostCredit) + static_cast<std::int64_t>(kPerReport);
  count_ = 0;
  apart_ = kLeastApart;
  next_sample_ = TimePoint::min();
  next_report_ = now + kApart;
  return report;
}

}  // namespace wormhole
