#include "wormhole/impair/impairer.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "wormhole/base/result.hpp"

namespace wormhole {

ImpairCounts& ImpairCounts::operator+=(const ImpairCounts& other) {
  offered += other.offered;
  lost += other.lost;
  handover += other.handover;
  over_limit += other.over_limit;
  over_memory += other.over_memory;
  duplicated += other.duplicated;
  corrupted += other.corrupted;
  reordered += other.reordered;
  delayed += other.delayed;
  waited_us += other.waited_us;
  return *this;
}

Impairer::Rules::Rules(const ImpairProfile& profile, Dice& dice)
    : loss(profile, dice),
      duplicate(profile.duplicate, dice),
      reorder(profile.reorder, dice),
      corrupt(profile.corrupt, dice),
      jitter(profile.delay_correlation, dice),
      delay(profile.delay_us, profile.jitter_us, profile.spreading, profile.table),
      slot_delay(profile.slot.delay_us, profile.slot.jitter_us, profile.slot.spreading,
                 profile.slot.table) {}

Impairer::Impairer(ImpairProfile profile, HeldPool& pool, std::uint64_t seed)
    : profile_(std::move(profile)),
      pool_(pool),
      dice_(profile_.seed.value_or(seed)),
      rules_(profile_, dice_) {}

Impairer::~Impairer() {
  for (const auto& held : held_) pool_.drop(held.ticket);
}

void Impairer::set_profile(ImpairProfile profile) {
  profile_ = std::move(profile);
  if (profile_.seed) dice_ = Dice(*profile_.seed);
  rules_ = Rules(profile_, dice_);
  since_overtaking_ = 0;
  begun_.reset();
  slot_at_ = TimePoint::min();
}

bool Impairer::on_datagram(MutBytes bytes, std::uint16_t tag, TimePoint now) {
  ++counts_.offered;
  if (!begun_) begun_ = now;
  const bool twice = rules_.duplicate.hits(dice_);
  const bool lost = rules_.loss.next(dice_);
  if (twice) ++counts_.duplicated;
  if (lost) ++counts_.lost;
  if (lost) return twice && admit(bytes, tag, now, false);
  if (twice && !rules_.loss.next(dice_)) {
    admit(bytes, tag, now, true);
  } else if (twice) {
    ++counts_.lost;
  }
  return admit(bytes, tag, now, false);
}

/// Behind the dice of duplicate and loss. True: it leaves now; a copy is held even then.
bool Impairer::admit(MutBytes bytes, std::uint16_t tag, TimePoint now, bool is_copy) {
  const auto flipped = corrupt(bytes);
  const auto restore = [&] {
    if (flipped && is_copy) bytes[flipped->byte] ^= flipped->mask;
    return false;
  };
  if (held_.size() >= profile_.limit) {
    ++counts_.over_limit;
    return restore();
  }
  if (overtakes()) {
    ++counts_.reordered;
    if (!is_copy) return true;
    hold(bytes, tag, now, now);
    return restore();
  }
  const auto at = time_to_leave(bytes.size(), now);
  if (!at) {
    ++counts_.handover;
    return restore();
  }
  if (*at <= now && !has_slots() && !is_copy) return true;
  hold(bytes, tag, *at, now);
  return restore();
}

std::optional<Impairer::Bit> Impairer::corrupt(MutBytes bytes) {
  if (!rules_.corrupt.hits(dice_)) return std::nullopt;
  const std::size_t from = profile_.corrupt_from;
  const auto end = std::min<std::size_t>(bytes.size(), std::size_t{profile_.corrupt_to} + 1);
  if (from >= end) return std::nullopt;
  const auto byte = from + dice_.below(static_cast<std::uint32_t>(end - from));
  const auto mask = static_cast<std::uint8_t>(1U << dice_.below(8));
  bytes[byte] ^= mask;
  ++counts_.corrupted;
  return Bit{byte, mask};
}

/// netem's gap: that many less one are delayed, then each has the chance to overtake.
bool Impairer::overtakes() {
  if (profile_.gap == 0 || ++since_overtaking_ < profile_.gap) return false;
  if (!rules_.reorder.hits(dice_)) return false;
  since_overtaking_ = 0;
  return true;
}

std::optional<TimePoint> Impairer::time_to_leave(std::size_t size, TimePoint now) {
  auto at = now + rules_.delay.at(rules_.delay.has_jitter() ? rules_.jitter.roll(dice_) : 0);
  if (profile_.rate_bps != 0) at = std::max(at, last_at_);  // in a row
  const auto leaves = after_handover(at);
  if (!leaves) return std::nullopt;
  at = *leaves + time_on_link(size);
  last_at_ = std::max(last_at_, at);
  return at;
}

/// Each period ends with its silence, so that nothing begins with one.
std::optional<TimePoint> Impairer::after_handover(TimePoint at) {
  const auto& handover = profile_.handover;
  if (handover.every_us == 0) return at;
  const Duration every = std::chrono::microseconds(handover.every_us);
  const Duration length = std::chrono::microseconds(handover.length_us);
  const auto left = every - (at - *begun_) % every;
  if (left > length) return at;
  if (handover.loss != 0 && handover.loss >= dice_.roll()) return std::nullopt;
  return at + left;
}

/// netem's packet_time_ns: whole cells, each with its overhead.
Duration Impairer::time_on_link(std::size_t size) const {
  if (profile_.rate_bps == 0) return {};
  auto bytes =
      std::max<std::int64_t>(0, static_cast<std::int64_t>(size) + profile_.packet_overhead);
  if (profile_.cell_size != 0) {
    const auto cells = (bytes + profile_.cell_size - 1) / profile_.cell_size;
    bytes = cells * (std::int64_t{profile_.cell_size} + profile_.cell_overhead);
  }
  return Duration{bytes * 8 * 1'000'000'000 / static_cast<std::int64_t>(profile_.rate_bps)};
}

void Impairer::begin_slot(TimePoint now) {
  const auto& slot = profile_.slot;
  const auto rolled = dice_.roll();
  if (slot.kind == ImpairProfile::Slot::Kind::kSpread) {
    slot_at_ = now + rules_.slot_delay.at(rolled);
  } else {
    const std::uint64_t range = slot.max_us - slot.min_us;
    slot_at_ = now + std::chrono::microseconds(slot.min_us + (rolled * range >> 32));
  }
  constexpr auto kAll = std::numeric_limits<std::int64_t>::max();
  slot_packets_ = slot.packets == 0 ? kAll : slot.packets;
  slot_bytes_ = slot.bytes == 0 ? kAll : slot.bytes;
}

void Impairer::hold(Bytes bytes, std::uint16_t tag, TimePoint at, TimePoint now) {
  const auto ticket = pool_.put(bytes);
  if (!ticket) {
    ++counts_.over_memory;
    return;
  }
  held_.push_back({at, next_number_++, now, *ticket, tag});
  std::push_heap(held_.begin(), held_.end(), LeavesLater{});
}

std::optional<Impairer::Due> Impairer::next_due(TimePoint now) {
  if (held_.empty() || held_.front().at > now) return std::nullopt;
  const auto& first = held_.front();
  if (has_slots()) {
    // What has become due since the slot began waits for the next one.
    if (slot_at_ < first.at) begin_slot(now);
    if (slot_at_ > now) return std::nullopt;
  }
  return Due{first.ticket.size, first.tag};
}

Impairer::Held Impairer::pop(TimePoint now) {
  WH_ASSERT(!held_.empty());
  std::pop_heap(held_.begin(), held_.end(), LeavesLater{});
  const auto held = held_.back();
  held_.pop_back();
  if (has_slots()) {
    --slot_packets_;
    slot_bytes_ -= held.ticket.size;
    if (slot_packets_ <= 0 || slot_bytes_ <= 0) begin_slot(now);
  }
  if (now > held.since) ++counts_.delayed;
  counts_.waited_us += static_cast<std::uint64_t>((now - held.since) / 1us);
  return held;
}

void Impairer::take(MutBytes to, TimePoint now) { pool_.take(pop(now).ticket, to); }

void Impairer::drop(TimePoint now) { pool_.drop(pop(now).ticket); }

TimePoint Impairer::next_deadline() const {
  if (held_.empty()) return kNever;
  const auto at = held_.front().at;
  return has_slots() && slot_at_ >= at ? std::max(at, slot_at_) : at;
}

}  // namespace wormhole
