// How many bytes may leave by now at a given rate.
#pragma once

#include <algorithm>
#include <cstddef>

#include "wormhole/base/time.hpp"

namespace wormhole {

/// What leaves is taken afterwards, when it is known what it has cost; so the bucket may owe, and
/// the next one waits for that long. A fresh bucket is full.
class TokenBucket {
 public:
  /// Unused time is kept for so much: the wake-up that came late, not a burst that queues.
  static constexpr Duration kDepth = 4ms;
  /// … but for one packet of Ethernet's size at any rate.
  static constexpr double kLeastDepth = 1500;
  /// The longest debt: one datagram in many copies must not silence a control link for longer.
  static constexpr Duration kMostDebt = 250ms;

  /// Bytes a second, above 0.
  void set_rate(double rate, TimePoint now) {
    if (rate_ > 0) {
      refill(now);
      tokens_ = std::max(tokens_, -rate * in_seconds(kMostDebt));
    } else {
      at_ = now;
      tokens_ = kLeastDepth;
    }
    rate_ = rate;
  }
  double rate() const { return rate_; }

  bool may_send(TimePoint now) {
    refill(now);
    return tokens_ > 0;
  }
  void take(std::size_t bytes) {
    tokens_ = std::max(tokens_ - static_cast<double>(bytes), -rate_ * in_seconds(kMostDebt));
  }
  /// When may_send() is true the next time.
  TimePoint ready_at() const {
    if (tokens_ > 0) return at_;
    const auto wait = std::chrono::duration<double>((1 - tokens_) / rate_);
    return at_ + std::chrono::ceil<Duration>(wait);
  }

 private:
  static constexpr double in_seconds(Duration span) {
    return std::chrono::duration<double>(span).count();
  }
  void refill(TimePoint now) {
    if (now <= at_) return;
    const auto depth = std::max(kLeastDepth, rate_ * in_seconds(kDepth));
    tokens_ = std::min(depth, tokens_ + rate_ * in_seconds(now - at_));
    at_ = now;
  }

  double rate_ = 0;
  double tokens_ = 0;
  TimePoint at_{};
};

}  // namespace wormhole
