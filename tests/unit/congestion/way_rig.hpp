// A sender, one way and a receiver in virtual time: what a WayMonitor makes of the reports.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <vector>

#include "wormhole/base/rng.hpp"
#include "wormhole/congestion/arrival_log.hpp"
#include "wormhole/congestion/way_monitor.hpp"

namespace wormhole::testing {

/// What the way does. Shares are per packet, 0–1.
struct WayModel {
  double rate = 0;  ///< bits a second of IP packets; 0: no limit
  Duration queue = 300ms;
  Duration delay = 20ms;  ///< each way
  Duration jitter{};      ///< added evenly from 0 …
  bool reorder = false;   ///< … so that packets overtake each other
  double loss = 0;
  double back_loss = 0;  ///< of reports
  Duration every{};      ///< 0: never; else so often …
  Duration lasts{};
  Duration spike{};         ///< … packets take so much longer,
  bool standstill = false;  ///< or nothing is served
  double drift = 0;         ///< of the receiver's clock, seconds a second
};

/// What is sent: evenly, or as 30 video frames a second, of uneven sizes and every two seconds a
/// key frame three times as large.
struct WaySource {
  double bps = 0;  ///< of IP packets
  bool video = false;
};

class WayRig {
 public:
  static constexpr std::size_t kPayload = 1200;
  static constexpr std::size_t kFrame = kPayload + 28;  ///< as it arrives
  static constexpr std::size_t kOverhead = 32;          ///< hop tag, UDP and IP
  static constexpr std::size_t kPacket = kFrame + kOverhead;

  WayRig(const WayModel& model, std::uint64_t seed);

  void offer(WaySource source);
  /// `each` is called every 100 ms; false ends the run.
  void run(Duration time, const std::function<bool(const LinkState&)>& each = {});
  LinkState state() { return monitor_.state(sent_by(), now_); }
  TimePoint now() const { return now_; }
  /// Bytes of IP packets that reports were, and that they told of.
  std::uint64_t report_bytes = 0;
  std::uint64_t carried_bytes = 0;

  WayModel model;
  WayMonitor& monitor() { return monitor_; }

 private:
  struct Arrival {
    FrameMark mark;
    TimePoint at;
  };
  SentBy sent_by() const { return SentBy({&source_of_, 1}); }
  void send();
  void schedule_next();
  void carry(TimePoint now);
  void arrive(FrameMark mark);
  double even(double low, double high);

  SeededRng rng_;
  SendHistory history_;
  SentSource source_of_{&history_, {}};
  ArrivalLog log_;
  WayMonitor monitor_;
  TimePoint now_{1h};
  TimePoint start_ = now_;
  TimePoint next_send_ = kNever;
  TimePoint next_look_ = now_;
  WaySource source_;
  std::uint64_t frame_ = 0;
  std::uint32_t sent_ = 0;
  TimePoint free_at_ = now_;
  TimePoint last_arrival_ = now_;
  std::multimap<TimePoint, FrameMark> under_way_;
  std::multimap<TimePoint, Feedback> reports_;
};

}  // namespace wormhole::testing
