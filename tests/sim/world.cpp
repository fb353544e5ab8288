#include "sim/world.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "sim/chance.hpp"

namespace wormhole::sim {
namespace {

/// A deadline that still stands after so many calls within one instant will never go away.
constexpr int kMaxTimeoutsAtOnce = 64;
/// The busiest scenario (a flood of INITs beside two streams) has some 20,000 a second.
constexpr std::uint64_t kMaxEventsPerSecond = 200'000;
/// How many events a report shows; WORMHOLE_EVENTS asks for more.
std::size_t shown_events() {
  const char* asked = std::getenv("WORMHOLE_EVENTS");
  return asked != nullptr ? std::strtoull(asked, nullptr, 10) : 60;
}

}  // namespace

Node::Node(World& world, std::string name) : world_(world), name_(std::move(name)) {
  world_.nodes_.push_back(this);
}

Node::~Node() { std::erase(world_.nodes_, this); }

World::World(std::uint64_t seed)
    : seed_(seed),
      rng_(seed),
      // Not at zero: "no time yet" and "time zero" must not be confused by anybody.
      start_(TimePoint{} + 1h + up_to(rng_, 1000s)),
      now_(start_),
      internet_(queue_, trace_, rng_, now_),
      second_(start_) {}

void World::after(Duration delay, EventQueue::Action action) {
  queue_.at(now_ + delay, std::move(action));
}

void World::every(Duration interval, std::function<bool()> action) {
  after(interval, [this, interval, action = std::move(action)]() mutable {
    if (action()) every(interval, std::move(action));
  });
}

void World::run_for(Duration duration) {
  const auto end = now_ + duration;
  while (step(end)) {
  }
}

bool World::run_until(const std::function<bool()>& condition, Duration limit) {
  const auto end = now_ + limit;
  while (!condition()) {
    if (!step(end)) return condition() && ok();
  }
  return ok();
}

bool World::step(TimePoint limit) {
  if (!ok()) return false;
  Node* due = nullptr;
  auto when = queue_.next();
  for (auto* node : nodes_) {
    if (const auto deadline = node->next_deadline(); deadline < when) {
      when = deadline;
      due = node;
    }
  }
  if (when > limit) {
    now_ = std::max(now_, limit);
    return false;
  }
  now_ = std::max(now_, when);
  count_event();
  due != nullptr ? fire(*due) : queue_.run_next();
  return true;
}

void World::fire(Node& node) {
  node.timeouts_at_once_ = node.last_timeout_ == now_ ? node.timeouts_at_once_ + 1 : 0;
  node.last_timeout_ = now_;
  if (node.timeouts_at_once_ > kMaxTimeoutsAtOnce) {
    return violate("busy loop: the deadline of " + node.name() + " stays in the past");
  }
  note(What::kTimeout, {}, {}, 0, std::hash<std::string>{}(node.name()) % 256);
  node.on_timeout();
}

void World::count_event() {
  if (now_ - second_ >= 1s) {
    second_ = now_;
    events_in_second_ = 0;
    for (auto* node : nodes_) node->check_bounds();
  }
  if (++events_in_second_ > kMaxEventsPerSecond) violate("too many events in one second");
}

void World::violate(const std::string& what) {
  if (ok()) violation_ = what;
}

std::string World::report() const {
  return "seed " + std::to_string(seed_) + " at " + std::to_string(to_ms(age())) +
         " ms: " + (ok() ? "no invariant broken" : violation_) +
         "\nagain: WORMHOLE_SEED=" + std::to_string(seed_) + "\n" +
         trace_.tail(shown_events(), start_);
}

void World::note(What what, const Endpoint& from, const Endpoint& to, std::uint8_t type,
                 std::size_t size) {
  trace_.add({now_, what, from, to, type, size});
}

}  // namespace wormhole::sim
