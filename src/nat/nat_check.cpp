#include "wormhole/nat/nat_check.hpp"

#include <algorithm>

#include "nat/classify.hpp"

namespace wormhole {
namespace {

constexpr SocketNo kMainSocket{0};
/// More steps than this within kLateAfter are a campaign of our own, not others.
constexpr int kMostForeign = 200;

/// The addresses that can be asked, the first two of them different.
std::vector<Endpoint> ipv4(const std::vector<Endpoint>& servers) {
  std::vector<Endpoint> found;
  for (const auto& server : servers) {
    const bool known = std::any_of(found.begin(), found.end(),
                                   [&](const Endpoint& e) { return e.address == server.address; });
    if (server.address.is_v4() && !known) found.push_back(server);
  }
  return found;
}

}  // namespace

NatCheck::Ask NatCheck::ask(SocketNo socket, const Endpoint& to, ProbeFrom from, TimePoint when) {
  Ask made;
  made.socket = socket;
  made.to = to;
  made.probe = {rng_.number<std::uint64_t>(), from, 0};
  made.next = when;
  return made;
}

void NatCheck::start(const NatSite& site, TimePoint now) {
  for (const auto& one : extras_) to_close_.push_back(one.socket);
  if (late_) to_close_.push_back(kLateSocket);
  turn_ = turn_ == 0 ? 1 : 0;
  site_ = site;
  site_.servers = ipv4(site.servers);
  extras_.clear();
  main_ = {};
  other_port_.reset();
  other_address_.reset();
  late_.reset();
  next_hairpin_ = kNever;
  findings_.mapping_known = findings_.complete = false;
  findings_.udp_passes = true;  // a session stands
  findings_.hairpin.reset();
  phase_ = Phase::kIdle;
  if (site_.servers.empty()) return;
  phase_ = Phase::kMapping;
  started_at_ = now;
  retry_ = std::max(kRetry, site.rtt * 3 / 2);
  ask_main(site_, now);
  for (std::uint16_t i = 0; i < kExtras; ++i) {
    extras_.push_back(ask(extra(i), site_.servers.front(), ProbeFrom::kSame, now));
  }
}

void NatCheck::ask_main(const NatSite& site, TimePoint now) {
  for (std::size_t i = 0; i < main_.size(); ++i) {
    const bool other_port = (i & 1U) != 0;
    const std::size_t address = i >> 1U;
    if (address >= site.servers.size() || (other_port && site.probe_port == 0)) continue;
    auto to = site.servers[address];
    if (other_port) to.port = site.probe_port;
    main_[i] = ask(kMainSocket, to, ProbeFrom::kSame, now);
  }
}

void NatCheck::on_answer(SocketNo socket, const ProbeAnswer& answer, TimePoint now) {
  const auto take = [&](Ask& one) {
    if (one.is_over() || one.socket != socket || one.probe.token != answer.token) return;
    one.seen = answer.observed;
    one.first_try = one.tries == 1;
    one.next = kNever;
  };
  for (auto& one : main_) {
    if (one) take(*one);
  }
  for (auto& one : extras_) take(one);
  for (auto* one : {&other_port_, &other_address_, &late_}) {
    if (*one) take(**one);
  }
  if (lifetime_ && lifetime_->socket == socket && lifetime_->probe.token == answer.token) {
    lifetime_->seen = answer.observed;
    lifetime_->next = now;  // it goes on
  }
  if (phase_ == Phase::kMapping) settle_mapping(now);
  if (phase_ == Phase::kFiltering) settle_filtering(now);
  settle_late();
}

void NatCheck::repeat(Ask& one, unsigned tries, TimePoint now, NatActions& actions) {
  if (now < one.next || one.is_over()) return;
  if (one.tries == tries) {
    one.next = kNever;
    return;
  }
  one.next = now + retry_ * (1U << one.tries);
  ++one.tries;
  actions.probes.push_back({one.socket, one.to, one.probe});
}

void NatCheck::on_timeout(TimePoint now, NatActions& actions) {
  if (phase_ == Phase::kMapping) {
    for (auto& one : main_) {
      if (one) repeat(*one, kTries, now, actions);
    }
    for (auto& one : extras_) repeat(one, kTries, now, actions);
    settle_mapping(now);
  }
  if (late_) repeat(*late_, 1, now, actions);
  if (phase_ == Phase::kFiltering) {
    for (auto* one : {&other_port_, &other_address_}) {
      if (*one) repeat(**one, kFilterTries, now, actions);
    }
    for (auto& one : extras_) repeat(one, kTries, now, actions);
    send_hairpins(now, actions);
    settle_filtering(now);
  }
  tend_lifetime(now, actions);
  actions.close.insert(actions.close.end(), to_close_.begin(), to_close_.end());
  to_close_.clear();
}

TimePoint NatCheck::next_deadline() const {
  if (!to_close_.empty()) return TimePoint::min();
  auto due = next_hairpin_;
  if (phase_ == Phase::kMapping) {
    for (const auto& one : main_) {
      if (one) due = std::min(due, one->next);
    }
  }
  if (is_running()) {
    for (const auto& one : extras_) due = std::min(due, one.next);
  }
  for (const auto* one : {&other_port_, &other_address_, &late_, &lifetime_}) {
    if (*one) due = std::min(due, (*one)->next);
  }
  return due;
}

/// Without losses everything is here after one round trip. What was lost is waited for, but not for
/// the allocation of a NAT whose mappings are known anyway.
void NatCheck::settle_mapping(TimePoint now) {
  const bool main_over = std::all_of(main_.begin(), main_.end(),
                                     [](const auto& one) { return !one || one->is_over(); });
  if (!main_over) return;
  const bool all_over =
      std::all_of(extras_.begin(), extras_.end(), [](const Ask& one) { return one.is_over(); });
  if (!all_over) {
    if (classify_mapping(seen_of_main()) != NatMapping::kEndpointIndependent) return;
    if (now < started_at_ + retry_) return;
  }
  classify();
  findings_.checked_at = now;
  start_filtering(now);
}

std::array<std::optional<Endpoint>, 4> NatCheck::seen_of_main() const {
  SeenOfMain seen;
  for (std::size_t i = 0; i < seen.size(); ++i) {
    if (main_[i]) seen[i] = main_[i]->seen;
  }
  return seen;
}

void NatCheck::classify() {
  const auto seen = seen_of_main();
  std::vector<std::uint16_t> all;
  std::vector<Endpoint> mapped;
  mapped.reserve(seen.size() + extras_.size());
  for (const auto& one : seen) {
    if (one) mapped.push_back(*one);
  }
  std::vector<std::uint16_t> fresh;
  std::vector<std::uint16_t> answered;
  for (const auto& one : extras_) {
    if (!one.seen) continue;
    mapped.push_back(*one.seen);
    answered.push_back(one.seen->port);
    if (one.first_try) fresh.push_back(one.seen->port);
  }
  if (mapped.empty()) return;  // an answerless server: nothing is known, and what was known stays
  all.reserve(mapped.size());
  for (const auto& one : mapped) all.push_back(one.port);
  const auto& own = seen[0] ? *seen[0] : mapped.front();
  NatReport report;
  report.mapped = own;
  report.filtering = findings_.report.mapped.address == own.address ? findings_.report.filtering
                                                                    : NatFiltering::kUnknown;
  report.address_varies = std::any_of(mapped.begin(), mapped.end(), [&](const Endpoint& one) {
    return one.address != own.address;
  });
  findings_.one_address = !seen[2] && !seen[3];
  const bool none =
      std::find(site_.local.begin(), site_.local.end(), own.address) != site_.local.end();
  report.mapping = none ? NatMapping::kNone : classify_mapping(seen);
  if (none || own.port == site_.local_port) {
    report.allocation = PortAllocation::kPreserving;
  } else {
    auto pattern = classify_ports(fresh, all);
    // With losses: a few of these are out of order, which the others outweigh.
    const bool more = answered.size() > fresh.size();
    if (pattern.allocation != PortAllocation::kSequential && more) {
      pattern = classify_ports(answered, all);
    }
    report.allocation = pattern.allocation;
    report.step = pattern.step;
    report.newest = pattern.newest;
    report.low = pattern.low;
    report.high = pattern.high;
  }
  findings_.report = report;
  findings_.mapping_known = report.mapping != NatMapping::kUnknown;
}

void NatCheck::start_filtering(TimePoint now) {
  phase_ = Phase::kFiltering;
  // Of a socket that has talked to the first endpoint alone (RFC 5780, 4.4).
  const auto asker =
      std::find_if(extras_.begin(), extras_.end(), [](const Ask& one) { return one.seen; });
  const bool has_asker = asker != extras_.end();
  if (has_asker && site_.probe_port != 0) {
    other_port_ = ask(asker->socket, asker->to, ProbeFrom::kOtherPort, now);
    if (!findings_.one_address) {
      other_address_ = ask(asker->socket, asker->to, ProbeFrom::kOtherAddress, now);
    }
  }
  const auto insider =
      has_asker ? std::find_if(asker + 1, extras_.end(), [](const Ask& one) { return one.seen; })
                : extras_.end();
  if (insider != extras_.end() && findings_.report.mapping != NatMapping::kNone) {
    hairpin_from_ = *insider->seen;
    hairpin_nonce_ = rng_.number<std::uint64_t>();
    rng_.fill(hairpin_key_);
    hairpin_tries_ = 0;
    next_hairpin_ = now;
  }
  const bool predicts = findings_.report.allocation == PortAllocation::kSequential &&
                        findings_.report.mapping != NatMapping::kEndpointIndependent;
  if (predicts) {
    late_ = ask(kLateSocket, site_.servers.front(), ProbeFrom::kSame, started_at_ + kLateAfter);
    late_->next = std::max(now, late_->next);
    // Hairpins open mappings, which must not be taken for foreign ones.
    if (next_hairpin_ != kNever) next_hairpin_ = late_->next;
  }
  const bool want_ports = findings_.report.allocation == PortAllocation::kUnknown;
  for (const auto& one : extras_) {
    const bool needed = want_ports || (has_asker && one.socket == asker->socket) ||
                        (insider != extras_.end() && one.socket == insider->socket);
    if (!needed) to_close_.push_back(one.socket);
  }
  std::erase_if(extras_, [&](const Ask& one) {
    return std::find(to_close_.begin(), to_close_.end(), one.socket) != to_close_.end();
  });
  settle_filtering(now);
}

/// From a second socket to the main one's mapping, and back, so that filtering does not matter.
void NatCheck::send_hairpins(TimePoint now, NatActions& actions) {
  if (now < next_hairpin_) return;
  if (hairpin_tries_ == kFilterTries || findings_.hairpin) {
    next_hairpin_ = kNever;
    return;
  }
  const auto bytes = encode(Opener{site_.self, site_.self, 0, hairpin_nonce_}, hairpin_key_);
  actions.hairpins.push_back({kMainSocket, hairpin_from_, bytes});
  const auto insider = std::find_if(extras_.begin(), extras_.end(),
                                    [&](const Ask& one) { return one.seen == hairpin_from_; });
  actions.hairpins.push_back({insider->socket, findings_.report.mapped, bytes});
  next_hairpin_ = now + retry_ * (1U << hairpin_tries_);
  ++hairpin_tries_;
}

bool NatCheck::on_opener(Bytes datagram) {
  const auto opener = read_opener(datagram);
  const bool ours = opener && phase_ == Phase::kFiltering && opener->nonce == hairpin_nonce_ &&
                    opener->from == site_.self && opener->to == site_.self &&
                    check_opener(datagram, hairpin_key_);
  if (ours) findings_.hairpin = true;
  return ours;
}

void NatCheck::settle_filtering(TimePoint now) {
  for (const auto* one : {&other_port_, &other_address_}) {
    if (*one && !(*one)->is_over()) return;
  }
  if (next_hairpin_ != kNever && !findings_.hairpin) return;
  const bool ports_over =
      std::all_of(extras_.begin(), extras_.end(), [](const Ask& one) { return one.is_over(); });
  if (!ports_over) return;
  if (findings_.report.allocation == PortAllocation::kUnknown) classify();
  if (other_port_) {
    const bool address = other_address_ && other_address_->seen;
    findings_.report.filtering = address             ? NatFiltering::kEndpointIndependent
                                 : other_port_->seen ? NatFiltering::kAddressDependent
                                                     : NatFiltering::kAddressAndPortDependent;
  }
  if (hairpin_tries_ > 0 && findings_.report.mapping != NatMapping::kNone && !findings_.hairpin) {
    findings_.hairpin = false;
  }
  next_hairpin_ = kNever;
  for (const auto& one : extras_) to_close_.push_back(one.socket);
  extras_.clear();
  findings_.complete = findings_.mapping_known;
  phase_ = Phase::kDone;
  start_lifetime(now);
}

/// How many mappings others have taken since, apart from our own one.
void NatCheck::settle_late() {
  if (!late_ || !late_->is_over()) return;
  auto& report = findings_.report;
  if (late_->seen && report.step != 0) {
    const int moved = static_cast<std::int16_t>(late_->seen->port - report.newest);
    const int steps = moved / report.step;
    const bool plausible = moved % report.step == 0 && steps >= 1 && steps <= kMostForeign;
    if (plausible) {
      const auto per_second = static_cast<int>(1s / kLateAfter);
      report.foreign = static_cast<std::uint16_t>((steps - 1) * per_second);
      report.newest = late_->seen->port;
      report.low = std::min(report.low, report.newest);
      report.high = std::max(report.high, report.newest);
    }
  }
  to_close_.push_back(kLateSocket);
  late_.reset();
}

void NatCheck::start_lifetime(TimePoint now) {
  const auto& report = findings_.report;
  const bool nothing_to_keep =
      report.mapping == NatMapping::kNone && report.filtering == NatFiltering::kEndpointIndependent;
  if (!findings_.mapping_known || lifetime_address_ == report.mapped.address) return;
  if (lifetime_) to_close_.push_back(kLifetimeSocket);
  lifetime_.reset();
  lifetime_address_ = report.mapped.address;
  findings_.lifetime.reset();
  findings_.lifetime_is_limit = false;
  lifetime_step_ = 0;
  lifetime_misses_ = 0;
  if (nothing_to_keep) return;
  // After the socket before it is closed.
  ask_lifetime(0, now + retry_);
}

void NatCheck::ask_lifetime(std::uint16_t delay_s, TimePoint when) {
  lifetime_ = ask(kLifetimeSocket, site_.servers.front(), ProbeFrom::kSame, when);
  lifetime_->probe.delay_s = delay_s;
}

/// Two questions in turn: one that is answered at once, so that the mapping has seen packets both
/// ways (some NATs give others less time), and one that is answered late.
void NatCheck::tend_lifetime(TimePoint now, NatActions& actions) {
  if (!lifetime_ || now < lifetime_->next) return;
  auto& one = *lifetime_;
  const auto delay = one.probe.delay_s;
  if (one.tries == 0) {
    actions.probes.push_back({one.socket, one.to, one.probe});
    ++one.tries;
    one.next = now + std::chrono::seconds(delay) + kLifetimeGrace;
  } else if (one.seen && delay == 0) {
    ask_lifetime(kLifetimes[lifetime_step_], now);
    tend_lifetime(now, actions);
  } else if (one.seen) {
    findings_.lifetime = std::chrono::seconds(delay);
    lifetime_misses_ = 0;
    if (++lifetime_step_ == kLifetimes.size()) return end_lifetime(false);
    ask_lifetime(0, now);
    tend_lifetime(now, actions);
  } else if (delay != 0 && ++lifetime_misses_ == kLifetimeMisses) {
    if (!findings_.lifetime) findings_.lifetime = 0s;
    end_lifetime(true);
  } else {
    ask_lifetime(0, now);
    tend_lifetime(now, actions);
  }
}

void NatCheck::end_lifetime(bool is_limit) {
  findings_.lifetime_is_limit = is_limit;
  lifetime_.reset();
  to_close_.push_back(kLifetimeSocket);
}

}  // namespace wormhole
