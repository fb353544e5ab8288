#include "wormhole/punch/chance.hpp"

#include <cmath>

namespace wormhole {

double chance_distinct(std::uint32_t ports, std::uint32_t open, std::uint32_t probes) {
  if (open > ports || probes > ports - open) return 1;
  double miss = 1;
  for (std::uint32_t i = 0; i < probes; ++i) {
    miss *= static_cast<double>(ports - open - i) / static_cast<double>(ports - i);
  }
  return 1 - miss;
}

double chance_pair(std::uint32_t ports, std::uint32_t mappings) {
  const double share = static_cast<double>(mappings) / static_cast<double>(ports);
  return 1 - std::exp(-share * share);
}

}  // namespace wormhole
