// The receiver's side: what came by one way, and when it is worth a report.
#pragma once

#include <cstddef>
#include <cstdint>

#include "wormhole/base/time.hpp"
#include "wormhole/wire/feedback.hpp"

namespace wormhole {

class ArrivalLog {
 public:
  /// Bytes of IP packets that must have come since the last report: its own 119 bytes are 1 % of
  /// them. So nothing is told of an idle flow, and little of a slow one.
  static constexpr std::size_t kPerReport = 12'500;
  /// What has come beyond that earns the next reports, two at most: when the rate falls, the first
  /// ones come as quickly as they did before.
  static constexpr std::int64_t kMostCredit = 2 * kPerReport;
  /// Reports are at least so far apart (RFC 8888, 4: 50 ms to 200 ms are useful).
  static constexpr Duration kApart = 50ms;
  /// IP and UDP headers, for kPerReport alone.
  static constexpr std::size_t kHeaders = 28;

  /// A frame that is authentic; `size`: its UDP payload. Whether a report is due.
  [[nodiscard]] bool note(FrameMark mark, std::size_t size, TimePoint now) {
    ++frames_;
    bytes_ += static_cast<std::uint32_t>(size);
    to_earn_ -= static_cast<std::int64_t>(size + kHeaders);
    newest_ = {mark, now};
    if (now >= next_sample_) keep_sample();
    return to_earn_ <= 0 && now >= next_report_;
  }
  /// What has come; the next report begins anew.
  Feedback take(bool direct, TimePoint now);

 private:
  struct Arrival {
    FrameMark mark = 0;
    TimePoint at{};
  };
  void keep_sample();

  std::uint32_t frames_ = 0;
  std::uint32_t bytes_ = 0;
  std::int64_t to_earn_ = kPerReport;
  Arrival newest_;
  // The newest is told, too, so that one place is kept for it. When they are full, every other one
  // goes, and the next are twice as far apart.
  std::array<Arrival, Feedback::kMostSamples - 1> samples_{};
  std::size_t count_ = 0;
  Duration apart_{};
  TimePoint next_sample_ = TimePoint::min();
  TimePoint next_report_ = TimePoint::min();
};

}  // namespace wormhole
