#include "wormhole/base/rng.hpp"

#include <algorithm>
#include <bit>

namespace wormhole {

SeededRng::SeededRng(std::uint64_t seed) : state_{} {
  // splitmix64 spreads a small seed over the whole state, as xoshiro's authors advise.
  for (auto& word : state_) {
    seed += 0x9e3779b97f4a7c15U;
    std::uint64_t z = seed;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    word = z ^ (z >> 31);
  }
}

std::uint64_t SeededRng::next() {
  const std::uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const std::uint64_t t = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= t;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

void SeededRng::fill(MutBytes out) {
  while (!out.empty()) {
    std::array<std::uint8_t, 8> word{};
    store_le(word.data(), next());
    const auto n = std::min(out.size(), word.size());
    std::copy_n(word.begin(), n, out.begin());
    out = out.subspan(n);
  }
}

}  // namespace wormhole
