// The life of the path in use: keepalives, silence, doubt, death.
#include <algorithm>

#include "path/timing.hpp"
#include "wormhole/path/path_set.hpp"

namespace wormhole {

/// 400 ms up to 300 ms of round trip. Jitter grows with the way: where it is longer, a keepalive
/// may be late by half of it.
Duration PathSet::suspect_after() const {
  return std::max(kSilence, kKeepalive + rtt().value_or(0s) / 2);
}

/// From the first doubt on there is time for two round trips, one of which may be lost: 1 s up to
/// 300 ms of round trip.
Duration PathSet::dead_after() const {
  return std::max(kDeath, suspect_after() + 2 * rtt().value_or(0s));
}

Duration PathSet::stretched() const {
  if (!settings_.mapping_lifetime) return kStretchedUnknown;
  return std::clamp(*settings_.mapping_lifetime * 7 / 10, kStretchedLeast, kStretchedMost);
}

std::optional<Duration> PathSet::rtt() const { return in_use_ ? paths_.front().rtt : std::nullopt; }

/// Until then the peer is expected to send every 250 ms.
TimePoint PathSet::expect_until() const {
  return settings_.strict_keepalive ? kNever : traffic_ + kIdle;
}

/// Until then we send every 250 ms: a little longer than is expected, and when the peer complains.
TimePoint PathSet::fast_until() const {
  if (settings_.strict_keepalive) return kNever;
  const TimePoint complained = complained_ == kNever ? traffic_ : complained_ + kIdle;
  return std::max(traffic_ + kFast, complained);
}

/// Silence becomes suspicious; kNever when it is to be expected by then.
TimePoint PathSet::silent_at() const {
  const TimePoint at = std::max(paths_.front().heard, expected_from_) + suspect_after();
  return at < expect_until() ? at : kNever;
}

TimePoint PathSet::dead_at() const {
  const bool counts = silent_at() != kNever;
  const TimePoint heard = std::max(paths_.front().heard, expected_from_);
  return std::min(counts ? heard + dead_after() : kNever, later(doubted_, dead_after()));
}

TimePoint PathSet::keepalive_at() const {
  const TimePoint at = sent_ + kKeepalive;
  return at < fast_until() ? at : kNever;
}

/// The next challenge.
TimePoint PathSet::question_at() const {
  const TimePoint asked = paths_.front().asked;
  const TimePoint silent = silent_at();
  if (doubted_ != kNever) return std::max(doubted_, asked + kUrgent);
  const TimePoint regular =
      asked + kMeasure < fast_until() ? asked + kMeasure : asked + stretched();
  return silent == kNever ? regular : std::min(regular, std::max(silent, asked + kUrgent));
}

/// An idle path has not answered: kNever when it has, or is not idle.
TimePoint PathSet::unanswered_at() const {
  const Path& path = paths_.front();
  if (doubted_ != kNever || path.answered >= path.asked) return kNever;
  const TimePoint at = path.asked + std::max(kSilence, path.rtt.value_or(0s) * 3 / 2);
  return at >= fast_until() ? at : kNever;
}

bool PathSet::is_suspect(TimePoint now) const { return doubted_ != kNever || silent_at() <= now; }

Way PathSet::way(TimePoint now) const {
  if (!in_use_ || dead_at() <= now) return Way::kRelay;
  return is_suspect(now) ? Way::kBoth : Way::kDirect;
}

void PathSet::on_traffic(TimePoint now) {
  if (in_use_ && now >= expect_until()) {
    expected_from_ = now;
    doubt("it did not answer after an idle time", now);
  }
  traffic_ = std::max(traffic_, now);
}

void PathSet::on_peer_silent(TimePoint now, Actions& actions) {
  if (!in_use_) return;
  complained_ = now;
  doubt("the peer hears nothing by it", now);
  on_timeout(now, actions);
}

void PathSet::suspect(TimePoint now, Actions& actions) {
  if (in_use_) doubt("it did not answer after the network changed", now);
  for (std::size_t i = in_use_ ? 1 : 0; session_ && i < paths_.size(); ++i) {
    paths_[i].tries = 0;
    paths_[i].due = now;
  }
  on_timeout(now, actions);
}

/// The path in use has to answer a challenge from now on. A doubt that is open stays as old as it
/// is.
void PathSet::doubt(std::string_view why, TimePoint now) {
  if (doubted_ != kNever) return;
  doubted_ = now;
  doubt_ = why;
  rouse_others(now);
}

/// Who may have to take over shall be known to live.
void PathSet::rouse_others(TimePoint now) {
  for (std::size_t i = 1; i < paths_.size(); ++i) {
    if (paths_[i].valid && paths_[i].tries == 0) paths_[i].due = now;
  }
}

void PathSet::say_silent(TimePoint now, Actions& actions) {
  if (silent_at() > now || (silent_said_ != kNever && now < silent_said_ + kSayAgain)) return;
  if (silent_said_ == kNever) rouse_others(now);
  silent_said_ = now;
  const TimePoint heard = std::max(paths_.front().heard, expected_from_);
  actions.push_back(SendSilent{now - heard});
}

void PathSet::bury(TimePoint now, Actions& actions) {
  const Duration silence = now - std::max(paths_.front().heard, expected_from_);
  const bool silent = doubted_ == kNever || silence >= dead_after();
  const std::string reason =
      silent ? "nothing was heard by it for " + std::to_string(to_ms(silence)) + " ms"
             : std::string(doubt_);
  leave(reason, actions);
  remove(0, actions);
  choose(now, actions);
}

void PathSet::serve_used(TimePoint now, Actions& actions) {
  if (!in_use_) return;
  if (dead_at() <= now) {
    bury(now, actions);
    return serve_used(now, actions);  // what took over
  }
  if (unanswered_at() <= now) doubt("it did not answer while idle", now);
  say_silent(now, actions);
  Path& path = paths_.front();
  if (question_at() <= now) challenge(path, now, actions);
  if (keepalive_at() <= now) {
    actions.push_back(SendKeepalive{path.address});
    sent_ = now;
  }
}

TimePoint PathSet::used_deadline() const {
  const TimePoint say = silent_said_ == kNever ? silent_at() : silent_said_ + kSayAgain;
  return std::min({dead_at(), silent_at() == kNever ? kNever : say, unanswered_at(), question_at(),
                   keepalive_at()});
}

}  // namespace wormhole
