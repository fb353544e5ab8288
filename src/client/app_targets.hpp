// Where a flow's datagrams are handed over on this machine.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <span>

#include "wormhole/base/endpoint.hpp"
#include "wormhole/base/time.hpp"
#include "wormhole/client/status.hpp"

namespace wormhole {

/// The fixed delivery address, if any, and every application address that has sent to the flow's
/// port lately; each once. A refusing address rests for a second.
class AppTargets {
 public:
  /// An application that has sent within this time wants answers (product rule; a NAT's UDP mapping
  /// is no shorter).
  static constexpr Duration kRemembered = 60s;
  static constexpr Duration kRefusedRest = 1s;
  /// Applications on one port of one machine: a handful; the longest silent one makes way.
  static constexpr std::size_t kMaxLearnt = 15;

  void set_fixed(std::optional<Endpoint> fixed);
  /// An application has sent from `from`.
  void learn(const Endpoint& from, TimePoint now);
  /// `application` answered "port unreachable".
  void refuse(const Endpoint& application, TimePoint now);

  /// Calls `deliver(endpoint)` for each target that is due at `now`; returns how many there were.
  template <typename Deliver>
  std::size_t for_each(TimePoint now, Deliver&& deliver) {
    std::size_t count = 0;
    for (auto& target : std::span(targets_).first(used_)) {
      if (now < target.rest_until || is_forgotten(target, now)) continue;
      target.tried = true;
      deliver(target.endpoint);
      ++count;
    }
    return count;
  }

  AppState state(TimePoint now) const;
  /// Whether for_each counts `endpoint` in, resting or not.
  bool holds(const Endpoint& endpoint, TimePoint now) const;

 private:
  struct Target {
    Endpoint endpoint;
    bool fixed = false;
    bool tried = false;
    TimePoint last_sent{};
    TimePoint rest_until = TimePoint::min();
  };
  static bool is_forgotten(const Target& target, TimePoint now) {
    return !target.fixed && now - target.last_sent > kRemembered;
  }
  Target* find(const Endpoint& endpoint);
  const Target* find(const Endpoint& endpoint) const;

  std::array<Target, kMaxLearnt + 1> targets_{};
  std::size_t used_ = 0;
};

}  // namespace wormhole
