#include "sim/nat.hpp"

namespace wormhole::sim {

NatMapping as_mapping(Dependence dependence) {
  switch (dependence) {
    case Dependence::kEndpointIndependent:
      return NatMapping::kEndpointIndependent;
    case Dependence::kAddressDependent:
      return NatMapping::kAddressDependent;
    case Dependence::kAddressAndPortDependent:
      return NatMapping::kAddressAndPortDependent;
  }
  return NatMapping::kUnknown;
}

NatFiltering as_filtering(Dependence dependence) {
  switch (dependence) {
    case Dependence::kEndpointIndependent:
      return NatFiltering::kEndpointIndependent;
    case Dependence::kAddressDependent:
      return NatFiltering::kAddressDependent;
    case Dependence::kAddressAndPortDependent:
      return NatFiltering::kAddressAndPortDependent;
  }
  return NatFiltering::kUnknown;
}

Nat::Nat(NatProfile profile, IpAddress external, Rng& rng)
    : profile_(profile), external_(external), rng_(rng), next_(profile.first_port) {
  if (profile_.allocation == Allocation::kSequential) {
    // Somewhere in the first half: the steps stay predictable for a while before they wrap.
    next_ = static_cast<std::uint16_t>(
        profile_.first_port +
        rng_.below(static_cast<std::uint32_t>(profile_.last_port - profile_.first_port) / 2 + 1));
  }
}

Endpoint Nat::part_of(const Endpoint& remote, Dependence dependence) {
  switch (dependence) {
    case Dependence::kEndpointIndependent:
      return {};
    case Dependence::kAddressDependent:
      return {remote.address, 0};
    case Dependence::kAddressAndPortDependent:
      return remote;
  }
  return {};
}

bool Nat::expired(const Mapping& mapping, TimePoint now) const {
  return now - mapping.used > profile_.timeout;
}

Nat::Mapping* Nat::find(const Key& key, TimePoint now) {
  const auto port = ports_.find(key);
  if (port == ports_.end()) return nullptr;
  const auto mapping = mappings_.find(port->second);
  if (!expired(mapping->second, now)) return &mapping->second;
  mappings_.erase(mapping);
  ports_.erase(port);
  return nullptr;
}

bool Nat::is_free(std::uint16_t port, TimePoint now) {
  if (avoided_.contains(port)) return false;
  const auto taken = mappings_.find(port);
  if (taken == mappings_.end()) return true;
  if (!expired(taken->second, now)) return false;
  ports_.erase(taken->second.key);
  mappings_.erase(taken);
  return true;
}

std::optional<std::uint16_t> Nat::random_in(std::uint16_t first, std::uint16_t last,
                                            TimePoint now) {
  const auto size = static_cast<std::uint32_t>(last - first) + 1;
  const auto start = rng_.below(size);
  for (std::uint32_t i = 0; i < size; ++i) {
    const auto port = static_cast<std::uint16_t>(first + (start + i) % size);
    if (is_free(port, now)) return port;
  }
  return std::nullopt;
}

std::optional<std::uint16_t> Nat::sequential(TimePoint now) {
  const auto range = static_cast<std::uint32_t>(profile_.last_port - profile_.first_port) + 1;
  for (std::uint32_t i = 0; i < range; ++i) {
    const auto port = next_;
    const auto offset = static_cast<std::uint32_t>(port - profile_.first_port);
    next_ = static_cast<std::uint16_t>(profile_.first_port + (offset + profile_.step) % range);
    if (is_free(port, now)) return port;
  }
  return std::nullopt;
}

std::optional<std::uint16_t> Nat::in_block(const IpAddress& host, TimePoint now) {
  const auto blocks = static_cast<std::uint32_t>(profile_.last_port - profile_.first_port + 1) /
                      profile_.block_size;
  if (!blocks_.contains(host)) {
    if (blocks_.size() == blocks) return std::nullopt;
    std::set<std::uint16_t> taken;
    for (const auto& [other, block] : blocks_) taken.insert(block);
    auto block = static_cast<std::uint16_t>(rng_.below(blocks));
    while (taken.contains(block)) block = static_cast<std::uint16_t>((block + 1U) % blocks);
    blocks_[host] = block;
  }
  const auto first = static_cast<std::uint32_t>(profile_.first_port) +
                     static_cast<std::uint32_t>(blocks_[host]) * profile_.block_size;
  return random_in(static_cast<std::uint16_t>(first),
                   static_cast<std::uint16_t>(first + profile_.block_size - 1U), now);
}

std::optional<std::uint16_t> Nat::allocate(const Endpoint& internal, TimePoint now) {
  switch (profile_.allocation) {
    case Allocation::kPreserving:
      if (internal.port >= profile_.first_port && internal.port <= profile_.last_port &&
          is_free(internal.port, now)) {
        return internal.port;
      }
      return random_in(profile_.first_port, profile_.last_port, now);
    case Allocation::kSequential:
      return sequential(now);
    case Allocation::kRandom:
      return random_in(profile_.first_port, profile_.last_port, now);
    case Allocation::kBlock:
      return in_block(internal.address, now);
  }
  return std::nullopt;
}

std::optional<Endpoint> Nat::outbound(const Endpoint& internal, const Endpoint& remote,
                                      TimePoint now) {
  const Key key{internal, part_of(remote, profile_.mapping)};
  auto* mapping = find(key, now);
  if (mapping == nullptr) {
    const auto port = allocate(internal, now);
    if (!port) return std::nullopt;
    ports_[key] = *port;
    mapping = &(mappings_[*port] = {key, *port, now, {}});
  }
  mapping->used = now;
  mapping->contacted.insert(part_of(remote, profile_.filtering));
  return Endpoint{external_, mapping->port};
}

std::optional<Endpoint> Nat::inbound(const Endpoint& external, const Endpoint& remote,
                                     TimePoint now) {
  const auto found = mappings_.find(external.port);
  if (external.address != external_ || found == mappings_.end()) return std::nullopt;
  auto& mapping = found->second;
  if (expired(mapping, now)) return std::nullopt;
  if (!mapping.contacted.contains(part_of(remote, profile_.filtering))) return std::nullopt;
  if (profile_.refreshed_by_inbound) mapping.used = now;
  return mapping.key.internal;
}

void Nat::forget_mappings() {
  avoided_.clear();
  for (const auto& [port, mapping] : mappings_) avoided_.insert(port);
  mappings_.clear();
  ports_.clear();
  blocks_.clear();
}

void Nat::set_external(const IpAddress& address) {
  forget_mappings();
  external_ = address;
}

std::size_t Nat::live_mappings(TimePoint now) const {
  std::size_t live = 0;
  for (const auto& [port, mapping] : mappings_) live += expired(mapping, now) ? 0 : 1;
  return live;
}

}  // namespace wormhole::sim
