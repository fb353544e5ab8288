#include "wormhole/congestion/rate_book.hpp"

#include <algorithm>

namespace wormhole {
namespace {

constexpr Duration kUnit = 100us;  // docs/protocol.md, section 13
constexpr double seconds(Duration span) { return std::chrono::duration<double>(span).count(); }

/// More than that between two reports is a clock that was set, or a process that was away.
constexpr std::int64_t kMostStep = 60s / kUnit;
/// So far time can be told in nanoseconds: 200 years. Only a peer that lies comes there.
constexpr std::int64_t kFarthest = std::int64_t{1} << 46;
/// Half of what 32 bits count: what is more is less.
constexpr std::uint32_t kHalf = 0x80000000U;

double difference(std::uint64_t now, std::uint64_t before) {
  return static_cast<double>(now - before);
}

}  // namespace

Duration RateBook::age(const Mark& mark) const { return kUnit * (back(0).at - mark.at); }

/// What the report counts beyond the last one.
RateBook::Taken RateBook::follow(const Feedback& report, std::size_t overhead, Mark& mark) const {
  const auto& last = back(0);
  const auto step = static_cast<std::int32_t>(report.at - static_cast<std::uint32_t>(last.at));
  const auto frames = report.frames - static_cast<std::uint32_t>(last.frames);
  const bool earlier = frames == 0 || frames >= kHalf;
  if (step > kMostStep || step < -kMostStep || last.at > kFarthest) return Taken::kForeign;
  if (earlier && step > 0) return Taken::kForeign;
  if (earlier || step < 0) return Taken::kNo;
  mark = last;
  mark.at += step;
  mark.frames += frames;
  mark.bytes += report.bytes - last_bytes_ + frames * std::uint64_t{overhead};
  return Taken::kYes;
}

bool RateBook::is_newer(const SentFrame& a, const SentFrame& b) {
  return a.at > b.at || (a.at == b.at && a.after.frames < b.after.frames);
}

RateBook::Taken RateBook::add(const Feedback& report, const SentBy& sent, std::size_t overhead,
                              DelayWatch& delays) {
  Mark mark;
  mark.at = report.at;
  mark.frames = report.frames;
  const bool first = count_ == 0;
  if (!first) {
    const auto taken = follow(report, overhead, mark);
    if (taken != Taken::kYes) return taken;
  }
  std::optional<SentFrame> newest;  // of those that arrived
  for (const auto& sample : report.list()) {
    const auto frame = sent.find(sample.mark);
    if (!frame) continue;
    delays.add(frame->at, kUnit * (mark.at - sample.before));
    if (!newest || is_newer(*frame, *newest)) newest = frame;
  }
  if (!newest) return Taken::kNo;
  if (first || is_newer(*newest, mark.newest)) mark.newest = *newest;
  if (!first) {
    const auto& last = back(0).newest;
    const auto more = sent.between(last.at, mark.newest.at);
    const auto frames = more.frames + last.after.frames - mark.newest.after.frames;
    mark.sent.frames += frames;
    mark.sent.bytes += more.bytes + last.after.bytes - mark.newest.after.bytes + frames * overhead;
  }
  mark.queue = delays.queue();
  last_bytes_ = report.bytes;
  marks_[count_++ % kKept] = mark;
  return Taken::kYes;
}

RateBook::Rates RateBook::rates(Duration span) const {
  Rates found;
  std::size_t n = 0;
  while (n + 1 < kept() && age(back(n)) < span) ++n;
  if (n == 0) return found;
  const auto& from = back(n);
  const auto& to = back(0);
  const auto sending = to.newest.at - from.newest.at;
  if (age(from) <= Duration{} || sending <= Duration{}) return found;
  found.span = age(from);
  found.frames = difference(to.sent.frames, from.sent.frames);
  found.delivered_bps = 8 * difference(to.bytes, from.bytes) / seconds(found.span);
  found.sent_bps = 8 * difference(to.sent.bytes, from.sent.bytes) / seconds(sending);
  const auto arrived = difference(to.frames, from.frames);
  if (found.frames > arrived) found.loss = 1 - arrived / found.frames;
  return found;
}

std::optional<double> RateBook::carried_bps(Duration busy, Duration span, Duration least) const {
  std::optional<std::size_t> from;
  for (std::size_t n = 0; n < kept() && back(n).queue >= busy; ++n) {
    from = n;
    if (age(back(n)) >= span) break;
  }
  if (!from || age(back(*from)) < least) return std::nullopt;
  return 8 * difference(back(0).bytes, back(*from).bytes) / seconds(age(back(*from)));
}

}  // namespace wormhole
