// Which strategies suit a pair of NATs, and why none does.
#pragma once

#include <string>
#include <vector>

#include "wormhole/wire/messages.hpp"
#include "wormhole/wire/nat_report.hpp"

namespace wormhole {

/// Each mapping is for one destination (RFC 4787, 4.1: address-dependent, or address and
/// port-dependent), so nobody else can use the one that the server sees.
bool is_symmetric(const NatReport& report);
/// Its next ports can be computed.
bool is_predictable(const NatReport& report);
/// It draws within a known range of kMostRange ports at most.
bool has_small_range(const NatReport& report);

/// The strategies that can work for this pair, the best one first; the same at both ends.
std::vector<Strategy> fitting(const NatReport& local, const NatReport& remote,
                              std::uint32_t campaign);
/// Why none of `fitting` is used: one sentence for people.
std::string why_relay(const NatReport& local, const NatReport& remote,
                      const PunchSettings& settings, const std::vector<Strategy>& fitting);

}  // namespace wormhole
