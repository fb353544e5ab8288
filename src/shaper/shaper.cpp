#include "wormhole/shaper/shaper.hpp"

#include <algorithm>
#include <deque>
#include <tuple>
#include <utility>

#include "shaper/codel.hpp"
#include "wormhole/base/result.hpp"

namespace wormhole {
namespace {

/// A round of deficit round robin: a packet of Ethernet's size (RFC 8290, 5.2.1).
constexpr double kQuantum = 1500;
/// One datagram in many copies must not keep its flow out for more rounds than this.
constexpr double kMostOwed = 64 * kQuantum;
/// What a lower class that waits gets of the higher ones' bytes: too little to be felt above, and
/// enough that a log still trickles.
constexpr double kShareBelow = 0.05;
/// It is given a packet at a time, and no more is saved up.
constexpr double kMostCredit = kQuantum;

std::uint32_t key_of(FlowNo flow) { return flow.value; }
std::uint32_t key_of_streams(std::uint16_t slot) { return 0x10000U + slot; }

}  // namespace

struct Shaper::Packet {
  std::vector<std::uint8_t> text;
  TimePoint at;
  ClientNo peer;
  Packet* behind = nullptr;
};

/// Keeps packets and the memory of their texts for the next ones.
class Shaper::Pool {
 public:
  bool full() const { return taken_ == kMostPackets; }
  Packet& take() {
    ++taken_;
    if (free_ == nullptr) {
      all_.emplace_back().text.reserve(kKept);
      return all_.back();
    }
    return *std::exchange(free_, free_->behind);
  }
  void give(Packet& packet) {
    --taken_;
    if (packet.text.capacity() > kKept) packet.text = {};
    packet.behind = std::exchange(free_, &packet);
  }

 private:
  /// A datagram that passes in one packet; larger ones are rare.
  static constexpr std::size_t kKept = 2048;
  std::deque<Packet> all_;
  Packet* free_ = nullptr;
  std::size_t taken_ = 0;
};

struct Shaper::Queue {
  std::uint32_t key = 0;
  ShaperTerms terms;
  Place place = Place::kIdle;
  Queue* behind = nullptr;  ///< in its line
  Packet* head = nullptr;
  Packet* tail = nullptr;
  std::size_t packets = 0;
  std::size_t bytes = 0;
  bool wants_turn = false;  ///< streams
  double deficit = 0;       ///< bytes that it may send in this round
  std::optional<TokenBucket> limit;
  bool was_held = false;  ///< by its limit, since it was empty last
  CoDel codel;
  Duration delay{};  ///< of the last that left
  ShaperDrops drops;

