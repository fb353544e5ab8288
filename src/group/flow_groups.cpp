#include "wormhole/group/flow_groups.hpp"

#include <algorithm>
#include <utility>

namespace wormhole {
namespace {

bool has(const std::vector<GroupReceiver>& receivers, const GroupReceiver& one) {
  const auto at =
      std::lower_bound(receivers.begin(), receivers.end(), one.slot,
                       [](const GroupReceiver& r, std::uint16_t slot) { return r.slot < slot; });
  return at != receivers.end() && *at == one;
}

bool all_of(const std::vector<GroupReceiver>& receivers, const Group& group) {
  return std::all_of(group.members().begin(), group.members().end(),
                     [&](const Group::Member& member) { return has(receivers, member); });
}

}  // namespace

FlowGroups::FlowGroups(FlowNo flow, std::string_view flow_name, std::uint16_t& next_number,
                       Rng& rng)
    : flow_(flow), flow_name_(flow_name), next_number_(next_number), rng_(rng) {}

bool FlowGroups::overlap(const Group& a, const Group& b) {
  return std::any_of(a.members().begin(), a.members().end(),
                     [&](const Group::Member& member) { return b.holds(member.slot); });
}

bool FlowGroups::covers(const List& groups, std::uint16_t slot) {
  return std::any_of(groups.begin(), groups.end(),
                     [slot](const auto& group) { return group->holds(slot); });
}

Group* FlowGroups::find(std::uint16_t number) {
  for (auto* groups : {&ready_, &forming_}) {
    for (auto& group : *groups) {
      if (group->number() == number) return group.get();
    }
  }
  return nullptr;
}

template <typename Predicate>
void FlowGroups::drop_if(List& from, TimePoint now, Predicate predicate) {
  for (auto& group : from) {
    if (!predicate(*group)) continue;
    if (group->relay() != Group::Relay::kRefused) ended_.emplace_back(now, group->number());
    if (group->history().totals().frames > 0) retired_.emplace_back(now, std::move(group));
    group.reset();
  }
  std::erase(from, nullptr);
}

void FlowGroups::add_sources(std::uint16_t slot, std::vector<SentSource>& sources) const {
  const auto add = [&](const Group& group) {
    for (const auto& member : group.members()) {
      if (member.slot == slot && member.has_keys) {
        sources.push_back({&group.history(), member.from});
      }
    }
  };
  for (const auto& group : ready_) add(*group);
  for (const auto& [at, group] : retired_) add(*group);
}

/// What is still under way to the server may go by another of its sockets than our word that a
/// group has ended, and must not be overtaken by it.
void FlowGroups::tell_ended(TimePoint now, std::vector<GroupAction>& actions) {
  while (!ended_.empty() && now >= ended_.front().first + kEndsAfter) {
    actions.emplace_back(TellRelay{{ended_.front().second, flow_, {}}});
    ended_.pop_front();
  }
}

void FlowGroups::set_receivers(std::vector<GroupReceiver> all, std::vector<GroupReceiver> grouped) {
  all_ = std::move(all);
  grouped_ = std::move(grouped);
}

void FlowGroups::forget(std::uint16_t slot) {
  // As if it were gone: set_receivers() names it again, and the next group has new keys.
  const auto is_it = [slot](const GroupReceiver& receiver) { return receiver.slot == slot; };
  std::erase_if(grouped_, is_it);
  for (auto* groups : {&ready_, &forming_}) {
    for (auto& group : *groups) {
      if (group->holds(slot)) group->spoil();
    }
  }
}

void FlowGroups::on_ack(std::uint16_t slot, std::uint16_t number) {
  if (auto* group = find(number)) group->on_ack(slot);
}

void FlowGroups::on_relay_answer(const GroupAnswer& answer, TimePoint now) {
  auto* group = find(answer.group);
  if (group == nullptr || group->relay() != Group::Relay::kAsked) return;
  group->set_relay(answer.ready ? Group::Relay::kReady : Group::Relay::kRefused);
  if (!answer.ready) refused_until_ = now + kAfterRefusal;
}

void FlowGroups::on_relay_restart() {
  for (auto& group : ready_) forming_.push_back(std::move(group));
  ready_.clear();
  ended_.clear();
  for (auto& group : forming_) group->set_relay(Group::Relay::kAsked);
  restarted_ = true;
}

bool FlowGroups::is_stale(const Group& group, TimePoint now) const {
  return group.wants_renewal(now) || !all_of(grouped_, group);
}

void FlowGroups::tend(TimePoint now, std::vector<GroupAction>& actions) {
  tended_ = now;
  // A member that may not hear the flow any more, or has lost its keys, ends its group at once.
  drop_if(ready_, now,
          [this](const Group& group) { return group.is_void() || !all_of(all_, group); });
  drop_if(forming_, now,
          [this](const Group& group) { return group.is_void() || !all_of(grouped_, group); });
  if (std::exchange(restarted_, false)) {
    for (const auto& group : forming_) actions.emplace_back(TellRelay{group->announcement()});
  }
  promote(now);
  form(now, actions);
  // What nothing is going to replace is over.
  drop_if(ready_, now, [&](const Group& group) {
    return is_stale(group, now) &&
           std::none_of(forming_.begin(), forming_.end(),
                        [&](const auto& other) { return overlap(group, *other); });
  });
  tell_keys(now, actions);
  tell_ended(now, actions);
  while (retired_.size() > kMostRetired ||
         (!retired_.empty() && now >= retired_.front().first + SendHistory::kSpan)) {
    retired_.pop_front();
  }
  alone_.clear();
  for (const auto& receiver : all_) {
    if (!serves(receiver.slot)) alone_.push_back(receiver.slot);
  }
}

bool FlowGroups::serves(std::uint16_t slot) const {
  return std::any_of(ready_.begin(), ready_.end(), [slot](const auto& group) {
    return std::any_of(group->members().begin(), group->members().end(),
                       [slot](const auto& one) { return one.slot == slot && one.has_keys; });
  });
}

/// Two are enough where there is no group yet that it would replace. Else it must not be worse.
bool FlowGroups::may_serve(const Group& group, TimePoint now) const {
  if (!group.is_relayed() || group.with_keys() < 2) return false;
  if (group.has_everybody()) return true;
  std::size_t served = 0;
  for (const auto& other : ready_) {
    if (overlap(group, *other)) served += other->with_keys();
  }
  return served == 0 || (now >= group.born() + kReplacesAfter && group.with_keys() >= served);
}

void FlowGroups::promote(TimePoint now) {
  for (std::size_t i = 0; i < forming_.size();) {
    if (!may_serve(*forming_[i], now)) {
      ++i;
      continue;
    }
    auto group = std::move(forming_[i]);
    forming_.erase(forming_.begin() + static_cast<std::ptrdiff_t>(i));
    drop_if(ready_, now, [&](const Group& other) { return overlap(other, *group); });
    ready_.push_back(std::move(group));
  }
}

/// Those that no group serves as it should, and none is being formed for.
std::vector<GroupReceiver> FlowGroups::unserved(TimePoint now) const {
  std::vector<GroupReceiver> found;
  for (const auto& receiver : grouped_) {
    const bool is_served = covers(forming_, receiver.slot) ||
                           std::any_of(ready_.begin(), ready_.end(), [&](const auto& group) {
                             return group->holds(receiver.slot) && !is_stale(*group, now);
                           });
    if (!is_served) found.push_back(receiver);
  }
  return found;
}

void FlowGroups::form(TimePoint now, std::vector<GroupAction>& actions) {
  if (now < refused_until_ || !is_used(now)) return;
  auto pool = unserved(now);
  auto uploads = pool.size();
  // Groups that are not full are made anew with them, where that saves uploads.
  for (const auto& group : ready_) {
    const bool busy = is_stale(*group, now) || group->members().size() == kMaxGroup ||
                      std::any_of(forming_.begin(), forming_.end(),
                                  [&](const auto& other) { return overlap(*group, *other); });
    if (busy) continue;
    pool.insert(pool.end(), group->members().begin(), group->members().end());
    ++uploads;
  }
  if ((pool.size() + kMaxGroup - 1) / kMaxGroup >= uploads) return;
  std::sort(pool.begin(), pool.end(),
            [](const GroupReceiver& a, const GroupReceiver& b) { return a.slot < b.slot; });
  for (std::size_t at = 0; pool.size() - at >= 2;) {
    const auto size = std::min(kMaxGroup, pool.size() - at);
    forming_.push_back(std::make_unique<Group>(next_number_++, flow_, flow_name_,
                                               std::span(pool).subspan(at, size), rng_, now));
    actions.emplace_back(TellRelay{forming_.back()->announcement()});
    at += size;
  }
}

void FlowGroups::tell_keys(TimePoint now, std::vector<GroupAction>& actions) {
  for (auto* groups : {&forming_, &ready_}) {
    for (auto& group : *groups) tell_keys(*group, now, actions);
  }
}

void FlowGroups::tell_keys(Group& group, TimePoint now, std::vector<GroupAction>& actions) {
  if (group.has_everybody() || now < group.tell_at()) return;
  // At any phase of the datagrams, which may come in a full queue's way each time.
  const Duration jitter = std::chrono::microseconds(rng_.below(50'000));
  group.tell_again(now + (now < group.born() + kTellOften ? kTellAgain : kTellSilent) + jitter);
  for (const auto& member : group.members()) {
    if (!member.has_keys) actions.emplace_back(TellReceiver{member.slot, group.keys_for(member)});
  }
}

TimePoint FlowGroups::next_deadline() const {
  auto due = ended_.empty() ? kNever : ended_.front().first + kEndsAfter;
  for (const auto* groups : {&forming_, &ready_}) {
    for (const auto& group : *groups) {
      if (!group->has_everybody()) due = std::min(due, group->tell_at());
    }
  }
  for (const auto& group : forming_) {
    const auto replaces = group->born() + kReplacesAfter;
    if (replaces > tended_) due = std::min(due, replaces);
  }
  for (const auto& group : ready_) {
    if (group->renewal_time() > tended_) due = std::min(due, group->renewal_time());
  }
  return due;
}

}  // namespace wormhole
