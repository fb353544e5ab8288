#include "client/app_targets.hpp"

#include <algorithm>
#include <utility>

namespace wormhole {

const AppTargets::Target* AppTargets::find(const Endpoint& endpoint) const {
  const auto used = std::span(targets_).first(used_);
  const auto at = std::find_if(used.begin(), used.end(),
                               [&](const Target& t) { return t.endpoint == endpoint; });
  return at == used.end() ? nullptr : &*at;
}

AppTargets::Target* AppTargets::find(const Endpoint& endpoint) {
  return const_cast<Target*>(std::as_const(*this).find(endpoint));
}

bool AppTargets::holds(const Endpoint& endpoint, TimePoint now) const {
  const auto* target = find(endpoint);
  return target != nullptr && !is_forgotten(*target, now);
}

void AppTargets::set_fixed(std::optional<Endpoint> fixed) {
  const auto used = std::span(targets_).first(used_);
  const auto kept = std::remove_if(used.begin(), used.end(),
                                   [&](const Target& t) { return t.fixed && t.endpoint != fixed; });
  used_ = static_cast<std::size_t>(kept - used.begin());
  if (!fixed) return;
  if (auto* known = find(*fixed)) {
    known->fixed = true;
    return;
  }
  used_ = std::min(used_, kMaxLearnt);  // room for it; only learnt ones stand last
  targets_[used_] = Target{};
  targets_[used_].endpoint = *fixed;
  targets_[used_].fixed = true;
  ++used_;
}

void AppTargets::learn(const Endpoint& from, TimePoint now) {
  auto* target = find(from);
  if (target == nullptr) {
    if (used_ < targets_.size()) {
      target = &targets_[used_++];
    } else {
      const auto used = std::span(targets_).first(used_);
      target = &*std::min_element(used.begin(), used.end(), [](const Target& a, const Target& b) {
        return (a.fixed ? TimePoint::max() : a.last_sent) <
               (b.fixed ? TimePoint::max() : b.last_sent);
      });
    }
    *target = Target{};
    target->endpoint = from;
  }
  target->last_sent = now;
  target->rest_until = TimePoint::min();
}

void AppTargets::refuse(const Endpoint& application, TimePoint now) {
  if (auto* target = find(application)) target->rest_until = now + kRefusedRest;
}

AppState AppTargets::state(TimePoint now) const {
  bool any = false;
  for (const auto& target : std::span(targets_).first(used_)) {
    if (is_forgotten(target, now) || (target.fixed && !target.tried)) continue;
    // A rest that has just ended says nothing yet: the next try may be refused again.
    const bool refused =
        target.rest_until != TimePoint::min() && now < target.rest_until + kRefusedRest;
    if (!refused) return AppState::kListening;
    any = true;
  }
  return any ? AppState::kNotListening : AppState::kUnknown;
}

}  // namespace wormhole
