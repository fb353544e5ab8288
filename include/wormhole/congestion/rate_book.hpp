// What reports about one way have said so far, and the rates between any two of them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "wormhole/base/time.hpp"
#include "wormhole/congestion/delay_watch.hpp"
#include "wormhole/congestion/send_history.hpp"
#include "wormhole/wire/feedback.hpp"

namespace wormhole {

class RateBook {
 public:
  /// Of the last so many reports: 6 s at the most frequent.
  static constexpr std::size_t kKept = 128;

  struct Rates {
    double delivered_bps = 0;  ///< by the receiver's clock
    double sent_bps = 0;       ///< of the frames in question, when they were sent
    double frames = 0;         ///< that were sent
    double loss = 0;           ///< their share that did not arrive
    Duration span{};           ///< that there was to look at; 0: too little
  };

  enum class Taken : std::uint8_t {
    kYes,
    kNo,      ///< late, repeated, or about nothing that is remembered
    kForeign  ///< of another process of the peer's, or after a leap of its clock: begin anew
  };
  /// `overhead`: bytes of an IP packet beside what the peer counts. Delays go to `delays`.
  Taken add(const Feedback& report, const SentBy& sent, std::size_t overhead, DelayWatch& delays);
  /// Over the last `span`, or as much as there is.
  Rates rates(Duration span) const;
  /// Between the two newest reports; 0: there are no two.
  Duration step() const { return kept() < 2 ? Duration{} : age(back(1)); }
  /// What has arrived since the queue was last shorter than `busy`, `span` at most; nothing when
  /// that is less than `least` ago.
  std::optional<double> carried_bps(Duration busy, Duration span, Duration least) const;

 private:
  struct Mark {
    std::int64_t at = 0;  // receiver's clock, units of kUnit, unwrapped
    SentFrame newest;     // that had arrived by then
    std::uint64_t frames = 0;
    std::uint64_t bytes = 0;  // of IP packets
    SentTotals sent;          // until that, since the first report
    Duration queue{};
  };
  const Mark& back(std::size_t n) const { return marks_[(count_ - 1 - n) % kKept]; }
  std::size_t kept() const { return count_ < kKept ? count_ : kKept; }
  Duration age(const Mark& mark) const;
  static bool is_newer(const SentFrame& a, const SentFrame& b);
  Taken follow(const Feedback& report, std::size_t overhead, Mark& mark) const;

  std::array<Mark, kKept> marks_{};
  std::size_t count_ = 0;
  std::uint32_t last_bytes_ = 0;  // as reported
};

}  // namespace wormhole
