// Finds out how the NAT in front of this client behaves, from what the server sees of probes sent
// by several sockets to several of its addresses and ports (RFC 4787's words, RFC 5780's method).
//
//   idle ──start──► mapping (one round trip) ──► filtering, hairpin (timeouts) ──► done
//                                                 └── lifetime goes on slowly in the background
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "wormhole/base/rng.hpp"
#include "wormhole/base/time.hpp"
#include "wormhole/wire/control.hpp"
#include "wormhole/wire/nat_report.hpp"
#include "wormhole/wire/opener.hpp"

namespace wormhole {

/// A probe to be sealed (kFlagProbe) and sent.
struct ProbeSend {
  SocketNo socket;
  Endpoint to;
  Probe probe;
};
/// An opener to ourselves, to be sent as it is: does the NAT let insiders meet (RFC 4787, 6)?
struct HairpinSend {
  SocketNo socket;
  Endpoint to;
  std::array<std::uint8_t, kOpenerSize> bytes;
};
/// What a check wants done. Nothing is sent by a socket that the same list closes.
struct NatActions {
  std::vector<SocketNo> close;
  std::vector<ProbeSend> probes;
  std::vector<HairpinSend> hairpins;
};

/// Where a check is made.
struct NatSite {
  std::vector<Endpoint> servers;  ///< the one in use first, each with the shared port
  std::uint16_t probe_port = 0;   ///< as in RESP
  ClientNo self;
  std::vector<IpAddress> local;  ///< this host's own addresses, for "no NAT"
  std::uint16_t local_port = 0;  ///< of the main IPv4 socket, for "preserving"; 0: not known
  Duration rtt{};                ///< to the server in use
};

/// Everything that a check has found out, for people.
struct NatFindings {
  NatReport report;            ///< of the last check that came so far
  bool mapping_known = false;  ///< report.mapping, allocation and what belongs to it
  bool complete = false;       ///< filtering and hairpin as well
  bool udp_passes = false;
  bool one_address = false;  ///< only one of the server's answers: address-dependence can't be told
  std::optional<bool> hairpin;
  std::optional<Duration> lifetime;  ///< a mapping stands at least so long without traffic
  bool lifetime_is_limit = false;    ///< … and no longer than about twice that
  TimePoint checked_at{};
};

/// IPv4 only, as NATs are: a server without an IPv4 address lets nothing be found out.
class NatCheck {
 public:
  /// Each opens one mapping: with the main socket's four probes there are eleven new mappings at
  /// most, and eight where the mapping is endpoint-independent.
  static constexpr std::uint16_t kExtras = 7;
  /// Two turns of extra sockets, so that a new check never meets a mapping of the one before.
  static constexpr SocketNo kFirstExtra = kFirstExtraSocket;
  static constexpr SocketNo kLateSocket{0x10e};
  static constexpr SocketNo kLifetimeSocket{0x10f};
  /// The first retransmission; RFC 8489 (6.2.1) has 500 ms, but the round trip is known here.
  static constexpr Duration kRetry = 200ms;
  /// 0.2 % of all probes stay without an answer at 10 % loss each way.
  static constexpr unsigned kTries = 4;
  /// 0.7 % of what would pass is taken for filtered at 10 % loss each way.
  static constexpr unsigned kFilterTries = 3;
  /// Long enough for a few mappings of others, soon enough for the first campaign's end.
  static constexpr Duration kLateAfter = 200ms;
  /// The shortest lifetimes seen in the field are 10 to 20 s; RFC 4787 (REQ-5) wants 120 s.
  static constexpr std::array<std::uint16_t, 5> kLifetimes{15, 30, 60, 120, 240};
  static constexpr Duration kLifetimeGrace = 3s;
  /// What is missing once may have been lost.
  static constexpr unsigned kLifetimeMisses = 2;

  explicit NatCheck(Rng& rng) : rng_(rng) {}

  /// Begins a check (anew); what is to be sent comes by on_timeout(now). The lifetime goes on being
  /// measured unless the public address turns out to be another one.
  void start(const NatSite& site, TimePoint now);
  /// An authentic answer that arrived at `socket`.
  void on_answer(SocketNo socket, const ProbeAnswer& answer, TimePoint now);
  /// Whether this was our own opener, back by the NAT.
  bool on_opener(Bytes datagram);
  void on_timeout(TimePoint now, NatActions& actions);
  TimePoint next_deadline() const;

  const NatFindings& findings() const { return findings_; }
  bool is_running() const { return phase_ == Phase::kMapping || phase_ == Phase::kFiltering; }

 private:
  enum class Phase : std::uint8_t { kIdle, kMapping, kFiltering, kDone };
  /// One question to the server, until it is answered or given up.
  struct Ask {
    SocketNo socket;
    Endpoint to;
    Probe probe;
    unsigned tries = 0;
    TimePoint next = kNever;  ///< when it is sent (again), or given up
    std::optional<Endpoint> seen;
    bool first_try = false;  ///< answered before it was repeated: its place in order is known
    bool is_over() const { return seen.has_value() || next == kNever; }
  };

  Ask ask(SocketNo socket, const Endpoint& to, ProbeFrom from, TimePoint when);
  void ask_main(const NatSite& site, TimePoint now);
  /// Sends what is due; `tries`: how often.
  void repeat(Ask& ask, unsigned tries, TimePoint now, NatActions& actions);
  SocketNo extra(std::uint16_t i) const {
    return SocketNo{static_cast<std::uint16_t>(kFirstExtra.value + turn_ * kExtras + i)};
  }
  void settle_mapping(TimePoint now);
  std::array<std::optional<Endpoint>, 4> seen_of_main() const;
  void classify();
  void start_filtering(TimePoint now);
  void settle_filtering(TimePoint now);
  void settle_late();
  void send_hairpins(TimePoint now, NatActions& actions);
  void start_lifetime(TimePoint now);
  void tend_lifetime(TimePoint now, NatActions& actions);
  void ask_lifetime(std::uint16_t delay_s, TimePoint now);
  void end_lifetime(bool is_limit);

  Rng& rng_;
  NatFindings findings_;
  Phase phase_ = Phase::kIdle;
  NatSite site_;
  Duration retry_ = kRetry;
  std::uint16_t turn_ = 0;
  TimePoint started_at_{};
  std::array<std::optional<Ask>, 4> main_;  // bit 0: other port, bit 1: other address
  std::vector<Ask> extras_;                 // in the order of sending
  std::optional<Ask> other_port_;
  std::optional<Ask> other_address_;
  std::optional<Ask> late_;
  std::vector<SocketNo> to_close_;
  std::uint64_t hairpin_nonce_ = 0;
  ProbeKey hairpin_key_{};
  unsigned hairpin_tries_ = 0;
  TimePoint next_hairpin_ = kNever;
  Endpoint hairpin_from_;  // the extra socket's mapping
  std::optional<Ask> lifetime_;
  std::optional<IpAddress> lifetime_address_;
  std::size_t lifetime_step_ = 0;
  unsigned lifetime_misses_ = 0;
};

}  // namespace wormhole
