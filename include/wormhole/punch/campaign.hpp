// Carries out a punch plan under its packet budget: counts packets and time, decides nothing.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "wormhole/base/time.hpp"
#include "wormhole/punch/plan.hpp"

namespace wormhole {

/// An opener to be made and sent. Socket 0 is the main one, 1 … plan.sockets the campaign's own.
struct PunchSend {
  std::uint16_t socket = 0;
  Endpoint to;
  std::uint8_t ttl = 0;
};

class Campaign {
 public:
  Campaign(PunchPlan plan, const PunchSettings& settings, TimePoint start);

  void on_timeout(TimePoint now, std::vector<PunchSend>& sends);
  TimePoint next_deadline() const;
  /// Everything was sent, and the answers had their time.
  bool is_over(TimePoint now) const;
  const PunchPlan& plan() const { return plan_; }
  std::uint32_t sent() const { return sent_; }

 private:
  PunchPlan plan_;
  PunchSettings settings_;
  TimePoint start_;
  std::uint32_t sent_ = 0;
};

}  // namespace wormhole
