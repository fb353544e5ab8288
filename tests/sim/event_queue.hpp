// What will happen: ordered by time, and by the order of asking within one instant.
#pragma once

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

#include "wormhole/base/time.hpp"

namespace wormhole::sim {

class EventQueue {
 public:
  using Action = std::function<void()>;

  void at(TimePoint when, Action action) {
    heap_.push_back({when, next_sequence_++, std::move(action)});
    std::push_heap(heap_.begin(), heap_.end(), later);
  }

  /// When the next event is due; kNever when there is none.
  TimePoint next() const { return heap_.empty() ? kNever : heap_.front().when; }
  std::size_t size() const { return heap_.size(); }

  /// Takes the next event out and runs it. Contract: there is one.
  void run_next() {
    std::pop_heap(heap_.begin(), heap_.end(), later);
    const Action action = std::move(heap_.back().action);
    heap_.pop_back();
    action();
  }

 private:
  struct Event {
    TimePoint when;
    std::uint64_t sequence;
    Action action;
  };
  static bool later(const Event& a, const Event& b) {
    return std::pair(a.when, a.sequence) > std::pair(b.when, b.sequence);
  }

  std::vector<Event> heap_;
  std::uint64_t next_sequence_ = 0;
};

}  // namespace wormhole::sim
