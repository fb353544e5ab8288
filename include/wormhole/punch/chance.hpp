// The arithmetic of meeting a mapping by chance.
#pragma once

#include <cstdint>

namespace wormhole {

/// Probability that one of `probes` distinct ports, of `ports` in all, is one of `open`:
/// 1 − C(ports − open, probes) / C(ports, probes).
double chance_distinct(std::uint32_t ports, std::uint32_t open, std::uint32_t probes);
/// Probability that two ends that both draw at random, `mappings` each, meet once:
/// 1 − exp(−mappings² / ports²).
double chance_pair(std::uint32_t ports, std::uint32_t mappings);

}  // namespace wormhole
