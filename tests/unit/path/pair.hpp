// Two ends of one pair with their links, in virtual time.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <queue>
#include <vector>

#include "wormhole/path/path_set.hpp"

namespace wormhole::path_test {

inline constexpr TimePoint kStart{1000s};

inline Endpoint place(std::uint8_t end, std::uint16_t path) {
  return {IpAddress::v4(198, 51, 100, end), static_cast<std::uint16_t>(5000 + path)};
}

/// Path number `path` as end `end` names it.
inline PathAddress address(std::size_t end, std::uint16_t path) {
  return {SocketNo{path}, place(static_cast<std::uint8_t>(2 - end), path)};
}

struct Link {
  Duration delay = 10ms;
  Duration jitter{};
  double loss = 0;
  bool cut = false;
};

class Pair {
 public:
  struct Path {
    std::uint16_t number;
    std::array<Link, 2> from{};  ///< by the sending end
  };
  struct End {
    explicit End(std::uint64_t seed) : rng(seed), set(rng) {}
    SeededRng rng;
    PathSet set;
    std::vector<std::pair<TimePoint, PathAddress>> ups;
    std::vector<std::pair<TimePoint, std::string>> downs;
    std::vector<SocketNo> unused;
    std::vector<TimePoint> silents;
    std::size_t keepalives = 0;
    std::size_t challenges = 0;
    std::size_t received = 0;
    TimePoint last_received = kStart;
    Duration longest_gap{};
  };

  explicit Pair(std::uint64_t seed = 1, Link relay = {20ms, 0ms, 0, false})
      : now_(kStart), rng_(seed), relay_{relay, relay}, ends_{End(seed * 2), End(seed * 2 + 1)} {
    PathSettings settings;
    settings.leads = true;
    ends_[0].set.set_settings(settings);
  }

  End& end(std::size_t which) { return ends_[which]; }
  PathSet& set(std::size_t which) { return ends_[which].set; }
  TimePoint now() const { return now_; }
  std::array<Link, 2>& link(std::uint16_t number) {
    for (Path& path : paths_) {
      if (path.number == number) return path.from;
    }
    return paths_.emplace_back(Path{number, {}}).from;
  }

  void settings(PathSettings settings) {
    settings.leads = true;
    set(0).set_settings(settings);
    settings.leads = false;
    set(1).set_settings(settings);
  }
  /// Both ends have a session and the candidate, as a rule.
  void open(std::uint16_t number, Link both = {}) {
    link(number) = {both, both};
    for (const std::size_t i : {0U, 1U}) {
      session();
      set(i).add_candidate(address(i, number), Strategy::kCone, now_);
      drive(i);
    }
  }
  void session() {
    for (const std::size_t i : {0U, 1U}) {
      set(i).on_session(now_, actions_);
      act(i);
    }
  }
  void cut(std::uint16_t number, bool both = true) {
    link(number)[0].cut = true;
    if (both) link(number)[1].cut = true;
  }
  /// An application packet of `from`.
  void send(std::size_t from) {
    PathSet& set = ends_[from].set;
    set.on_traffic(now_);
    const Way way = set.way(now_);
    if (way == Way::kDirect) {
      transmit(from, set.in_use()->socket.value, Kind::kData, 0);
      set.on_sent(now_);
    } else {
      if (way == Way::kBoth) transmit(from, set.in_use()->socket.value, Kind::kCopy, 0);
      deliver(from, relay_[from], 0, Kind::kCopy, 0);
    }
    drive(from);
  }
  /// Runs until `until`; each end sends an application packet every `every`, when that is set.
  void run(Duration time, Duration every = 0s) {
    const TimePoint until = now_ + time;
    TimePoint next_send = every > 0s ? now_ : kNever;
    for (;;) {
      const TimePoint next = std::min({next_event(), next_send, until});
      account(next - now_);
      now_ = next;
      if (next == until) break;
      if (next == next_send) {
        send(0);
        send(1);
        next_send = now_ + every;
      }
      step();
    }
  }
  /// How long both ends' packets went both ways, and in all.
  Duration both_time{};
  Duration all_time{};
  /// Sees each frame that a path carries.
  std::function<void(std::size_t from, std::uint16_t path, Heard what)> tap;

