#include "wormhole/hop/port_probes.hpp"

namespace wormhole {

void PortProbes::set_server(const Endpoint& server) {
  if (server_ == server) return;
  clear();
  server_ = server;
}

void PortProbes::clear() {
  entries_.clear();
  in_use_.clear();
  deadline_ = kNever;
}

void PortProbes::put(FlowNo flow, std::uint16_t port, TimePoint now) {
  const auto known = std::find_if(entries_.begin(), entries_.end(),
                                  [flow](const Entry& entry) { return entry.flow == flow; });
  if (known != entries_.end()) {
    if (known->port == port) return;
    use(*known, 0);
    entries_.erase(known);
  }
  if (port == 0 || entries_.size() == kMaxPorts) return;
  entries_.push_back({flow, port, State::kProbing, now, now, kRestFirst});
  deadline_ = std::min(deadline_, now);
}

bool PortProbes::knows(const Endpoint& from) const {
  return from.address == server_.address &&
         std::any_of(entries_.begin(), entries_.end(),
                     [&](const Entry& entry) { return entry.port == from.port; });
}

void PortProbes::use(const Entry& entry, std::uint16_t port) {
  if (entry.flow.value >= in_use_.size()) in_use_.resize(entry.flow.value + std::size_t{1});
  in_use_[entry.flow.value] = port;
}

void PortProbes::on_pong(std::uint16_t port, TimePoint sent, TimePoint now,
                         std::vector<RelayPortChange>& changes) {
  // In this order: the token is the server's word, and a difference to it could overflow.
  if (sent > now || sent < now - kSilence) return;
  for (auto& entry : entries_) {
    if (entry.port != port) continue;
    if (entry.state != State::kInUse) {
      use(entry, port);
      changes.push_back({entry.flow, port, RelayPortChange::Kind::kAnswers});
    }
    entry.state = State::kInUse;
    entry.since = now;
    entry.rest = kRestFirst;
    entry.next_ping = std::max(sent + kPing, now + kTry);
    deadline_ = std::min(deadline_, entry.next_ping);
  }
}

void PortProbes::judge(Entry& entry, TimePoint now, std::optional<Duration> rtt,
                       std::vector<RelayPortChange>& changes) {
  const auto patience = std::max<Duration>(kAnswerWithin, rtt.value_or(0s) * 2);
  switch (entry.state) {
    case State::kInUse:
      if (now - entry.since < kSilence) return;
      use(entry, 0);
      entry.state = State::kProbing;
      entry.since = entry.next_ping = now;
      changes.push_back({entry.flow, entry.port, RelayPortChange::Kind::kLost});
      return;
    case State::kProbing:
      if (now - entry.since < patience) return;
      entry.state = State::kResting;
      entry.next_ping = now + entry.rest;
      entry.rest = std::min(entry.rest * 2, kRestMost);
      changes.push_back({entry.flow, entry.port, RelayPortChange::Kind::kSilent});
      return;
    case State::kResting:
      if (now < entry.next_ping) return;
      entry.state = State::kProbing;
      entry.since = now;
  }
}

Duration PortProbes::interval(const Entry& entry, TimePoint now, std::optional<Duration> rtt) {
  if (entry.state == State::kProbing) return kTry;
  // An answer that is late by a half brings tries, as on the hop itself.
  const auto late = kPing + rtt.value_or(kTry) * 3 / 2;
  return now - entry.since >= late ? kTry : kPing;
}

}  // namespace wormhole
