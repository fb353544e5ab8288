#include "client/link_watch.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace wormhole {
namespace {

bool is_idle(const LinkState& state) {
  return state.verdict == LinkVerdict::kAppLimited && state.offered_bps <= 0 &&
         state.sent_bps <= 0 && state.delivered_bps <= 0;
}

/// Rounded, within what `T` holds.
template <typename T>
T whole(double value, T most = std::numeric_limits<T>::max()) {
  // Not beyond 2^53, so that the comparison is exact; no link is that fast.
  const auto top = std::min(static_cast<double>(most), 9'007'199'254'740'992.0);
  if (!(value > 0)) return 0;
  return static_cast<T>(std::min(std::round(value), top));
}

template <typename Unit>
std::uint32_t whole(Duration duration) {
  return whole<std::uint32_t>(
      static_cast<double>(std::chrono::duration_cast<Unit>(duration).count()));
}

LinkNews report_of(ClientNo peer, PathKind way, FlowNo flow, const LinkState& state) {
  LinkNews news;
  news.peer = peer;
  news.way = way == PathKind::kDirect ? 1 : 0;
  news.flow = flow;
  news.verdict = static_cast<std::uint8_t>(state.verdict);
  news.confidence = whole<std::uint8_t>(state.confidence * 100, 100);
  news.loss = whole<std::uint16_t>(state.loss * 10'000, 10'000);
  news.age_ms = whole<std::chrono::milliseconds>(state.age);
  news.queue_us = whole<std::chrono::microseconds>(state.queue_delay);
  news.rtt_us = whole<std::chrono::microseconds>(state.rtt.value_or(Duration{}));
  news.capacity_bps = whole<std::uint64_t>(state.capacity_bps);
  news.offered_bps = whole<std::uint64_t>(state.offered_bps);
  news.sent_bps = whole<std::uint64_t>(state.sent_bps);
  news.delivered_bps = whole<std::uint64_t>(state.delivered_bps);
  return news;
}

}  // namespace

LinkWatch::News LinkWatch::look(std::span<const LinkRow> rows, bool report, TimePoint now) {
  News news;
  for (auto& [key, told] : told_) told.seen = false;
  for (const auto& row : rows) {
    const Key key{row.peer, row.way, row.flow};
    auto& told = told_[key];
    told.name = row.name;
    told.seen = true;
    take(key, told, row.state, report, now, news);
  }
  // What is gone carries nothing any more; nobody should go on believing in its last verdict.
  for (auto& [key, told] : told_) {
    if (!told.seen) take(key, told, LinkState{}, report, now, news);
  }
  std::erase_if(told_, [](const auto& item) { return !item.second.seen; });
  return news;
}

void LinkWatch::tell_anew() {
  for (auto& [key, told] : told_) {
    told.reported.reset();
    told.reported_idle = true;
  }
}

void LinkWatch::take(const Key& key, Told& told, const LinkState& state, bool report, TimePoint now,
                     News& news) {
  const bool idle = is_idle(state);
  news.active = news.active || !idle;
  if (is_news(state, told, now)) {
    const bool of_flow = key.flow.value != 0;
    news.changes.push_back({of_flow ? LinkChange::What::kFlow : LinkChange::What::kLink,
                            of_flow ? std::string{} : told.name,
                            of_flow ? told.name : std::string{}, key.way, PathKind::kNone, state});
    told.verdict = state.verdict;
    told.capacity_bps = state.capacity_bps;
    told.at = now;
  }
  if (!report || !is_report_due(state, told, now)) return;
  news.active = true;  // what does not fit into this look goes with the next
  if (news.reports.size() >= kMostReports) return;
  news.reports.push_back(report_of(key.peer, key.way, key.flow, state));
  told.reported = state.verdict;
  told.reported_at = now;
  told.reported_idle = idle;
}

bool LinkWatch::is_news(const LinkState& state, const Told& told, TimePoint now) {
  if (state.verdict != told.verdict) return true;
  if (state.verdict != LinkVerdict::kLimit || now - told.at < kCapacityPause) return false;
  return std::abs(state.capacity_bps - told.capacity_bps) > kMoved * told.capacity_bps;
}

bool LinkWatch::is_report_due(const LinkState& state, const Told& told, TimePoint now) {
  if (is_idle(state)) return !told.reported_idle;
  return told.reported != state.verdict || now - told.reported_at >= kReportEvery;
}

}  // namespace wormhole