 private:
  enum class Kind : std::uint8_t { kChallenge, kResponse, kKeepalive, kData, kCopy, kSilent };
  struct Event {
    TimePoint at;
    std::uint64_t order;
    std::size_t to;
    std::uint16_t path;
    Kind kind;
    std::uint64_t token;
    bool operator<(const Event& other) const {
      return std::tie(other.at, other.order) < std::tie(at, order);
    }
  };

  TimePoint next_event() const {
    const TimePoint first = events_.empty() ? kNever : events_.top().at;
    return std::max(now_,
                    std::min({first, ends_[0].set.next_deadline(), ends_[1].set.next_deadline()}));
  }
  void account(Duration passed) {
    for (const End& end : ends_) {
      all_time += passed;
      if (end.set.way(now_) == Way::kBoth) both_time += passed;
    }
  }
  void step() {
    while (!events_.empty() && events_.top().at <= now_) {
      const Event event = events_.top();
      events_.pop();
      arrive(event);
    }
    drive(0);
    drive(1);
  }
  void deliver(std::size_t from, const Link& link, std::uint16_t path, Kind kind,
               std::uint64_t token) {
    if (link.cut || rng_.below(1'000'000) < link.loss * 1e6) return;
    const auto jitter = static_cast<std::uint32_t>(link.jitter / 1us);
    const Duration late = jitter == 0 ? 0us : std::chrono::microseconds(rng_.below(jitter));
    events_.push({now_ + link.delay + late, ++order_, 1 - from, path, kind, token});
  }
  void transmit(std::size_t from, std::uint16_t path, Kind kind, std::uint64_t token) {
    if (tap) tap(from, path, kind >= Kind::kKeepalive ? Heard::kUse : Heard::kProof);
    deliver(from, link(path)[from], path, kind, token);
  }
  void arrive(const Event& event) {
    End& end = ends_[event.to];
    const PathAddress from = address(event.to, event.path);
    if (event.kind == Kind::kSilent) {
      end.set.on_peer_silent(now_, actions_);
      return act(event.to);
    }
    if (event.kind == Kind::kData || event.kind == Kind::kCopy) {
      end.longest_gap = std::max(end.longest_gap, now_ - end.last_received);
      end.last_received = now_;
      ++end.received;
      end.set.on_traffic(now_);
    }
    if (event.kind == Kind::kCopy) return drive(event.to);
    end.set.add_candidate(from, Strategy::kCone, now_);
    const bool proof = event.kind == Kind::kChallenge || event.kind == Kind::kResponse;
    end.set.on_heard(from, proof ? Heard::kProof : Heard::kUse, now_);
    if (event.kind == Kind::kChallenge) {
      transmit(event.to, event.path, Kind::kResponse, event.token);
    }
    if (event.kind == Kind::kResponse) end.set.on_response(from, event.token, now_, actions_);
    act(event.to);
  }
  void act(std::size_t which) {
    End& end = ends_[which];
    for (const PathAction& action : actions_) {
      if (const auto* c = std::get_if<SendChallenge>(&action)) {
        ++end.challenges;
        transmit(which, c->path.socket.value, Kind::kChallenge, c->token);
      } else if (const auto* k = std::get_if<SendKeepalive>(&action)) {
        ++end.keepalives;
        transmit(which, k->path.socket.value, Kind::kKeepalive, 0);
      } else if (std::holds_alternative<SendSilent>(action)) {
        end.silents.push_back(now_);
        deliver(which, relay_[which], 0, Kind::kSilent, 0);
      } else if (const auto* up = std::get_if<PathUp>(&action)) {
        end.ups.emplace_back(now_, up->path);
      } else if (const auto* down = std::get_if<PathDown>(&action)) {
        end.downs.emplace_back(now_, down->reason);
      } else if (const auto* unused = std::get_if<SocketUnused>(&action)) {
        end.unused.push_back(unused->socket);
      }
    }
    actions_.clear();
    drive(which);
  }
  void drive(std::size_t which) {
    PathSet& set = ends_[which].set;
    if (set.next_deadline() > now_) return;
    set.on_timeout(now_, actions_);
    ASSERT_GT(set.next_deadline(), now_) << "a deadline that on_timeout() does not serve";
    act(which);
  }

  TimePoint now_;
  SeededRng rng_;
  std::array<Link, 2> relay_;
  std::array<End, 2> ends_;
  std::vector<Path> paths_;
  std::priority_queue<Event> events_;
  std::uint64_t order_ = 0;
  std::vector<PathAction> actions_;
};

}  // namespace wormhole::path_test
