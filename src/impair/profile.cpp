#include "wormhole/impair/profile.hpp"

#include <algorithm>

namespace wormhole {
namespace {

bool exceeds_whole(Share one, Share other) { return std::uint64_t{one} + other > kWhole; }

std::string wrong_loss(const ImpairProfile& profile) {
  if (profile.loss_model != ImpairProfile::Loss::kState) return "";
  const auto [p13, p31, p32, p23, p14] = profile.loss;
  if (exceeds_whole(p13, p14)) return "p13 and p14 are more than 100 % together";
  if (exceeds_whole(p31, p32)) return "p31 and p32 are more than 100 % together";
  return "";
}

std::string wrong_table(Spreading spreading, const JitterTable& table) {
  if (spreading != Spreading::kTable) return "";
  const auto size = table.values ? table.values->size() : 0;
  if (size >= 1 && size <= kMostTableValues) return "";
  return "a table has 1 to " + std::to_string(kMostTableValues) + " values";
}

std::string wrong_rate(const ImpairProfile& profile) {
  const auto in_range = [](std::int32_t overhead) {
    return overhead >= -kMostOverhead && overhead <= kMostOverhead;
  };
  const bool has_rate = profile.rate_bps != 0;
  if (has_rate && (profile.rate_bps < kLeastRate || profile.rate_bps > kMostRate)) {
    return "rate is out of range";
  }
  if (!in_range(profile.packet_overhead) || !in_range(profile.cell_overhead)) {
    return "an overhead is out of range";
  }
  if (profile.cell_size > kMostCell) return "cell is out of range";
  const auto cell = std::int64_t{profile.cell_size} + profile.cell_overhead;
  return profile.cell_size != 0 && cell <= 0 ? "a cell with its overhead has no bytes" : "";
}

std::string wrong_slot(const ImpairProfile::Slot& slot) {
  if (slot.min_us > slot.max_us) return "the slot's min is more than its max";
  const auto longest = std::max({slot.max_us, slot.delay_us, slot.jitter_us});
  if (longest > kMostDelayUs) return "a slot's time is out of range";
  return wrong_table(slot.spreading, slot.table);
}

}  // namespace

std::string what_is_wrong(const ImpairProfile& profile) {
  const auto& handover = profile.handover;
  const auto longest = std::max({profile.delay_us, profile.jitter_us, handover.every_us});
  if (longest > kMostDelayUs) return "a time is more than 60 s";
  if (handover.length_us > 0 && handover.length_us >= handover.every_us) {
    return "a handover is as long as the time between two";
  }
  if (profile.limit == 0 || profile.limit > kMostLimit) return "limit is out of range";
  if (profile.corrupt_from > profile.corrupt_to) return "corrupt ends before it begins";
  if (profile.gap > 0 && profile.delay_us == 0) {
    return "nothing can be reordered that is not delayed";
  }
  for (auto wrong : {wrong_loss(profile), wrong_table(profile.spreading, profile.table),
                     wrong_rate(profile), wrong_slot(profile.slot)}) {
    if (!wrong.empty()) return wrong;
  }
  return "";
}

}  // namespace wormhole
