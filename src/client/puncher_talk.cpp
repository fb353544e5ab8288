// How two clients agree on a campaign: an offer, an answer with the other report, and both begin.
#include <algorithm>
#include <utility>

#include "client/puncher.hpp"

namespace wormhole {

void Puncher::begin(std::uint16_t slot, Target& target, TimePoint now, ClientOutbox& out) {
  const auto* peer = find_(slot);
  if (peer == nullptr || !peer->is_online() || !peer->has_session() || busy_beside(target) ||
      asks_beside(target)) {
    target.stage = Stage::kIdle;
    target.due = now + kBusy;
    return;
  }
  if (peer_waits(target, now)) return rest(target, now);
  const bool first = target.number == 0;
  ++target.number;
  ++target.tries;
  target.offers = 0;
  target.answering = false;
  if (first ? nat_.mapping_known : !needs_check(now)) return offer(slot, target, now, out);
  check_first(target, now);
}

void Puncher::check_first(Target& target, TimePoint now) {
  target.stage = Stage::kChecking;
  target.due = now + kCheckTime;
  wants_check_ = true;
}

void Puncher::on_nat(const NatFindings& findings, TimePoint now, ClientOutbox& out) {
  nat_ = findings;
  for (auto& [slot, target] : targets_) {
    target.judged = false;
    if (target.stage == Stage::kChecking && findings.mapping_known) {
      checked(slot, target, now, out);
    } else {
      consider(slot, target, now, out);
    }
  }
}

void Puncher::checked(std::uint16_t slot, Target& target, TimePoint now, ClientOutbox& out) {
  if (!target.answering) return offer(slot, target, now, out);
  if (!may_run(plan(target, now), target, now, out)) return wait(target, now);
  say(slot, target, PunchTalk::Stage::kGo, now, out);
  punch(slot, target, now, out);
}

void Puncher::offer(std::uint16_t slot, Target& target, TimePoint now, ClientOutbox& out) {
  ++target.offers;
  target.stage = Stage::kOffering;
  target.due = now + kOfferAgain;
  // The question goes first, so that the other end has the server's answer when the offer arrives.
  may_run(plan(target, now), target, now, out);
  say(slot, target, PunchTalk::Stage::kOffer, now, out);
}

void Puncher::say(std::uint16_t slot, const Target& target, PunchTalk::Stage stage, TimePoint now,
                  ClientOutbox& out) {
  if (auto* peer = find_(slot)) peer->send_talk({target.number, stage, own_report()}, now, out);
}

void Puncher::on_peer(std::uint16_t slot, TimePoint now, ClientOutbox& out) {
  auto* peer = find_(slot);
  const auto at = targets_.find(slot);
  if (peer == nullptr || at == targets_.end()) return;
  auto& target = at->second;
  for (const auto& action : peer->take_path_events()) on_path(slot, target, action, now, out);
  if (const auto talk = peer->take_talk()) on_talk(slot, target, *talk, now, out);
  if (target.stage == Stage::kOpening) consider(slot, target, now, out);
}

void Puncher::on_talk(std::uint16_t slot, Target& target, const PunchTalk& talk, TimePoint now,
                      ClientOutbox& out) {
  switch (talk.stage) {
    case PunchTalk::Stage::kOffer:
      return on_offer(slot, target, talk, now, out);
    case PunchTalk::Stage::kGo:
      if (target.stage != Stage::kOffering || talk.campaign != target.number) return;
      target.report = talk.report;
      return punch(slot, target, now, out);
    case PunchTalk::Stage::kStop:
      if (target.stage != Stage::kOffering || talk.campaign != target.number) return;
      target.tries -= target.tries > 0 ? 1 : 0;
      // Busy with another campaign, which has its turn now: ours comes after it.
      if (target.turn.ours && target.turn.state != Turn::State::kGranted) return wait(target, now);
      give_back(target, now, out);
      target.stage = Stage::kIdle;
      target.due = now + kBusy + 1ms * rng_.below(500);
  }
}

void Puncher::on_offer(std::uint16_t slot, Target& target, const PunchTalk& talk, TimePoint now,
                       ClientOutbox& out) {
  const bool again = talk.campaign == target.number;
  if (again && target.stage == Stage::kPunching) {  // our kGo was lost
    return say(slot, target, PunchTalk::Stage::kGo, now, out);
  }
  // Both offer: the lower number's campaign it is.
  if (target.stage == Stage::kOffering && hop_.number() < target.address.number) return;
  if (target.stage == Stage::kPunching || talk.campaign < target.number) return;
  if (!target.address.p2p || busy_beside(target)) {
    if (auto* peer = find_(slot)) {
      peer->send_talk({talk.campaign, PunchTalk::Stage::kStop, {}}, now, out);
    }
    return;
  }
  target.number = talk.campaign;
  target.report = talk.report;
  target.answering = true;
  if (!needs_check(now)) return checked(slot, target, now, out);
  check_first(target, now);
}

}  // namespace wormhole
