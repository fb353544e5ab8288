#include "wormhole/path/path_set.hpp"

#include <algorithm>

namespace wormhole {
namespace {

/// What makes one validated path better than another; smaller is better.
struct Score {
  std::int64_t rtt_ms = 0;
  TimePoint added{};
  auto operator<=>(const Score&) const = default;
};

/// The other end stretches its keepalives when it has seen no packet for kIdleAfter; it may have
/// missed the last ones that we saw.
constexpr Duration kIdleMismatch = 3s;

}  // namespace

PathSet::Path* PathSet::find(const PathAddress& at) {
  if (used_ >= 0 && paths_[index()].at == at) return &paths_[index()];
  const auto found =
      std::find_if(paths_.begin(), paths_.end(), [&](const Path& p) { return p.at == at; });
  return found == paths_.end() ? nullptr : &*found;
}

bool PathSet::uses(SocketNo socket) const {
  return std::any_of(paths_.begin(), paths_.end(),
                     [&](const Path& p) { return p.at.socket == socket; });
}

std::optional<Duration> PathSet::rtt() const {
  return used_ < 0 ? std::nullopt : paths_[index()].rtt;
}

std::size_t PathSet::valid_count() const {
  return static_cast<std::size_t>(
      std::count_if(paths_.begin(), paths_.end(), [](const Path& p) { return p.valid; }));
}

void PathSet::add_candidate(const PathAddress& path, Strategy strategy, TimePoint now) {
  if (auto* known = find(path)) {
    // Heard of again: a candidate that has used up its tries gets new ones.
    if (!known->valid && known->next_challenge == kNever) {
      known->tries = 0;
      known->added = known->next_challenge = now;
    }
    return;
  }
  if (now - new_window_ >= 1s) {
    new_window_ = now;
    new_in_window_ = 0;
  }
  if (paths_.size() == kMostPaths || new_in_window_ == kMostNewPerSecond) {
    ++drops_.too_many;
    return;
  }
  ++new_in_window_;
  Path made;
  made.at = path;
  made.strategy = strategy;
  made.added = made.next_challenge = now;
  paths_.push_back(made);
}

void PathSet::on_session(TimePoint now, std::vector<PathAction>& actions) {
  sealable_ = true;
  for (auto& path : paths_) {
    if (path.valid) continue;
    path.tries = 0;
    path.next_challenge = now;
  }
  tend_candidates(now, actions);
}

void PathSet::challenge(Path& path, TimePoint now, std::vector<PathAction>& actions) {
  path.newest = (path.newest + 1) % path.challenges.size();
  path.challenges[path.newest] = {rng_.number<std::uint64_t>(), now};
  path.sent = now;
  actions.emplace_back(SendChallenge{path.at, path.challenges[path.newest].token});
}

void PathSet::on_response(const PathAddress& at, std::uint64_t token, TimePoint now,
                          std::vector<PathAction>& actions) {
  auto* path = find(at);
  if (path == nullptr) return;
  const auto asked =
      std::find_if(path->challenges.begin(), path->challenges.end(),
                   [&](const Challenge& c) { return c.token == token && c.at != TimePoint{}; });
  if (asked == path->challenges.end()) return;
  const Duration sample = now - asked->at;
  // RFC 6298 2.3: a new sample weighs 1/8.
  path->rtt = path->rtt ? *path->rtt + (sample - *path->rtt) / 8 : sample;
  path->heard = now;
  *asked = {};
  if (is_used(*path)) {
    unproven_since_.reset();
  } else if (!path->valid) {
    path->valid = true;
    path->next_challenge = kNever;
    if (valid_count() > kMostValid) {
      return drop(static_cast<std::size_t>(path - paths_.data()), actions);
    }
  }
  choose(now, actions);
}

bool PathSet::on_heard(const PathAddress& at, TimePoint now) {
  auto* path = find(at);
  if (path == nullptr) return false;
  path->heard = now;
  return true;
}

void PathSet::on_sent(const PathAddress& at, TimePoint now) {
  if (auto* path = find(at)) path->sent = now;
}

void PathSet::on_traffic(TimePoint now) {
  const bool was_idle =
      used_ >= 0 && !settings_.strict_keepalive && now - last_traffic_ >= kIdleAfter;
  last_traffic_ = now;
  if (!was_idle) return;
  // Its mapping may be gone: packets go both ways until it has answered.
  auto& path = paths_[index()];
  path.heard = std::max(path.heard, now - kSuspectAfter);
  unproven_since_ = next_suspect_challenge_ = next_silent_ = now;
}

void PathSet::on_peer_silent(TimePoint now, std::vector<PathAction>& actions) {
  if (used_ < 0 || unproven_since_) return;
  unproven_since_ = now;
  next_suspect_challenge_ = now;
  tend_used(now, actions);
}

void PathSet::suspect(TimePoint now, std::vector<PathAction>& actions) {
  if (used_ < 0) return;
  auto& path = paths_[index()];
  if (!is_suspect(path, now)) path.heard = now - kSuspectAfter;
  last_traffic_ = std::max(last_traffic_, now - kIdleAfter / 2);  // in the scale of a busy path
  next_suspect_challenge_ = next_silent_ = now;
  if (!unproven_since_) unproven_since_ = now;
  tend_used(now, actions);
}

void PathSet::clear(const std::string& reason, std::vector<PathAction>& actions) {
  sealable_ = false;
  const auto used = used_ < 0 ? std::nullopt : std::optional(paths_[index()].at);
  while (!paths_.empty()) drop(paths_.size() - 1, actions);
  if (used) actions.emplace_back(PathDown{*used, reason});
}

void PathSet::drop(std::size_t at, std::vector<PathAction>& actions) {
  const auto socket = paths_[at].at.socket;
  paths_.erase(paths_.begin() + static_cast<std::ptrdiff_t>(at));
  if (used_ == static_cast<int>(at)) {
    used_ = -1;
    unproven_since_.reset();
  } else if (used_ > static_cast<int>(at)) {
    --used_;
  }
  if (socket >= kFirstExtraSocket && !uses(socket)) actions.emplace_back(SocketUnused{socket});
}

void PathSet::lose(const std::string& reason, TimePoint now, std::vector<PathAction>& actions) {
  const auto at = paths_[index()].at;
  drop(index(), actions);
  actions.emplace_back(PathDown{at, reason});
  choose(now, actions);
}

void PathSet::use(std::size_t at, TimePoint now, std::vector<PathAction>& actions) {
  used_ = static_cast<int>(at);
  unproven_since_.reset();
  if (last_traffic_ == TimePoint{}) last_traffic_ = now;
  actions.emplace_back(PathUp{paths_[at].at, paths_[at].strategy});
}

void PathSet::choose(TimePoint now, std::vector<PathAction>& actions) {
  const auto score = [](const Path& p) { return Score{to_ms(p.rtt.value_or(10s)), p.added}; };
  std::size_t best = paths_.size();
  for (std::size_t i = 0; i < paths_.size(); ++i) {
    if (!paths_[i].valid || is_suspect(paths_[i], now)) continue;
    if (best == paths_.size() || score(paths_[i]) < score(paths_[best])) best = i;
  }
  if (best == paths_.size() || static_cast<int>(best) == used_) return;
  if (used_ < 0) return use(best, now, actions);
  auto& other = paths_[best];
  const auto ours = paths_[index()].rtt.value_or(10s);
  const auto theirs = other.rtt.value_or(10s);
  if (theirs > ours * 2 / 3 || ours - theirs < kBetterBy) {
    other.better_since = kNever;
  } else if (other.better_since == kNever) {
    other.better_since = now;
  } else if (now - other.better_since >= kBetterFor) {
    use(best, now, actions);
  }
}

Way PathSet::way(TimePoint now) const {
  if (used_ < 0) return Way::kRelay;
  return unproven_since_ || is_suspect(paths_[index()], now) ? Way::kBoth : Way::kDirect;
}

Duration PathSet::idle_keepalive() const {
  if (!settings_.mapping_lifetime) return kIdleKeepalive;
  return std::clamp<Duration>(*settings_.mapping_lifetime * 7 / 10, kKeepalive, kMostIdleKeepalive);
}

TimePoint PathSet::keepalive_time(const Path& path) const {
  const auto due = path.sent + kKeepalive;
  if (settings_.strict_keepalive || due < last_traffic_ + kIdleAfter) return due;
  return path.sent + idle_keepalive();
}

TimePoint PathSet::suspect_time(const Path& path) const {
  const auto due = path.heard + kSuspectAfter;
  if (settings_.strict_keepalive || due < last_traffic_ + kIdleAfter - kIdleMismatch) return due;
  return path.heard + 2 * idle_keepalive() + kSuspectAfter;
}

TimePoint PathSet::dead_time(const Path& path) const {
  // Two challenges must have had the time to be answered.
  const Duration answers = path.rtt.value_or(0s) * 2 + 2 * kSuspectChallenge;
  return suspect_time(path) + std::max<Duration>(kDeadAfter - kSuspectAfter, answers);
}

void PathSet::tend_candidates(TimePoint now, std::vector<PathAction>& actions) {
  for (std::size_t i = paths_.size(); i-- > 0;) {
    auto& path = paths_[i];
    if (path.valid) {
      if (!is_used(path) && now >= dead_time(path)) drop(i, actions);
      continue;
    }
    if (!sealable_) {
      if (now - path.added >= kHold) drop(i, actions);
      continue;
    }
    if (now < path.next_challenge) continue;
    if (path.tries == kTries.size()) {
      drop(i, actions);
      continue;
    }
    path.next_challenge = now + kTries[path.tries++];
    challenge(path, now, actions);
  }
}

void PathSet::tend_used(TimePoint now, std::vector<PathAction>& actions) {
  if (used_ < 0) return;
  auto& path = paths_[index()];
  const bool silent = is_suspect(path, now);
  if (!silent && !unproven_since_) return;
  if (now >= dead_time(path))
    return lose("nothing came from the peer by it for a second", now, actions);
  if (unproven_since_ && now >= *unproven_since_ + (dead_time(path) - suspect_time(path))) {
    return lose("the peer no longer hears us by it", now, actions);
  }
  for (std::size_t i = 0; i < paths_.size(); ++i) {
    const auto& other = paths_[i];
    if (!is_used(other) && other.valid && now - other.heard < kSuspectAfter)
      return use(i, now, actions);
  }
  if (now >= next_suspect_challenge_) {
    next_suspect_challenge_ = now + kSuspectChallenge;
    challenge(path, now, actions);
  }
  if (silent && now >= next_silent_) {
    next_silent_ = now + kSilentAgain;
    actions.emplace_back(SendSilent{now - path.heard});
  }
}

void PathSet::on_timeout(TimePoint now, std::vector<PathAction>& actions) {
  if (paths_.empty()) return;
  tend_candidates(now, actions);
  tend_used(now, actions);
  choose(now, actions);
  for (auto& path : paths_) {
    if (!path.valid || now < keepalive_time(path)) continue;
    path.sent = now;
    actions.emplace_back(SendKeepalive{path.at});
  }
}

TimePoint PathSet::next_deadline() const {
  auto due = kNever;
  for (const auto& path : paths_) {
    if (!path.valid) {
      due = std::min(due, sealable_ ? path.next_challenge : path.added + kHold);
      continue;
    }
    due = std::min(due, keepalive_time(path));
    if (path.better_since != kNever) due = std::min(due, path.better_since + kBetterFor);
    if (!is_used(path)) due = std::min(due, dead_time(path));
  }
  if (used_ < 0) return due;
  const auto& path = paths_[index()];
  // Under suspicion the next challenge comes before everything else that may be due.
  if (unproven_since_) return std::min(due, next_suspect_challenge_);
  return std::min(due, std::max(suspect_time(path), next_suspect_challenge_));
}

}  // namespace wormhole
