// Randomness comes from outside, so that one seed gives one trace.
#pragma once

#include <array>
#include <cstdint>

#include "wormhole/base/bytes.hpp"

namespace wormhole {

/// Source of random bytes. The shell hands in the system's generator, the simulator a seeded one.
/// Keys are drawn from it, so outside the tests it must be cryptographically strong.
class Rng {
 public:
  virtual ~Rng() = default;
  /// Fills all of `out`.
  virtual void fill(MutBytes out) = 0;

  template <typename T>
  T number() {
    std::array<std::uint8_t, sizeof(T)> raw{};
    fill(raw);
    return load_le<T>(raw.data());
  }

  /// A number in [0, bound); 0 when bound is 0. The modulo bias is below 2^-32 for the jitter and
  /// index choices it serves; never use it to make keys.
  std::uint32_t below(std::uint32_t bound) {
    return bound == 0 ? 0 : static_cast<std::uint32_t>(number<std::uint64_t>() % bound);
  }
};

/// xoshiro256** (Blackman and Vigna): deterministic, for tests and simulations only.
class SeededRng final : public Rng {
 public:
  explicit SeededRng(std::uint64_t seed);
  void fill(MutBytes out) override;

 private:
  std::uint64_t next();
  std::array<std::uint64_t, 4> state_;
};

}  // namespace wormhole
