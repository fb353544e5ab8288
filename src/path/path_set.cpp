#include "wormhole/path/path_set.hpp"

#include <algorithm>
#include <utility>

#include "path/timing.hpp"

namespace wormhole {

PathSet::Path* PathSet::find(const PathAddress& address) {
  const auto at = std::find_if(paths_.begin(), paths_.end(),
                               [&](const Path& path) { return path.address == address; });
  return at == paths_.end() ? nullptr : &*at;
}

bool PathSet::may_add(TimePoint now) {
  TimePoint& oldest = added_[next_added_];
  const bool too_many = oldest != kNever && now < oldest + 1s;
  if (too_many || paths_.size() >= kMostPaths) {
    ++drops_.too_many;
    return false;
  }
  oldest = now;
  next_added_ = (next_added_ + 1) % kNewPerSecond;
  return true;
}

bool PathSet::add_candidate(const PathAddress& address, Strategy strategy, TimePoint now) {
  if (Path* known = find(address)) {
    if (!known->valid) known->tries = 0;
    if (!known->valid && !session_) known->due = now + kHold;
    return true;
  }
  if (!may_add(now)) return false;
  Path& path = paths_.emplace_back();
  path.address = address;
  path.strategy = strategy;
  path.due = session_ ? now : now + kHold;
  return true;
}

void PathSet::on_session(TimePoint now, Actions& actions) {
  if (session_) return;
  session_ = true;
  for (Path& path : paths_) path.due = now;
  on_timeout(now, actions);
}

void PathSet::challenge(Path& path, TimePoint now, Actions& actions) {
  const auto token = rng_.number<std::uint64_t>();
  path.awaited[path.slot] = {token, now};
  path.slot = static_cast<std::uint8_t>((path.slot + 1) % kTokens);
  path.asked = now;
  actions.push_back(SendChallenge{path.address, token});
}

void PathSet::measure(Path& path, Duration sample) {
  path.rtt = path.rtt ? *path.rtt + (sample - *path.rtt) / kRttShare : sample;
}

void PathSet::on_response(const PathAddress& address, std::uint64_t token, TimePoint now,
                          Actions& actions) {
  Path* path = find(address);
  if (path == nullptr) return;
  const auto asked = std::find_if(path->awaited.begin(), path->awaited.end(), [&](const Asked& a) {
    return a.at != kNever && a.token == token;
  });
  if (asked == path->awaited.end()) return;
  const TimePoint sent = std::exchange(asked->at, kNever);
  measure(*path, now - sent);
  path->valid = true;
  path->answered = path->heard = now;
  path->tries = 0;
  path->due = now + stretched();
  const bool used = in_use_ && path == &paths_.front();
  if (used && doubted_ != kNever && sent >= doubted_) doubted_ = kNever;
  if (!in_use_) choose(now, actions);
  weigh(now);
}

bool PathSet::on_heard(const PathAddress& address, Heard what, TimePoint now) {
  Path* path = find(address);
  if (path == nullptr) return false;
  // The peer's filter is open from now on: what was sent before may have died there.
  if (path->heard == kNever && !path->valid && session_) {
    path->tries = 0;
    path->due = path->asked == kNever ? now : std::max(now, path->asked + kUrgent);
  }
  path->heard = path->heard == kNever ? now : std::max(path->heard, now);
  const bool used = in_use_ && path == &paths_.front();
  if (used) silent_said_ = kNever;
  if (what != Heard::kUse) return true;
  if (used) {
    peer_uses_ = true;
    for (Path& other : paths_) other.peer_since = other.follow_at = kNever;
    return true;
  }
  if (path->peer_since == kNever) path->peer_since = now;
  const bool at_once = !settings_.leads && !peer_uses_;
  const Duration patience = at_once ? 0s : settings_.leads ? kLeaderFollows : kFollows;
  if (now - path->peer_since >= patience) path->follow_at = std::min(path->follow_at, now);
  return true;
}

void PathSet::clear(const std::string& reason, Actions& actions) {
  leave(reason, actions);
  while (!paths_.empty()) remove(paths_.size() - 1, actions);
  session_ = false;
}

bool PathSet::knows(const PathAddress& path) const {
  return std::any_of(paths_.begin(), paths_.end(),
                     [&](const Path& one) { return one.address == path; });
}

bool PathSet::uses(SocketNo socket) const {
  return std::any_of(paths_.begin(), paths_.end(),
                     [&](const Path& path) { return path.address.socket == socket; });
}

void PathSet::remove(std::size_t index, Actions& actions) {
  const SocketNo socket = paths_[index].address.socket;
  paths_.erase(paths_.begin() + static_cast<std::ptrdiff_t>(index));
  if (socket >= kFirstExtraSocket && !uses(socket)) actions.push_back(SocketUnused{socket});
}

PathScore PathSet::score(const Path& path) { return path_score(path.strategy, path.rtt); }

std::optional<std::size_t> PathSet::best_other() const {
  std::optional<std::size_t> best;
  for (std::size_t i = in_use_ ? 1 : 0; i < paths_.size(); ++i) {
    if (!paths_[i].valid) continue;
    if (!best || score(paths_[i]) < score(paths_[*best])) best = i;
  }
  return best;
}

void PathSet::choose(TimePoint now, Actions& actions) {
  if (const auto best = best_other()) use(*best, now, actions);
}

/// Nothing is in use.
void PathSet::use(std::size_t index, TimePoint now, Actions& actions) {
  std::swap(paths_.front(), paths_[index]);
  Path& path = paths_.front();
  path.peer_since = path.follow_at = kNever;
  in_use_ = true;
  chosen_ = expected_from_ = now;
  better_since_ = complained_ = silent_said_ = doubted_ = kNever;
  peer_uses_ = false;
  // Both ends come here together, so that both expect keepalives from now on.
  traffic_ = std::max(traffic_, now);
  actions.push_back(PathUp{path.address, path.strategy});
  // The peer shall see at once which path is used.
  actions.push_back(SendKeepalive{path.address});
  sent_ = now;
  if (path.answered + kFresh < now) doubt("it did not answer when it was needed", now);
}

/// The path in use is left, and stays in the set.
void PathSet::leave(std::string_view reason, Actions& actions) {
  if (!in_use_) return;
  in_use_ = false;
  actions.push_back(PathDown{paths_.front().address, std::string(reason)});
}

/// From the path in use to a better one, or to the one that the peer uses.
void PathSet::change(std::size_t index, std::string_view reason, TimePoint now, Actions& actions) {
  leave(reason, actions);
  use(index, now, actions);
}

std::optional<std::size_t> PathSet::followed(TimePoint now) const {
  for (std::size_t i = 1; in_use_ && i < paths_.size(); ++i) {
    if (paths_[i].valid && paths_[i].follow_at <= now) return i;
  }
  return std::nullopt;
}

/// Whether another path has been better by the margin ever since better_since_.
void PathSet::weigh(TimePoint now) {
  const auto best = in_use_ && settings_.leads ? best_other() : std::nullopt;
  const bool better = best && much_better(score(paths_[*best]), score(paths_.front()));
  if (!better) better_since_ = kNever;
  if (better && better_since_ == kNever) better_since_ = now;
}

void PathSet::serve_choice(TimePoint now, Actions& actions) {
  weigh(now);
  if (const auto index = followed(now)) {
    change(*index, "the peer uses another path", now, actions);
  } else if (later(better_since_, kStable) <= now) {
    if (const auto best = best_other()) change(*best, "another path is better", now, actions);
  }
  if (trim_at() <= now) trim(actions);
}

/// All validated paths but the one in use and the best of the others.
void PathSet::trim(Actions& actions) {
  const auto best = best_other();
  for (std::size_t i = paths_.size(); i-- > 1;) {
    if (paths_[i].valid && i != best) remove(i, actions);
  }
}

TimePoint PathSet::trim_at() const {
  if (!in_use_) return kNever;
  const auto others =
      std::count_if(paths_.begin() + 1, paths_.end(), [](const Path& path) { return path.valid; });
  return others > 1 ? chosen_ + kStable : kNever;
}

/// Candidates and standbys: a series of challenges each; who has not answered by its end is gone.
void PathSet::serve_others(TimePoint now, Actions& actions) {
  for (std::size_t i = paths_.size(); i-- > (in_use_ ? 1U : 0U);) {
    Path& path = paths_[i];
    if (path.due > now) continue;
    if (!session_ || path.tries == kTries) {
      remove(i, actions);
      continue;
    }
    challenge(path, now, actions);
    const Duration gap = kGaps[path.tries++];
    path.due = now + std::max(gap, path.rtt.value_or(0s) * 3 / 2);
  }
}

void PathSet::on_timeout(TimePoint now, Actions& actions) {
  serve_choice(now, actions);
  serve_used(now, actions);
  serve_others(now, actions);
}

TimePoint PathSet::next_deadline() const {
  TimePoint next = in_use_ ? used_deadline() : kNever;
  for (std::size_t i = in_use_ ? 1 : 0; i < paths_.size(); ++i) {
    next = std::min(next, paths_[i].due);
    if (in_use_ && paths_[i].valid) next = std::min(next, paths_[i].follow_at);
  }
  return std::min({next, later(better_since_, kStable), trim_at()});
}

}  // namespace wormhole