  bool waits() const { return head != nullptr || wants_turn; }
  bool is_streams() const { return key >= key_of_streams(0); }
  Duration most_age() const { return terms.max_age > Duration{} ? terms.max_age : kUsualAge; }
  void push(Packet& packet) {
    packet.behind = nullptr;
    (tail == nullptr ? head : tail->behind) = &packet;
    tail = &packet;
    ++packets;
    bytes += packet.text.size();
  }
  Packet& pop() {
    auto& packet = *head;
    head = packet.behind;
    if (head == nullptr) tail = nullptr;
    --packets;
    bytes -= packet.text.size();
    return packet;
  }
};

// --- Lines -------------------------------------------------------------------

void Shaper::Line::push(Queue& queue) {
  queue.behind = nullptr;
  (last == nullptr ? first : last->behind) = &queue;
  last = &queue;
}

void Shaper::Line::remove(const Queue& queue) {
  Queue* before = nullptr;
  for (auto* at = first; at != &queue; at = at->behind) before = at;
  (before == nullptr ? first : before->behind) = queue.behind;
  if (last == &queue) last = before;
}

Shaper::Line& Shaper::line_of(const Queue& queue) {
  if (queue.place == Place::kHeld) return held_;
  auto& group = groups_[static_cast<std::size_t>(queue.terms.group)];
  return queue.place == Place::kFresh ? group.fresh : group.old;
}

void Shaper::move(Queue& queue, Place to) {
  if (queue.place != Place::kIdle) line_of(queue).remove(queue);
  queue.place = to;
  if (to != Place::kIdle) line_of(queue).push(queue);
}

void Shaper::enter(Queue& queue, TimePoint now) {
  if (queue.place != Place::kIdle) return;
  queue.deficit = kQuantum;
  const bool held = queue.limit && !queue.limit->may_send(now);
  queue.was_held = held;
  move(queue, held ? Place::kHeld : Place::kFresh);
}

// --- In ----------------------------------------------------------------------

Shaper::Shaper() : pool_(std::make_unique<Pool>()) {}
Shaper::~Shaper() = default;

void Shaper::set_pace(std::optional<double> bytes_per_s, TimePoint now) {
  if (!bytes_per_s) return pace_.reset();
  if (!pace_) pace_.emplace();
  pace_->set_rate(*bytes_per_s, now);
}

Shaper::Queue& Shaper::queue_at(std::uint32_t key) {
  auto& queue = queues_[key];
  if (!queue) {
    queue = std::make_unique<Queue>();
    queue->key = key;
  }
  return *queue;
}

void Shaper::set_terms(Queue& queue, const ShaperTerms& terms, TimePoint now) {
  if (queue.terms == terms) return;
  const auto place = queue.place;
  move(queue, Place::kIdle);
  queue.terms = terms;
  if (terms.rate > 0) {
    if (!queue.limit) queue.limit.emplace();
    queue.limit->set_rate(terms.rate, now);
  } else {
    queue.limit.reset();
  }
  if (place != Place::kIdle) enter(queue, now);
}

void Shaper::add(FlowNo flow, const ShaperTerms& terms, ClientNo peer, Bytes text, TimePoint now) {
  auto& queue = queue_at(key_of(flow));
  set_terms(queue, terms, now);
  drop_aged(queue, now);
  make_room(text.size());
  auto& packet = pool_->take();
  packet.text.assign(text.begin(), text.end());
  packet.at = now;
  packet.peer = peer;
  queue.push(packet);
  bytes_ += text.size();
  enter(queue, now);
}

void Shaper::want_streams(std::uint16_t slot, UplinkClass group) {
  auto& queue = queue_at(key_of_streams(slot));
  set_terms(queue, {group, {}, 0}, {});
  queue.wants_turn = true;
  enter(queue, {});
}

void Shaper::remove(std::uint32_t key) {
  const auto at = queues_.find(key);
  if (at == queues_.end()) return;
  auto& queue = *at->second;
  move(queue, Place::kIdle);
  while (queue.head != nullptr) drop_head(queue, &ShaperDrops::age);
  queues_.erase(at);
}

void Shaper::remove(FlowNo flow) { remove(key_of(flow)); }
void Shaper::remove_streams(std::uint16_t slot) { remove(key_of_streams(slot)); }

std::vector<FlowNo> Shaper::flows() const {
  std::vector<FlowNo> all;
  for (const auto& [key, queue] : queues_) {
    if (!queue->is_streams()) all.push_back(FlowNo{static_cast<std::uint16_t>(key)});
  }
  return all;
}

// --- What does not leave -----------------------------------------------------

void Shaper::drop_head(Queue& queue, std::uint64_t ShaperDrops::*cause) {
  auto& packet = queue.pop();
  bytes_ -= packet.text.size();
  pool_->give(packet);
  ++(queue.drops.*(queue.was_held ? &ShaperDrops::rate : cause));
}

void Shaper::drop_aged(Queue& queue, TimePoint now) {
  while (queue.head != nullptr && now - queue.head->at > queue.most_age()) {
    drop_head(queue, &ShaperDrops::age);
  }
}

/// From the head of the longest queue (RFC 8290, 4.1.2): who is the cause pays, with the oldest.
void Shaper::make_room(std::size_t size) {
  while (bytes_ + size > kMostBytes || pool_->full()) {
    const auto longest =
        std::max_element(queues_.begin(), queues_.end(), [](const auto& a, const auto& b) {
          const auto rank = [](const auto& entry) {
            return std::tuple(entry.second->bytes, entry.second->packets, entry.first);
          };
          return rank(a) < rank(b);
        });
    drop_head(*longest->second, &ShaperDrops::overflow);
  }
}

// --- Out ---------------------------------------------------------------------

/// Those whose own limit lets them send again.
void Shaper::readmit(TimePoint now) {
  for (auto* queue = held_.first; queue != nullptr;) {
    auto* behind = queue->behind;
    if (queue->limit->may_send(now)) move(*queue, Place::kOld);
    queue = behind;
  }
}

/// Drops what is not worth sending; whether something is left.
bool Shaper::prepare(Queue& queue, TimePoint now) {
  drop_aged(queue, now);
  while (queue.head != nullptr && queue.codel.should_drop(now - queue.head->at, queue.bytes, now)) {
    drop_head(queue, &ShaperDrops::codel);
  }
  return queue.waits();
}

/// RFC 8290, 4.2.
Shaper::Queue* Shaper::pick(Group& group, TimePoint now) {
  for (;;) {
    auto* queue = group.fresh.first != nullptr ? group.fresh.first : group.old.first;
    if (queue == nullptr) return nullptr;
    if (queue->deficit <= 0) {
      queue->deficit += kQuantum;
      move(*queue, Place::kOld);
    } else if (prepare(*queue, now)) {
      return queue;
    } else {
      // One that was new goes behind the others first, or it would come back as new at once.
      move(*queue, queue->place == Place::kFresh ? Place::kOld : Place::kIdle);
    }
  }
}

Shaper::Queue* Shaper::choose(TimePoint now) {
  for (auto& group : groups_) {
    if (group.credit < kMostCredit) continue;
    if (auto* queue = pick(group, now)) return queue;
  }
  for (auto& group : groups_) {
    if (auto* queue = pick(group, now)) return queue;
  }
  return nullptr;
}

std::optional<ShaperTurn> Shaper::next(TimePoint now) {
  WH_ASSERT(turn_ == nullptr);
  readmit(now);
  if (pace_ && !pace_->may_send(now)) return std::nullopt;
  turn_ = choose(now);
  if (turn_ == nullptr) return std::nullopt;
  woken_ = now;
  if (turn_->is_streams()) {
    return ShaperTurn{{}, {}, {}, static_cast<std::uint16_t>(turn_->key)};
  }
  turn_->delay = now - turn_->head->at;
  return ShaperTurn{FlowNo{static_cast<std::uint16_t>(turn_->key)}, turn_->head->peer,
                    turn_->head->text, 0};
}

void Shaper::charge(std::size_t bytes, TimePoint now) {
  WH_ASSERT(turn_ != nullptr);
  auto& queue = *std::exchange(turn_, nullptr);
  if (queue.is_streams()) {
    queue.wants_turn = bytes > 0;
  } else {
    auto& packet = queue.pop();
    bytes_ -= packet.text.size();
    pool_->give(packet);
  }
  if (pace_) pace_->take(bytes);
  settle(queue.terms.group, bytes);
  queue.deficit = std::max(queue.deficit - static_cast<double>(bytes), -kMostOwed);
  if (!queue.limit) return;
  queue.limit->take(bytes);
  if (!queue.waits() || queue.limit->may_send(now)) return;
  queue.was_held = true;
  move(queue, Place::kHeld);
}

/// What a class takes, it owes a share of to each lower one that waits.
void Shaper::settle(UplinkClass served, std::size_t bytes) {
  const auto cost = static_cast<double>(bytes);
  for (std::size_t i = 0; i < groups_.size(); ++i) {
    auto& group = groups_[i];
    if (i == static_cast<std::size_t>(served)) {
      group.credit = std::max(0.0, group.credit - cost);
    } else if (i > static_cast<std::size_t>(served)) {
      group.credit = group.waits() ? std::min(kMostCredit, group.credit + kShareBelow * cost) : 0;
    }
  }
}

TimePoint Shaper::next_deadline() const {
  const auto pace = pace_ ? pace_->ready_at() : TimePoint::min();
  const bool waits =
      std::any_of(groups_.begin(), groups_.end(), [](const Group& group) { return group.waits(); });
  auto due = waits ? pace : kNever;
  for (const auto* queue = held_.first; queue != nullptr; queue = queue->behind) {
    due = std::min(due, std::max(queue->limit->ready_at(), pace));
  }
  return due == kNever ? kNever : std::max(due, woken_ + kWake);
}

ShaperQueueStatus Shaper::status(FlowNo flow, TimePoint now) const {
  const auto at = queues_.find(key_of(flow));
  if (at == queues_.end()) return {};
  const auto& queue = *at->second;
  const auto delay = queue.head != nullptr ? now - queue.head->at : queue.delay;
  return {queue.packets, queue.bytes, delay, queue.drops};
}

}  // namespace wormhole
