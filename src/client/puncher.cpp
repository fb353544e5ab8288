#include "client/puncher.hpp"

#include <algorithm>
#include <utility>

namespace wormhole {
namespace {

constexpr std::uint16_t kSocketSpan = 0x7000;
/// Strategies that the volley and the challenges to the mapped endpoint carry out already.
bool is_plain(Strategy strategy) {
  return strategy == Strategy::kDirect || strategy == Strategy::kCone;
}

}  // namespace

void Puncher::set_settings(const PunchSettings& settings) { settings_ = settings; }

void Puncher::set_address(std::uint16_t slot, const PeerAddress& address, bool lead, TimePoint now,
                          ClientOutbox& out) {
  auto* peer = find_(slot);
  if (peer == nullptr) return;
  auto& target = targets_[slot];
  // Another key is another process of the peer's, or of the server's.
  const bool first = target.known == TimePoint{} || target.address.probe_key != address.probe_key;
  const bool moved = target.address.report.mapped != address.report.mapped;
  target.address = address;
  target.report = address.report;
  target.judged = false;
  peer->set_address(address, now, out);
  on_peer(slot, now, out);
  if (!address.p2p) {
    end_campaign(slot, target, now, out);
    target.stage = Stage::kIdle;
    target.due = kNever;
    target.status.reason = "routes.yaml keeps it on the relay (p2p: off)";
    return;
  }
  if (first) target.lead = lead;
  if (first && target.stage != Stage::kDirect) target.known = now;
  if (first || moved) {
    open(slot, target, now, out);
  } else {
    consider(slot, target, now, out);
  }
}

void Puncher::remove(std::uint16_t slot, TimePoint now, ClientOutbox& out) {
  const auto at = targets_.find(slot);
  if (at == targets_.end()) return;
  end_campaign(slot, at->second, now, out);
  targets_.erase(at);
}

/// The peer may be at its mapped endpoint: openers now, challenges as soon as there is a session.
void Puncher::open(std::uint16_t slot, Target& target, TimePoint now, ClientOutbox& out) {
  auto* peer = find_(slot);
  if (peer == nullptr || !target.address.p2p) return;
  const auto& mapped = target.report.mapped;
  if (peer->may_be_at(mapped)) peer->try_path({SocketNo{0}, mapped}, Strategy::kCone, now, out);
  target.volley = 0;
  target.volley_from = now;
  if (target.stage == Stage::kDirect) return;  // the volley alone, for a peer that has moved
  end_campaign(slot, target, now, out);
  target.stage = Stage::kOpening;
  target.status.reason = kTrying;
  target.due = now + kOpeningTime + (target.lead ? 0s : kPatience);
  send_volley(slot, target, now, out);
  consider(slot, target, now, out);
}

void Puncher::send_volley(std::uint16_t slot, Target& target, TimePoint now, ClientOutbox& out) {
  const auto* peer = find_(slot);
  while (target.volley < kVolley.size() && now >= target.volley_from + kVolley[target.volley]) {
    ++target.volley;
    if (peer == nullptr || !peer->may_be_at(target.report.mapped)) continue;
    send_opener(target, SocketNo{0}, target.report.mapped, 0, out);
  }
}

void Puncher::send_opener(const Target& target, SocketNo socket, const Endpoint& to,
                          std::uint8_t ttl, Outbox& out) {
  const auto bytes = encode(
      Opener{hop_.number(), target.address.number, target.number, rng_.number<std::uint64_t>()},
      target.address.probe_key);
  const auto room = out.reserve(bytes.size());
  if (room.empty()) return;
  copy_bytes(bytes, room);
  out.net(socket, to, room, ttl);
}

void Puncher::on_opener(std::uint16_t slot, SocketNo socket, const NetDatagram& datagram,
                        TimePoint now, ClientOutbox& out) {
  const auto at = targets_.find(slot);
  auto* peer = find_(slot);
  if (at == targets_.end() || peer == nullptr || !at->second.address.p2p) return;
  auto& target = at->second;
  if (!check_opener(datagram.bytes, target.address.probe_key)) {
    ++drops_.forged_opener;
    return;
  }
  peer->try_path({socket, datagram.from}, strategy(target), now, out);
  on_peer(slot, now, out);
}

/// What opens a path to it now.
Strategy Puncher::strategy(const Target& target) const {
  if (target.campaign) return target.campaign->plan().strategy;
  const bool reachable =
      nat_.report.mapping == NatMapping::kNone || target.report.mapping == NatMapping::kNone;
  return reachable ? Strategy::kDirect : Strategy::kCone;
}

NatReport Puncher::own_report() const {
  auto report = nat_.report;
  if (!report.mapped.is_set() && hop_.observed()) report.mapped = *hop_.observed();
  return report;
}

/// Two clients behind one NAT reach each other's public ports only if it sends packets back inside.
bool Puncher::is_shut_in_with(const Target& target) const {
  const auto own = own_report();
  return nat_.hairpin == false && own.mapping != NatMapping::kNone && own.mapped.is_set() &&
         own.mapped.address == target.report.mapped.address;
}

PunchPlan Puncher::plan(const Target& target, TimePoint now) {
  if (is_shut_in_with(target)) {
    return {.reason = "both clients are behind the NAT at " +
                      target.report.mapped.address.to_string() +
                      ", which does not send packets back inside (no hairpinning)"};
  }
  const auto standing = HeldMappings::kStanding + static_cast<std::uint32_t>(targets_.size());
  return plan_punch(own_report(), target.report, std::max(target.number, 1U), settings_, rng_,
                    standing + held_.at(now));
}

bool Puncher::needs_check(TimePoint now) const {
  const bool old = !nat_.mapping_known || now - nat_.checked_at > kFresh;
  return old || nat_.report.allocation == PortAllocation::kSequential;
}

bool Puncher::busy_beside(const Target& target) const {
  return std::any_of(targets_.begin(), targets_.end(), [&](const auto& item) {
    const auto& other = item.second;
    return &other != &target && other.campaign && is_heavy(other.campaign->plan());
  });
}

/// The server answers one question of ours at a time.
bool Puncher::asks_beside(const Target& target) const {
  return std::any_of(targets_.begin(), targets_.end(), [&](const auto& item) {
    const auto& turn = item.second.turn;
    return &item.second != &target && turn.ours && turn.state != Turn::State::kNone;
  });
}

/// Where both NATs are known already, there is nothing to wait for.
void Puncher::consider(std::uint16_t slot, Target& target, TimePoint now, ClientOutbox& out) {
  const auto* peer = find_(slot);
  const bool waits = target.stage == Stage::kOpening || target.stage == Stage::kIdle;
  if (!waits || peer == nullptr || !target.address.p2p || !nat_.mapping_known) return;
  if (target.report.mapping == NatMapping::kUnknown) return;
  const bool may_begin =
      target.stage == Stage::kOpening && target.tries == 0 && target.lead && peer->has_session();
  if (std::exchange(target.judged, true) && !may_begin) return;
  const auto intent = plan(target, now);
  if (intent.strategy == Strategy::kRelay) {
    target.status.reason = intent.reason;
  } else if (may_begin && !is_plain(intent.strategy)) {
    begin(slot, target, now, out);
  }
}

void Puncher::punch(std::uint16_t slot, Target& target, TimePoint now, ClientOutbox& out) {
  auto* peer = find_(slot);
  auto intent = plan(target, now);
  if (peer == nullptr || intent.strategy == Strategy::kRelay) {
    target.status.reason = intent.reason;
    give_back(target, now, out);
    return rest(target, now);
  }
  // Only the end that has offered gets here without: the next go finds it with its turn.
  if (!may_run(intent, target, now, out)) return;
  drop_campaign(slot, target, out);
  held_.add(mappings_taken(intent, own_report()), now);
  ++target.status.campaigns;
  target.sockets.assign(1, SocketNo{0});
  for (std::uint16_t i = 0; i < intent.sockets; ++i) target.sockets.push_back(new_socket());
  if (is_plain(intent.strategy) && peer->may_be_at(target.report.mapped)) {
    peer->try_path({SocketNo{0}, target.report.mapped}, intent.strategy, now, out);
  }
  target.campaign.emplace(std::move(intent), settings_, now);
  target.stage = Stage::kPunching;
  run(slot, target, now, out);
}

void Puncher::run(std::uint16_t slot, Target& target, TimePoint now, ClientOutbox& out) {
  const auto* peer = find_(slot);
  sends_.clear();
  target.campaign->on_timeout(now, sends_);
  for (const auto& send : sends_) {
    if (peer == nullptr || !peer->may_be_at(send.to)) continue;
    send_opener(target, target.sockets[send.socket], send.to, send.ttl, out);
  }
  target.due = target.campaign->next_deadline();
  if (target.campaign->is_over(now)) failed(slot, target, now, out);
}

void Puncher::failed(std::uint16_t slot, Target& target, TimePoint now, ClientOutbox& out) {
  const bool heavy = target.campaign && is_heavy(target.campaign->plan());
  end_campaign(slot, target, now, out);
  if (target.tries < kTries && target.lead) return begin(slot, target, now, out);
  target.status.reason = "punching has not succeeded; it is tried again from time to time";
  rest(target, now);
  if (heavy) target.cooldown = std::min<Duration>(target.cooldown * 2, kMostCooldown);
}

void Puncher::rest(Target& target, TimePoint now) {
  target.stage = Stage::kIdle;
  target.due = now + target.cooldown + (target.lead ? 0s : kPatience);
}

void Puncher::end_campaign(std::uint16_t slot, Target& target, TimePoint now, ClientOutbox& out) {
  drop_campaign(slot, target, out);
  give_back(target, now, out);
}

void Puncher::drop_campaign(std::uint16_t slot, Target& target, ClientOutbox& out) {
  const auto* peer = find_(slot);
  for (const auto socket : target.sockets) {
    if (socket.value == 0) continue;
    if (peer != nullptr && peer->paths().uses(socket)) {
      kept_.insert(socket);
    } else {
      out.commands.emplace_back(CloseNetSocket{socket});
    }
  }
  target.sockets.clear();
  target.campaign.reset();
}

SocketNo Puncher::new_socket() {
  for (;;) {
    const SocketNo socket{static_cast<std::uint16_t>(kFirstPunchSocket.value + next_socket_)};
    next_socket_ = static_cast<std::uint16_t>((next_socket_ + 1) % kSocketSpan);
    if (!kept_.contains(socket)) return socket;
  }
}

void Puncher::on_path(std::uint16_t slot, Target& target, const PathAction& action, TimePoint now,
                      ClientOutbox& out) {
  if (const auto* unused = std::get_if<SocketUnused>(&action)) {
    const auto& own = target.sockets;
    if (std::find(own.begin(), own.end(), unused->socket) != own.end()) return;
    kept_.erase(unused->socket);
    out.commands.emplace_back(CloseNetSocket{unused->socket});
  } else if (std::holds_alternative<PathUp>(action)) {
    target.status.strategy = strategy(target);
    end_campaign(slot, target, now, out);
    target.stage = Stage::kDirect;
    target.due = kNever;
    target.tries = 0;
    target.cooldown = kCooldown;
    target.status.reason.clear();
    target.status.since = now;
    if (!target.status.took) target.status.took = now - target.known;
  } else if (std::holds_alternative<PathDown>(action)) {
    const auto* peer = find_(slot);
    if (peer == nullptr || peer->paths().in_use() != nullptr) return;
    target.known = now;
    target.status.took.reset();
    target.stage = Stage::kIdle;
    open(slot, target, now, out);
  }
}

void Puncher::on_network_change(TimePoint now) {
  for (auto& [slot, target] : targets_) {
    target.tries = 0;
    target.cooldown = kCooldown;
    if (target.stage == Stage::kIdle && target.address.p2p) target.due = now;
  }
}

void Puncher::on_timeout(TimePoint now, ClientOutbox& out) {
  for (auto& [slot, target] : targets_) {
    if (target.volley < kVolley.size()) send_volley(slot, target, now, out);
    if (now >= target.due) step(slot, target, now, out);
  }
}

void Puncher::step(std::uint16_t slot, Target& target, TimePoint now, ClientOutbox& out) {
  switch (target.stage) {
    case Stage::kDirect:
      target.due = kNever;
      return;
    case Stage::kChecking:
      return checked(slot, target, now, out);
    case Stage::kOffering:
      if (target.offers < kMostOffers) return offer(slot, target, now, out);
      return failed(slot, target, now, out);
    case Stage::kWaiting:
      return wait_on(slot, target, now, out);
    case Stage::kPunching:
      return run(slot, target, now, out);
    case Stage::kIdle:
    case Stage::kOpening:
      break;
  }
  const auto* peer = find_(slot);
  const bool hopeless = nat_.mapping_known && plan(target, now).strategy == Strategy::kRelay;
  if (hopeless || peer == nullptr || !peer->is_online()) return rest(target, now);
  begin(slot, target, now, out);
}

TimePoint Puncher::next_deadline() const {
  auto due = kNever;
  for (const auto& [slot, target] : targets_) {
    due = std::min(due, target.due);
    if (target.volley < kVolley.size())
      due = std::min(due, target.volley_from + kVolley[target.volley]);
  }
  return due;
}

PunchStatus Puncher::status(std::uint16_t slot) const {
  const auto at = targets_.find(slot);
  if (at == targets_.end()) return {};
  return at->second.status;
}

}  // namespace wormhole
