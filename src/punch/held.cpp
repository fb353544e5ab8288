#include "wormhole/punch/held.hpp"

#include "punch/fit.hpp"

namespace wormhole {

std::uint32_t mappings_taken(const PunchPlan& plan, const NatReport& local) {
  // A cone's sockets have the mapping that they need; an address-dependent NAT gives one for all
  // probes, and the main socket's is there already, or costs one.
  const bool each_probe = local.mapping == NatMapping::kAddressAndPortDependent;
  const auto probes = each_probe ? plan.probes.size() : 0;
  return is_symmetric(local) ? static_cast<std::uint32_t>(plan.sockets + probes) : 0;
}

void HeldMappings::add(std::uint32_t mappings, TimePoint now) {
  while (!taken_.empty() && taken_.front().until <= now) taken_.pop_front();
  if (mappings > 0) taken_.push_back({mappings, now + kLife});
}

std::uint32_t HeldMappings::at(TimePoint now) const {
  std::uint32_t held = 0;
  for (const auto& taken : taken_) held += taken.until > now ? taken.mappings : 0;
  return held;
}

}  // namespace wormhole
