#include "server/campaign_leases.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace wormhole {
namespace {

/// What Campaign takes at most: a second in which the rate of the probes grows, and the rest at its
/// full pace; two volleys of openings, 300 ms apart; 1 % of slack in its pace; and half a second
/// for the last answer. 5.6 s as delivered, 11.9 s with the polite preset.
Duration longest_campaign(const P2pSettings& p2p) {
  const auto at_rate = [](unsigned count, unsigned per_s) { return Duration(1s) * count / per_s; };
  const auto probes = 1s + at_rate(p2p.probes, p2p.probe_rate_to);
  const auto openings = 300ms + 2 * at_rate(p2p.sockets, p2p.open_rate);
  return std::max<Duration>(probes, openings) * 101 / 100 + 500ms;
}

}  // namespace

bool CampaignLeases::Lease::is_between(ClientNo a, ClientNo b) const {
  return (ends[0].client == a && ends[1].client == b) ||
         (ends[0].client == b && ends[1].client == a);
}

void CampaignLeases::set_limits(const P2pSettings& settings) {
  per_address_ = settings.campaigns_per_address;
  life_ = kStart + longest_campaign(settings) + kTravel;
}

std::size_t CampaignLeases::held() const {
  return static_cast<std::size_t>(
      std::count_if(leases_.begin(), leases_.end(), [](const auto& l) { return l.granted; }));
}

void CampaignLeases::refuse(ClientNo asker, ClientNo other) {
  ++counters_.refused;
  news_.push_back({asker, {other, Answer::kRefused, 0}});
}

void CampaignLeases::ask(const End& asker, const End& other, TimePoint now) {
  settle(now);
  bool asks_already = false;
  for (std::size_t place = 0; place < leases_.size(); ++place) {
    auto& lease = leases_[place];
    const std::size_t which = lease.ends[0].client == asker.client ? 0 : 1;
    if (lease.is_between(asker.client, other.client) && !lease.ended[which]) {
      if (!lease.granted) lease.until = now + kWait;
      return tell(place);
    }
    asks_already |= lease.ends[0].client == asker.client && !lease.ended[0];
  }
  if (asks_already || leases_.size() >= kMost) return refuse(asker.client, other.client);
  if (next_ == 0) ++next_;  // 0 names none
  leases_.push_back({next_++, {asker, other}, {}, false, now + kWait});
  settle(now);
  if (leases_.back().granted) return;
  ++counters_.waited;
  tell(leases_.size() - 1);
}

void CampaignLeases::end(ClientNo by, ClientNo other, std::uint32_t turn, TimePoint now) {
  for (auto& lease : leases_) {
    if (!lease.is_between(by, other)) continue;
    const std::size_t which = lease.ends[0].client == by ? 0 : 1;
    if (lease.number != turn && (turn != 0 || which != 0 || lease.ended[0])) continue;
    end_at(lease, which, now);
    return settle(now);
  }
  ++counters_.end_ignored;
}

/// Who has not had its turn yet needs no word of the other end.
void CampaignLeases::end_at(Lease& lease, std::size_t which, TimePoint now) {
  lease.ended[which] = true;
  if (!lease.granted) lease.ended = {true, true};
  lease.until = std::min(lease.until, now + kOtherEnd);
}

void CampaignLeases::leave(ClientNo client, TimePoint now) {
  for (auto& lease : leases_) {
    for (std::size_t which = 0; which < lease.ends.size(); ++which) {
      if (lease.ends[which].client == client) end_at(lease, which, now);
    }
  }
  settle(now);
}

void CampaignLeases::on_timeout(TimePoint now) {
  if (now >= next_deadline()) settle(now);
}

TimePoint CampaignLeases::next_deadline() const {
  auto due = kNever;
  for (const auto& lease : leases_) due = std::min(due, lease.until);
  return due;
}

/// Removes what is over and grants what has become free. Both addresses are taken at once, so
/// nobody holds one while it waits for the other.
void CampaignLeases::settle(TimePoint now) {
  std::erase_if(leases_, [&](const Lease& lease) {
    const bool expired = now >= lease.until;
    counters_.expired += expired && !lease.ended[0] && !lease.ended[1];
    return expired || lease.is_over();
  });
  std::map<IpAddress, unsigned> before;  // turns that were asked for before this one
  for (std::size_t place = 0; place < leases_.size(); ++place) {
    auto& lease = leases_[place];
    const auto& [here, there] = lease.ends;
    auto& at_here = before[here.address];
    auto& at_there = before[there.address];
    if (!lease.granted && at_here < per_address_ && at_there < per_address_) {
      lease.granted = true;
      lease.until = now + life_;
      ++counters_.granted;
      tell(place);
    }
    ++at_here;
    if (there.address != here.address) ++at_there;
  }
}

/// Those who asked before count, whether they have their turn or wait for it: so nobody starves.
bool CampaignLeases::is_free(std::size_t place, const IpAddress& address) const {
  const auto before = std::count_if(
      leases_.begin(), leases_.begin() + static_cast<std::ptrdiff_t>(place),
      [&](const Lease& l) { return l.ends[0].address == address || l.ends[1].address == address; });
  return static_cast<std::size_t>(before) < per_address_;
}

CampaignLeases::Answer CampaignLeases::answer_to(std::size_t place, std::size_t which) const {
  const auto& lease = leases_[place];
  if (lease.granted) return Answer::kGranted;
  return is_free(place, lease.ends[which].address) ? Answer::kBusyThere : Answer::kBusyHere;
}

void CampaignLeases::tell(std::size_t place) {
  const auto& lease = leases_[place];
  for (const std::size_t which : {0U, 1U}) {
    if (lease.ended[which]) continue;
    news_.push_back({lease.ends[which].client,
                     {lease.ends[1 - which].client, answer_to(place, which), lease.number}});
  }
}

std::vector<CampaignLeases::News> CampaignLeases::take_news() { return std::exchange(news_, {}); }

}  // namespace wormhole
