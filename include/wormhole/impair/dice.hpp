// The dice of impairments: one seed gives one sequence, on every machine.
#pragma once

#include <cstdint>

#include "wormhole/impair/profile.hpp"

namespace wormhole {

/// SplitMix64 (Steele, Lea and Flood 2014), the upper half: it passes BigCrush, and a seed is its
/// whole state.
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}

  /// Uniform over all 2^32 numbers.
  std::uint32_t roll() {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return static_cast<std::uint32_t>((z ^ (z >> 31)) >> 32);
  }
  /// Uniform from 0 to bound - 1; the bias is below bound / 2^32.
  std::uint32_t below(std::uint32_t bound) {
    return static_cast<std::uint32_t>(std::uint64_t{roll()} * bound >> 32);
  }

 private:
  std::uint64_t state_;
};

/// netem's get_crandom: each number is a weighted mean of a fresh one and the last, so numbers k
/// apart correlate by rho^k, and they gather around the middle: their variance is
/// (1 - rho) / (1 + rho) of the uniform one's. That is why loss with correlation is rarer than its
/// share.
class CorrelatedDice {
 public:
  CorrelatedDice(Share correlation, Dice& dice) : rho_(correlation), last_(dice.roll()) {}

  std::uint32_t roll(Dice& dice) {
    if (rho_ == 0) return dice.roll();
    const auto rho = std::uint64_t{rho_} + 1;
    last_ = static_cast<std::uint32_t>(
        (dice.roll() * ((std::uint64_t{1} << 32) - rho) + last_ * rho) >> 32);
    return last_;
  }

 private:
  Share rho_;
  std::uint32_t last_;
};

/// A Chance and what its luck depends on.
class ChanceDice {
 public:
  ChanceDice(const Chance& chance, Dice& dice)
      : share_(chance.share), dice_(chance.correlation, dice) {}
  bool hits(Dice& dice) { return share_ != 0 && share_ >= dice_.roll(dice); }

 private:
  Share share_;
  CorrelatedDice dice_;
};

}  // namespace wormhole
