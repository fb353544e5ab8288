#include <algorithm>

#include "wormhole/crypto/seal.hpp"

namespace wormhole {
namespace {

constexpr std::uint64_t kWordBits = 64;

std::uint64_t bit_of(std::uint64_t counter) { return std::uint64_t{1} << (counter % kWordBits); }

}  // namespace

bool ReplayWindow::check(std::uint64_t counter) const {
  if (counter > highest_) return true;
  if (highest_ - counter >= kSize) return false;
  return (ring_[counter / kWordBits % kWords] & bit_of(counter)) == 0;
}

bool ReplayWindow::commit(std::uint64_t counter) {
  if (!check(counter)) return false;
  if (counter > highest_) {
    const auto word = highest_ / kWordBits;
    const auto fresh_words = std::min(counter / kWordBits - word, kWords);
    for (std::uint64_t i = 1; i <= fresh_words; ++i) ring_[(word + i) % kWords] = 0;
    highest_ = counter;
  }
  ring_[counter / kWordBits % kWords] |= bit_of(counter);
  return true;
}

}  // namespace wormhole
