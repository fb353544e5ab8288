// Delay with jitter: netem's tabledist.
#pragma once

#include <span>

#include "wormhole/base/time.hpp"
#include "wormhole/impair/dice.hpp"

namespace wormhole {

/// A duration that is drawn anew each time. Refers to the profile's table, which must outlive it.
class SpreadDelay {
 public:
  SpreadDelay(std::uint32_t delay_us, std::uint32_t jitter_us, Spreading spreading,
              const JitterTable& table);

  /// For a number out of all 2^32: larger ones give longer delays. Never below zero.
  Duration at(std::uint32_t rolled) const;
  bool has_jitter() const { return jitter_us_ != 0; }

 private:
  std::int64_t delay_us_;
  std::int64_t jitter_us_;
  std::span<const std::int16_t> table_;  // empty: uniform
};

}  // namespace wormhole
