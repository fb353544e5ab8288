// Finds out how the NAT in front of this client behaves, from what the server sees of probes sent
// by several sockets to several of its addresses and ports (RFC 4787's words, RFC 5780's method).
//
//   idle ──start──► mapping (one round trip) ──► known ──► filtering, hairpin (timeouts) ──► done
//                                                 └── lifetime goes on slowly in the background
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "wormhole/base/rng.hpp"
#include "wormhole/base/time.hpp"
#include "wormhole/wire/control.hpp"
#include "wormhole/wire/nat_report.hpp"

namespace wormhole {

/// A probe to be sealed (kFlagProbe) and sent.
struct ProbeSend {
  SocketNo socket;
  Endpoint to;
  Probe probe;
};

/// Everything that a check has found out, for people.
struct NatFindings {
  NatReport report;
  bool mapping_known = false;  ///< report.mapping, allocation and what belongs to it
  bool complete = false;       ///< filtering and hairpin as well
  bool udp_passes = false;
  bool one_address = false;  ///< the server has one address: address-dependence can't be told
  std::optional<bool> hairpin;
  std::optional<Duration> lifetime;  ///< a mapping stands at least so long without traffic
  bool lifetime_is_limit = false;    ///< … and no longer than about that
  TimePoint checked_at{};
};

class NatCheck {
 public:
  explicit NatCheck(Rng& rng) : rng_(rng) {}

  /// Begins a check (anew). `servers`: the server's addresses, the one in use first, each with its
  /// shared port; `probe_port` as in RESP. `local`: this host's own addresses, for "no NAT".
  void start(const std::vector<Endpoint>& servers, std::uint16_t probe_port,
             const std::vector<IpAddress>& local, TimePoint now);
  /// An authentic answer that arrived at `socket`.
  void on_answer(SocketNo socket, const ProbeAnswer& answer, const Endpoint& from, TimePoint now);
  void on_timeout(TimePoint now, std::vector<ProbeSend>& sends);
  TimePoint next_deadline() const;

  const NatFindings& findings() const { return findings_; }
  bool is_running() const;

 private:
  Rng& rng_;
  NatFindings findings_;
};

}  // namespace wormhole
