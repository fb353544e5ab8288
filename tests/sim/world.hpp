// Virtual time and everything that lives in it. One seed gives one trace.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sim/event_queue.hpp"
#include "sim/internet.hpp"
#include "sim/ledger.hpp"
#include "sim/trace.hpp"
#include "wormhole/base/rng.hpp"

namespace wormhole::sim {

class World;

/// A process with deadlines. It enters the world when it is made and leaves when it is destroyed.
class Node {
 public:
  Node(World& world, std::string name);
  virtual ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  const std::string& name() const { return name_; }
  virtual TimePoint next_deadline() const = 0;  ///< kNever while it does not run
  virtual void on_timeout() = 0;
  /// Called once a virtual second: violates when something is out of bounds.
  virtual void check_bounds() = 0;

 protected:
  World& world_;

 private:
  friend class World;
  std::string name_;
  TimePoint last_timeout_{};
  int timeouts_at_once_ = 0;
};

class World {
 public:
  explicit World(std::uint64_t seed);

  std::uint64_t seed() const { return seed_; }
  TimePoint now() const { return now_; }
  Duration age() const { return now_ - start_; }
  SeededRng& rng() { return rng_; }
  Trace& trace() { return trace_; }
  Internet& internet() { return internet_; }
  Ledger& ledger() { return ledger_; }

  void after(Duration delay, EventQueue::Action action);
  /// Runs `action` every `interval` until it returns false.
  void every(Duration interval, std::function<bool()> action);

  void run_for(Duration duration);
  /// Runs until the condition holds; false when it did not within `limit`.
  bool run_until(const std::function<bool()>& condition, Duration limit);

  /// An invariant does not hold: the world stands still from here on.
  void violate(const std::string& what);
  bool ok() const { return violation_.empty(); }
  /// The seed, the violation if any, and the last events.
  std::string report() const;
  void note(What what, const Endpoint& from, const Endpoint& to, std::uint8_t type,
            std::size_t size);

 private:
  friend class Node;
  bool step(TimePoint limit);
  void fire(Node& node);
  void count_event();

  std::uint64_t seed_;
  SeededRng rng_;
  TimePoint start_;
  TimePoint now_;
  EventQueue queue_;
  Trace trace_;
  Internet internet_;
  Ledger ledger_;
  std::vector<Node*> nodes_;
  std::string violation_;
  TimePoint second_;  ///< the virtual second that is being counted
  std::uint64_t events_in_second_ = 0;
};

}  // namespace wormhole::sim
