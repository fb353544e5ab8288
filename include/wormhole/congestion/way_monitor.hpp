// What a sender makes of a peer's reports about one way.
#pragma once

#include <cstddef>
#include <optional>

#include "wormhole/base/time.hpp"
#include "wormhole/congestion/delay_watch.hpp"
#include "wormhole/congestion/link_state.hpp"
#include "wormhole/congestion/rate_book.hpp"
#include "wormhole/congestion/send_history.hpp"
#include "wormhole/wire/feedback.hpp"

namespace wormhole {

///   app limited ──100 kbit/s──► clear ◄──► lossy
///        ▲                        │ a queue grows, or stands and overflows
///        └──silence── limit ◄─────┘
///                       └──2 s without any sign of it──► clear
class WayMonitor {
 public:
  /// A report of the peer's. `overhead`: bytes of an IP packet beside the payload that the peer
  /// counts. `rtt`: smoothed, where it is known. Late and repeated ones change nothing.
  void on_report(const Feedback& report, const SentBy& sent, std::size_t overhead,
                 std::optional<Duration> rtt, TimePoint now);
  /// What applications wanted to send by it in the last second and what did not leave, bits a
  /// second; and whether something waits here for the uplink: then the way stays at its limit
  /// however short the queue in the network is.
  void set_demand(double unsent_bps, bool waits, TimePoint now);
  /// Another path, or another process of the peer's: nothing is known.
  void reset() { *this = {}; }
  /// As it is now. Harmless to call at any time; a verdict that silence ends, ends here.
  LinkState state(const SentBy& sent, TimePoint now);
  /// The newest report's arrival; kNever: none yet.
  TimePoint reported() const { return reported_; }

 private:
  using Rates = RateBook::Rates;
  bool is_full(const Rates& second) const;
  bool grows_fast() const;
  void note_drops(const Rates& second, TimePoint now);
  void judge(TimePoint now);
  void judge_without_limit(const Rates& second, TimePoint now);
  void learn_capacity(const Rates& second);
  std::optional<double> measured(const Rates& second);
  void look_for_longer_path(TimePoint now);
  void set_verdict(LinkVerdict verdict, TimePoint now);

  DelayWatch delays_;
  RateBook book_;
  std::size_t overhead_ = 0;
  TimePoint reported_ = kNever;
  std::optional<Duration> rtt_;
  double unsent_bps_ = 0;
  TimePoint waits_since_ = kNever;
  LinkVerdict verdict_ = LinkVerdict::kAppLimited;
  TimePoint since_{};
  TimePoint pressed_{};  // the last sign of a limit
  TimePoint dropping_since_ = kNever;
  double clean_bps_ = 0;  // sent when next to nothing was lost
  TimePoint clean_at_{};
  double radio_loss_ = 0;  // share that was lost when no queue stood
  double capacity_ = 0;
  TimePoint changed_{};  // when it was seen to be another one
  int proofs_ = 0;       // measurements that the capacity rests on, of this limit
};

}  // namespace wormhole
