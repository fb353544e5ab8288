// Turns to punch: clients behind one public address must not fill its NAT together, and only the
// server sees them all.
#include <utility>

#include "client/puncher.hpp"

namespace wormhole {

/// A campaign with sockets of its own or more probes than a volley takes many mappings.
bool Puncher::is_heavy(const PunchPlan& plan) {
  constexpr std::size_t kLightProbes = 16;
  return plan.sockets > 0 || plan.probes.size() > kLightProbes;
}

/// Asks the server where leave is missing.
bool Puncher::may_run(const PunchPlan& intent, Target& target, TimePoint now, ClientOutbox& out) {
  if (!is_heavy(intent)) return true;
  auto& turn = target.turn;
  if (turn.state == Turn::State::kGranted) {
    if (now - turn.heard <= kTurnStart) return true;
    give_back(target, now, out);
  }
  const bool forgotten =
      turn.state == Turn::State::kWaiting && !turn.ours && !peer_waits(target, now);
  if (turn.state != Turn::State::kNone && !forgotten) return false;
  turn = {Turn::State::kAsked, true, 0, now};
  hop_.send_message(CampaignAsk{target.address.number, true, 0}, now, out);
  return false;
}

/// The peer stands in the queue for both, and will offer. Its questions come again every 5 s.
bool Puncher::peer_waits(const Target& target, TimePoint now) {
  const auto& turn = target.turn;
  return turn.state == Turn::State::kWaiting && !turn.ours && now - turn.heard < 3 * kAskAgain;
}

void Puncher::give_back(Target& target, TimePoint now, ClientOutbox& out) {
  const auto turn = std::exchange(target.turn, {});
  const bool has_it = turn.state == Turn::State::kGranted;
  if (!turn.ours && !has_it) return;  // the peer's place in the queue is the peer's
  const bool unanswered = turn.number == 0 && now - turn.heard < kAnswerTime;
  target.given_back = {turn.number, unanswered, now};
  hop_.send_message(CampaignAsk{target.address.number, false, turn.number}, now, out);
}

/// A word about the peer's question that is taken for one costs a question of our own, no more.
bool Puncher::is_stale(GivenBack& old, const CampaignTurn& message, TimePoint now) {
  if (now - old.at >= kAnswerTime) return false;
  return std::exchange(old.unanswered, false) || (message.turn != 0 && message.turn == old.number);
}

void Puncher::wait(Target& target, TimePoint now) {
  target.stage = Stage::kWaiting;
  target.due = now + kAskAgain;
}

void Puncher::on_turn(std::uint16_t slot, const CampaignTurn& message, TimePoint now,
                      ClientOutbox& out) {
  const auto at = targets_.find(slot);
  if (at == targets_.end()) return;
  auto& target = at->second;
  if (is_stale(target.given_back, message, now)) return;
  auto& turn = target.turn;
  turn.number = message.turn;
  turn.heard = now;
  switch (message.answer) {
    case CampaignTurn::Answer::kGranted:
      if (turn.state == Turn::State::kWaiting) target.status.reason = kTrying;
      turn.state = Turn::State::kGranted;
      if (target.stage == Stage::kDirect) return give_back(target, now, out);
      if (target.stage == Stage::kWaiting) resume(slot, target, now, out);
      return;
    case CampaignTurn::Answer::kBusyHere:
    case CampaignTurn::Answer::kBusyThere: {
      turn.state = Turn::State::kWaiting;
      if (target.stage == Stage::kDirect) return give_back(target, now, out);
      const bool here = message.answer == CampaignTurn::Answer::kBusyHere;
      const auto mapped = here ? own_report().mapped : target.report.mapped;
      target.status.reason =
          "waits: another client behind " + mapped.address.to_string() + " is punching";
      if (target.stage == Stage::kOffering) wait(target, now);
      return;
    }
    case CampaignTurn::Answer::kRefused:
      turn = {};
      if (target.stage != Stage::kOffering && target.stage != Stage::kWaiting) return;
      target.status.reason = "the server has no turn to punch for it; it is asked again";
      target.stage = Stage::kIdle;
      target.due = now + kAskAgain;
      return;
  }
}

/// Its turn has come. What was known of our NAT may be old by now.
void Puncher::resume(std::uint16_t slot, Target& target, TimePoint now, ClientOutbox& out) {
  target.offers = 0;
  if (!needs_check(now)) return checked(slot, target, now, out);
  check_first(target, now);
}

void Puncher::wait_on(std::uint16_t slot, Target& target, TimePoint now, ClientOutbox& out) {
  const auto* peer = find_(slot);
  if (peer == nullptr || !peer->is_online() || !target.turn.ours) {
    if (target.turn.ours) give_back(target, now, out);
    return rest(target, now);
  }
  hop_.send_message(CampaignAsk{target.address.number, true, 0}, now, out);
  wait(target, now);
}

}  // namespace wormhole
