// The sessions with one other end: the one in use, the one before it, and those not yet confirmed.
//
//   we initiated:  RESP ──────────────────────────► current ──(replaced)──► previous ──10 s──► gone
//   we responded:  INIT ──► pending ──first frame──►
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <utility>

#include "wormhole/session/session.hpp"

namespace wormhole {

/// S is Session or derives from it. All sessions have local indices that differ in their low bits
/// only.
template <typename S>
class SessionSlots {
 public:
  /// Unconfirmed sessions kept: a replayed or abandoned INIT must not push out an honest one at
  /// once.
  static constexpr std::size_t kMaxPending = 4;
  /// How long the replaced session still receives: frames under way, with 500 ms of skew, many
  /// times over.
  static constexpr Duration kLinger = 10s;

  S* current() { return current_.get(); }
  const S* current() const { return current_.get(); }
  S* previous() { return previous_.get(); }

  /// The session with this local index; null when there is none.
  S* find(std::uint32_t local_index) {
    if (is(current_, local_index)) return current_.get();
    if (is(previous_, local_index)) return previous_.get();
    for (auto& session : pending_) {
      if (is(session, local_index)) return session.get();
    }
    return nullptr;
  }

  /// Puts a session that we initiated into use.
  void install(std::unique_ptr<S> session, TimePoint now) {
    if (current_) retire(now);
    current_ = std::move(session);
  }

  /// Keeps a session that we responded to until its first frame; the oldest makes way.
  S& add_pending(std::unique_ptr<S> session) {
    std::rotate(pending_.rbegin(), pending_.rbegin() + 1, pending_.rend());
    pending_[0] = std::move(session);
    return *pending_[0];
  }

  /// Called with a session that has just opened a frame: if it was pending it is put into use. Says
  /// whether it was.
  bool confirm(const S* session, TimePoint now) {
    for (auto& pending : pending_) {
      if (pending.get() != session || !pending) continue;
      install(std::move(pending), now);
      return true;
    }
    return false;
  }

  /// Drops what is too old. Says whether the current session was dropped.
  bool expire(TimePoint now) {
    if (previous_ && now >= previous_until_) previous_.reset();
    for (auto& session : pending_) {
      if (session && now - session->born() >= kLinger) session.reset();
    }
    if (!current_ || !current_->is_expired(now)) return false;
    current_.reset();
    return true;
  }

  /// Drops the sessions beside the current one for which `is_over(session)` says yes.
  template <typename Predicate>
  void drop_beside_current(Predicate is_over) {
    if (previous_ && is_over(*previous_)) previous_.reset();
    for (auto& session : pending_) {
      if (session && is_over(*session)) session.reset();
    }
  }

  void clear() {
    current_.reset();
    previous_.reset();
    for (auto& session : pending_) session.reset();
  }

  /// A local index `base` + k, k < `span`, that none of the sessions has. span must exceed the
  /// number of sessions.
  std::uint32_t free_index(std::uint32_t base, std::uint32_t span) {
    do {
      next_k_ = (next_k_ + 1) % span;
    } while (find(base + next_k_) != nullptr);
    return base + next_k_;
  }

 private:
  static bool is(const std::unique_ptr<S>& session, std::uint32_t local_index) {
    return session && session->local_index() == local_index;
  }
  void retire(TimePoint now) {
    previous_ = std::move(current_);
    previous_until_ = now + kLinger;
  }

  std::unique_ptr<S> current_;
  std::unique_ptr<S> previous_;
  TimePoint previous_until_ = kNever;
  std::array<std::unique_ptr<S>, kMaxPending> pending_;
  std::uint32_t next_k_ = 0;
};

}  // namespace wormhole
