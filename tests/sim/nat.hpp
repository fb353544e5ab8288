// A network address translator in the words of RFC 4787: mapping, filtering, port allocation.
#pragma once

#include <map>
#include <optional>
#include <set>

#include "wormhole/base/endpoint.hpp"
#include "wormhole/base/rng.hpp"
#include "wormhole/base/time.hpp"
#include "wormhole/wire/nat_report.hpp"

namespace wormhole::sim {

/// RFC 4787 4.1 (mapping) and 5 (filtering): what of the remote endpoint matters.
enum class Dependence : std::uint8_t {
  kEndpointIndependent,
  kAddressDependent,
  kAddressAndPortDependent
};

/// How a new mapping gets its external port (RFC 4787 4.2; block: RFC 6888 terminology, RFC 7422).
enum class Allocation : std::uint8_t {
  kPreserving,  ///< the internal port where it is free, else a random one
  kSequential,  ///< the last one plus `step`
  kRandom,
  kBlock  ///< random within the block that the internal host was given
};

/// What a check that is right says of it.
NatMapping as_mapping(Dependence dependence);
NatFiltering as_filtering(Dependence dependence);

struct NatProfile {
  Dependence mapping = Dependence::kEndpointIndependent;
  Dependence filtering = Dependence::kAddressAndPortDependent;
  Allocation allocation = Allocation::kRandom;
  std::uint16_t step = 1;
  std::uint16_t first_port = 1024;  ///< RFC 4787 REQ-3: not below
  std::uint16_t last_port = 65535;
  std::uint16_t block_size = 512;  ///< per internal host, for kBlock
  Duration timeout = 120s;         ///< RFC 4787 REQ-5: at least two minutes; many have 30 s
  bool refreshed_by_inbound = false;
  bool hairpin = false;  ///< inside to inside by external endpoints (RFC 4787 6)
};

class Nat {
 public:
  Nat(NatProfile profile, IpAddress external, Rng& rng);

  /// A datagram leaves: the source that the internet sees; nothing when no port is left.
  std::optional<Endpoint> outbound(const Endpoint& internal, const Endpoint& remote, TimePoint now);
  /// A datagram arrives for an external port: whom it is for; nothing when it is filtered.
  std::optional<Endpoint> inbound(const Endpoint& external, const Endpoint& remote, TimePoint now);

  /// As after a reboot: every mapping is forgotten, and none gets its old port back.
  void forget_mappings();
  /// A new public address, with all that entails.
  void set_external(const IpAddress& address);

  const IpAddress& external() const { return external_; }
  const NatProfile& profile() const { return profile_; }
  std::size_t live_mappings(TimePoint now) const;

 private:
  struct Key {
    Endpoint internal;
    Endpoint remote;  ///< as far as the mapping depends on it; the rest is zero
    auto operator<=>(const Key&) const = default;
  };
  struct Mapping {
    Key key;
    std::uint16_t port = 0;
    TimePoint used;
    std::set<Endpoint> contacted;  ///< as far as filtering depends on them
  };
  using Mappings = std::map<std::uint16_t, Mapping>;

  static Endpoint part_of(const Endpoint& remote, Dependence dependence);
  bool expired(const Mapping& mapping, TimePoint now) const;
  Mapping* find(const Key& key, TimePoint now);
  std::optional<std::uint16_t> allocate(const Endpoint& internal, TimePoint now);
  std::optional<std::uint16_t> sequential(TimePoint now);
  std::optional<std::uint16_t> random_in(std::uint16_t first, std::uint16_t last, TimePoint now);
  std::optional<std::uint16_t> in_block(const IpAddress& host, TimePoint now);
  bool is_free(std::uint16_t port, TimePoint now);

  NatProfile profile_;
  IpAddress external_;
  Rng& rng_;
  Mappings mappings_;  ///< by external port
  std::map<Key, std::uint16_t> ports_;
  std::set<std::uint16_t> avoided_;  ///< ports of before the reboot
  std::map<IpAddress, std::uint16_t> blocks_;
  std::uint16_t next_ = 0;
};

}  // namespace wormhole::sim
