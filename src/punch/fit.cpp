#include "punch/fit.hpp"

#include <algorithm>

#include "punch/ports.hpp"
#include "wormhole/punch/plan.hpp"

namespace wormhole {
namespace {

/// Every so many campaigns one relies on the report's mapping alone.
constexpr std::uint32_t kDoubtful = 3;

bool is_reachable(const NatReport& report) {
  return report.mapping == NatMapping::kNone &&
         report.filtering == NatFiltering::kEndpointIndependent;
}

/// The cone end lets the symmetric one in from whatever port it comes, once it has sent anything to
/// its address (or even without that).
bool lets_in(const NatReport& cone, const NatReport& symmetric) {
  if (cone.filtering == NatFiltering::kEndpointIndependent) return true;
  return cone.filtering == NatFiltering::kAddressDependent && !symmetric.address_varies;
}

std::vector<Strategy> fitting_symmetric_pair(const NatReport& a, const NatReport& b) {
  if (a.address_varies || b.address_varies) return {};
  if (is_predictable(a) && is_predictable(b)) return {Strategy::kSequential};
  const bool a_small = has_small_range(a);
  const bool b_small = has_small_range(b);
  if ((a_small && (b_small || is_predictable(b))) || (b_small && is_predictable(a))) {
    return {Strategy::kRangePair};
  }
  return {};
}

std::vector<Strategy> fitting_mixed_pair(const NatReport& cone, const NatReport& symmetric,
                                         std::uint32_t campaign) {
  if (campaign == 0) return {Strategy::kCone};
  std::vector<Strategy> found;
  if (lets_in(cone, symmetric)) found.push_back(Strategy::kCone);
  if (symmetric.address_varies) return found;
  if (is_predictable(symmetric)) found.push_back(Strategy::kSequential);
  if (symmetric.allocation == PortAllocation::kRange && seen_range(symmetric)) {
    found.push_back(Strategy::kRange);
  }
  found.push_back(Strategy::kBirthday);
  // Two campaigns without success: the check may have been wrong, and luck asks for nothing.
  if (campaign % kDoubtful == 0) std::rotate(found.begin(), found.end() - 1, found.end());
  return found;
}

/// "this client's NAT" or "the peer's NAT", whichever is the one that `is` says.
std::string whose(const NatReport& local, bool (*is)(const NatReport&)) {
  return is(local) ? "this client's NAT" : "the peer's NAT";
}

bool varies(const NatReport& report) { return is_symmetric(report) && report.address_varies; }

std::string why_no_strategy(const NatReport& local, const NatReport& remote) {
  if (varies(local) || varies(remote)) {
    return whose(local, varies) +
           " changes its public address from one connection to the next, so no port of it can be "
           "predicted";
  }
  if (is_predictable(local) || is_predictable(remote)) {
    return whose(local, is_predictable) +
           " takes a new port for each destination, and the other NAT allocates random ports: a "
           "guess can't meet both";
  }
  if (has_small_range(local) != has_small_range(remote)) {
    return "both NATs allocate random ports, and only " + whose(local, has_small_range) +
           " within a small range";
  }
  return "both NATs allocate random ports: neither end can tell where the other one will be";
}

}  // namespace

bool is_symmetric(const NatReport& report) {
  return report.mapping == NatMapping::kAddressDependent ||
         report.mapping == NatMapping::kAddressAndPortDependent;
}

bool is_predictable(const NatReport& report) {
  return report.allocation == PortAllocation::kSequential && report.step != 0 && report.newest != 0;
}

bool has_small_range(const NatReport& report) {
  if (report.allocation != PortAllocation::kRange) return false;
  const auto seen = seen_range(report);
  return seen && seen->size() > 1 && likely_block(*seen).size() <= kMostRange;
}

std::vector<Strategy> fitting(const NatReport& local, const NatReport& remote,
                              std::uint32_t campaign) {
  if (is_reachable(local) || is_reachable(remote)) return {Strategy::kDirect, Strategy::kCone};
  const bool local_symmetric = is_symmetric(local);
  const bool remote_symmetric = is_symmetric(remote);
  if (local_symmetric && remote_symmetric) return fitting_symmetric_pair(local, remote);
  if (local_symmetric) return fitting_mixed_pair(remote, local, campaign);
  if (remote_symmetric) return fitting_mixed_pair(local, remote, campaign);
  return {Strategy::kCone};
}

std::string why_relay(const NatReport& local, const NatReport& remote,
                      const PunchSettings& settings, const std::vector<Strategy>& fitting) {
  if (fitting.empty()) return why_no_strategy(local, remote);
  const std::string best(words(fitting.front()));
  if (settings.forced == 0) {
    return "routes.yaml forbids the strategy that fits these NATs (" + best + ")";
  }
  const std::string forced(words(static_cast<Strategy>(settings.forced)));
  return "routes.yaml forces the strategy " + forced + ", which does not fit these NATs (" + best +
         " does)";
}

}  // namespace wormhole
