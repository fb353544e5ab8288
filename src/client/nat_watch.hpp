// Keeps what is known of the NAT in front of this client up to date: when it is checked, and who is
// told.
#pragma once

#include <utility>

#include "wormhole/client/client.hpp"
#include "wormhole/hop/hop_link.hpp"
#include "wormhole/nat/nat_check.hpp"

namespace wormhole {

class NatWatch {
 public:
  /// Between two checks that nobody has asked for: a NAT that gives the hop another port all the
  /// time must not have the client check all the time.
  static constexpr Duration kPause = 5s;

  explicit NatWatch(Rng& rng) : check_(rng) {}

  /// Starts a check when the server, its process or ours is new.
  void on_connected(const HopConnected& event, HopLink& hop, TimePoint now, ClientOutbox& out);
  /// Whether it has.
  bool on_network_change(LocalNetwork local, HopLink& hop, TimePoint now, ClientOutbox& out);
  /// Checks anew, as before a later campaign. False without a server.
  bool check(HopLink& hop, TimePoint now, ClientOutbox& out);
  bool is_checking() const { return check_.is_running(); }
  void on_answer(const HopProbeAnswered& event, HopLink& hop, TimePoint now, ClientOutbox& out);
  /// Whether it was our own opener, to see whether the NAT hairpins.
  bool on_opener(Bytes datagram) { return check_.on_opener(datagram); }
  void on_timeout(HopLink& hop, TimePoint now, ClientOutbox& out);
  TimePoint next_deadline() const { return check_.next_deadline(); }

  const NatFindings& findings() const { return check_.findings(); }
  /// Whether something has been found out since the last time that this was asked.
  bool take_news() { return std::exchange(news_, false); }

 private:
  void act(HopLink& hop, TimePoint now, ClientOutbox& out);

  NatCheck check_;
  LocalNetwork local_;
  Endpoint server_;                   // that the last check was made with
  std::optional<Endpoint> observed_;  // by the server, after the last check
  TimePoint started_at_ = TimePoint::min();
  NatReport told_;        // to the server
  TimePoint known_at_{};  // when what was news last was found out
  bool was_complete_ = false;
  bool news_ = false;
};

}  // namespace wormhole
