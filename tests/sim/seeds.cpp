#include "sim/seeds.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <numeric>

namespace wormhole::sim {

std::vector<std::uint64_t> seeds(std::uint64_t usual) {
  if (const char* one = std::getenv("WORMHOLE_SEED")) return {std::strtoull(one, nullptr, 10)};
  const char* factor = std::getenv("WORMHOLE_SEEDS");
  const double times = factor != nullptr ? std::strtod(factor, nullptr) : 1;
  const auto count = static_cast<std::uint64_t>(static_cast<double>(usual) * times);
  std::vector<std::uint64_t> all(std::clamp<std::uint64_t>(count, 1, 10'000'000));
  std::iota(all.begin(), all.end(), 1);
  return all;
}

void Samples::print() {
  if (all_.empty()) return;
  std::sort(all_.begin(), all_.end());
  const auto at = [this](std::size_t percent) {
    return std::to_string(to_ms(all_[(all_.size() - 1) * percent / 100])) + " ms";
  };
  std::printf("[ sim      ] %s: median %s, p99 %s, worst %s (%zu)\n", name_.c_str(), at(50).c_str(),
              at(99).c_str(), at(100).c_str(), all_.size());
}

}  // namespace wormhole::sim
