// Paths that come back and paths that become others: what the library, which knows of neither, is
// made to do about it.
#include "stream/machine.hpp"

namespace wormhole {
namespace {

/// The library's timers that may be in front of the one that resends: acknowledgements, pacing and
/// losses of each packet number space. Twice as many as were seen.
constexpr unsigned kRetries = 16;
/// BBR believes in its least round trip for 10 s (draft-cardwell-iccrg-bbr-congestion-control-02,
/// 4.5.2).
constexpr Duration kForgetting = 12s;
/// New bytes wait that long at most for what was under way on the old path: six round trips of
/// 150 ms, since what is lost is sent, and perhaps lost, again.
constexpr Duration kPatience = 1s;
/// … and everything for the answer to the first packet on the new one: a round trip by satellite
/// is longer, and then the rate grows slowly.
constexpr Duration kHush = 250ms;

}  // namespace

// The library doubles its timer with each try and has no bound: after an outage of 30 s it may
// sleep for another 30. Its clock is moved to its next timer until the one that resends has run,
// which shows in what is in flight: probes add to it, losses take from it.
void StreamConnection::Machine::on_path_back() {
  retries_left_ = kRetries;
  retry_from_ = quic_.in_flight();
}

bool StreamConnection::Machine::retry_at_once(TimePoint now) {
  if (retries_left_ == 0) return false;
  if (quic_.in_flight() != retry_from_ || !quic_.skip_to_timer(now)) {
    retries_left_ = 0;
    return false;
  }
  --retries_left_;
  return true;
}

// There is no way to tell the library that its estimates are worthless but to let them grow old,
// and that only while nothing is in flight: what was away while its clock was moved seems to have
// been away for as long, and then a lost packet is missed for as long. So new bytes wait until what
// was under way is acknowledged, or lost and sent again.
void StreamConnection::Machine::on_path_change() {
  if (state() == StreamState::kUp) {  // before, nothing has been learnt
    // Paths that change all the time do not keep new bytes waiting for ever.
    const auto ends = change_ ? change_->ends : std::nullopt;
    change_ = PathChange{.ends = ends};
  }
  on_path_back();
}

void StreamConnection::Machine::follow_change(TimePoint now) {
  if (!change_) return;
  if (!change_->ends) change_->ends = now + kPatience;
  if (change_->hushed && (now >= change_->hush_ends || quic_.in_flight() < change_->hushed)) {
    change_->hushed = 0;
  }
  if (change_->hushed) return;
  quic_.say_idle(now);
  const bool empty = quic_.in_flight() == 0;
  if (!empty && now < *change_->ends) return;
  if (empty) quic_.grow_old(kForgetting);
  change_.reset();
}

// BBR of libngtcp2 1.11 takes a loss for its bound of what may be in flight, unless what was
// acknowledged after it had been sent when there was little to send; then it raises that bound by a
// packet each round trip. So one packet goes on the new path; its acknowledgement shows what the
// old one lost; and the rest is sent with say_idle().
void StreamConnection::Machine::hush_after_probe(std::uint64_t in_flight_before, TimePoint now) {
  if (!change_ || change_->probed || quic_.in_flight() <= in_flight_before) return;
  change_->probed = true;
  change_->hushed = quic_.in_flight();
  change_->hush_ends = now + kHush;
}

// Both ends may have probed and wait for each other. The listener's acknowledgement is the first;
// the caller's then is one for all that the listener has sent.
void StreamConnection::Machine::break_hush() {
  if (change_ && config_.role == StreamRole::kListener) change_->hushed = 0;
}

}  // namespace wormhole
