#include "wormhole/punch/campaign.hpp"

#include <algorithm>
#include <cmath>

namespace wormhole {
namespace {

/// A timer may come so late without shifting the schedule. What is caught up this way adds at most
/// 1 % to a second, so the schedule itself stays 1 % below the rates.
constexpr Duration kMostLate = 10ms;
constexpr std::int64_t kPaceNs = 1'010'000'000;

Duration paced(std::uint32_t index, std::uint16_t per_s) {
  return Duration(std::int64_t{index} * kPaceNs / std::max<std::uint16_t>(per_s, 1));
}

/// The inverse of N(t) = first·t + (full − first)·t²/2, and N(1) + full·(t − 1) after a second.
Duration ramped(std::uint32_t index, const PunchSettings& settings) {
  const double full = std::max<std::uint16_t>(settings.probes_per_s, 1);
  const double first = std::clamp<double>(settings.probes_per_s_first, 1, full);
  const double growth = full - first;
  const double in_ramp = first + growth / 2;
  const double n = index;
  double seconds = 1 + (n - in_ramp) / full;
  if (n < in_ramp) {
    seconds = growth > 0 ? (std::sqrt(first * first + 2 * growth * n) - first) / growth : n / first;
  }
  return Duration(std::llround(std::ceil(seconds * static_cast<double>(kPaceNs))));
}

}  // namespace

Campaign::Campaign(PunchPlan plan, const PunchSettings& settings, TimePoint start)
    : plan_(std::move(plan)), settings_(settings), start_(start), last_sent_(start) {
  const auto openers = std::min<std::size_t>(
      {kOpenerTimes.size(), settings_.most_probes, settings_.probes_per_s_first});
  if (plan_.opener_to.is_set()) streams_[kOpener].count = static_cast<std::uint32_t>(openers);
  if (!plan_.targets.empty()) streams_[kOpening].count = 2U * plan_.sockets;
  streams_[kProbe].count = static_cast<std::uint32_t>(plan_.probes.size());
}

Duration Campaign::due_after(Kind kind, std::uint32_t index) const {
  if (kind == kOpener) return kOpenerTimes[index];
  if (kind == kProbe) return ramped(index, settings_);
  if (index < plan_.sockets) return paced(index, settings_.opens_per_s);
  const auto volley = std::max(kSecondVolley, paced(plan_.sockets, settings_.opens_per_s));
  return volley + paced(index - plan_.sockets, settings_.opens_per_s);
}

TimePoint Campaign::due(Kind kind) const {
  const auto& stream = streams_[kind];
  if (stream.next == stream.count) return kNever;
  return start_ + due_after(kind, stream.next) + stream.late;
}

PunchSend Campaign::packet(Kind kind, std::uint32_t index) const {
  if (kind == kOpener) return {0, plan_.opener_to, 0};
  if (kind == kProbe) return {0, plan_.probes[index], 0};
  const auto socket = index % plan_.sockets;
  const auto target = socket * plan_.targets.size() / plan_.sockets;
  const auto ttl = index < plan_.sockets ? plan_.opening_ttl : std::uint8_t{0};
  return {static_cast<std::uint16_t>(socket + 1), plan_.targets[target], ttl};
}

void Campaign::on_timeout(TimePoint now, std::vector<PunchSend>& sends) {
  for (const auto kind : {kOpener, kOpening, kProbe}) {
    auto& stream = streams_[kind];
    for (auto at = due(kind); at <= now; at = due(kind)) {
      stream.late += std::max(Duration{}, now - at - kMostLate);
      sends.push_back(packet(kind, stream.next++));
      last_sent_ = now;
      ++sent_;
    }
  }
}

/// Openings are to be found: they stand until the other end has sent its probes.
TimePoint Campaign::end() const {
  const bool waits = plan_.strategy == Strategy::kBirthday || plan_.strategy == Strategy::kRange;
  if (!waits || plan_.sockets == 0) return last_sent_ + kLinger;
  return std::max(last_sent_, start_ + ramped(settings_.most_probes, settings_)) + kLinger;
}

TimePoint Campaign::next_deadline() const {
  const auto next = std::min({due(kOpener), due(kOpening), due(kProbe)});
  return next != kNever || sent_ == 0 ? next : end();
}

bool Campaign::is_over(TimePoint now) const {
  const bool all = std::all_of(streams_.begin(), streams_.end(),
                               [](const Stream& stream) { return stream.next == stream.count; });
  return all && (sent_ == 0 || now >= end());
}

}  // namespace wormhole
