// The largest datagram that one way to a peer carries, found by probing (RFC 8899). All sizes are
// bytes of UDP payload. It seals and sends nothing: it says what should be asked.
//
//   begin ──traffic──► search, size by size ──nothing larger──► found ──10 min──► search
//                          ▲                                      │
//                          └─── its size is lost three times ◄────┘ (back to kBase)
//
// Everything begins with a packet that is sent, so that a pair without traffic costs nothing.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "wormhole/base/rng.hpp"
#include "wormhole/base/time.hpp"

namespace wormhole {

/// A question to be sealed, as large as it says, and sent that way alone. The answer brings the
/// token back.
struct MtuProbe {
  std::uint64_t token = 0;
  std::size_t size = 0;  ///< of the UDP payload; 0: as small as it is, to tell loss from size
};

class PathMtu {
 public:
  /// What every path is taken to carry: the least IPv6 MTU (RFC 8200, 5) less 40 IPv6 and 8 UDP.
  static constexpr std::size_t kBase = 1280 - 40 - 8;
  /// Ethernet's 1,500 less 20 IPv4 and 8 UDP: beyond it the internet carries nothing.
  static constexpr std::size_t kMost = 1500 - 20 - 8;
  /// RFC 8899, 5.1.2 (MAX_PROBES).
  static constexpr std::uint8_t kTries = 3;
  /// RFC 8899, 5.1.1 (PMTU_RAISE_TIMER).
  static constexpr Duration kRaise = 600s;
  /// While larger datagrams than kBase leave, their size is asked about so often: with three lost
  /// probes a black hole is left within 3 s up to 600 ms of round trip, for 1.5 kB a second.
  static constexpr Duration kConfirm = 1s;

  explicit PathMtu(Rng& rng) : rng_(rng) {}

  /// Another path: nothing is known of it.
  void begin();
  /// What the way is known to carry; kBase until more is known.
  std::size_t size() const { return size_; }
  /// Whether it may be more; only traffic drives the search.
  bool is_searching() const { return searching_; }
  /// How often what had been carried was carried no more.
  std::uint64_t black_holes() const { return black_holes_; }

  /// A packet left that way.
  void on_sent(std::size_t size, TimePoint now) {
    if (due_ != kNever) return;
    const TimePoint confirm_at = std::max(now, confirmed_ + kConfirm);
    const bool large = size > kBase;
    if (now >= search_at_ && !(large && confirm_at == now)) return search(now);
    // By a timer: who hears no answer because of it may send little more (TCP).
    if (large) ask(size_, confirm_at);
  }
  /// An authentic answer came by the same way. False when the question is none of ours.
  bool on_answer(std::uint64_t token, TimePoint now);
  /// Appends what is to be asked now. True when the way carries less than before: what was under
  /// way is lost.
  bool on_timeout(TimePoint now, std::vector<MtuProbe>& probes);
  TimePoint next_deadline() const { return due_; }

 private:
  /// Two rounds of six questions each: an answer that is later than that counts for nothing.
  static constexpr std::size_t kAsked = 12;
  struct Asked {
    MtuProbe probe;
    TimePoint at = kNever;  ///< kNever: none
  };
  void search(TimePoint now);
  void ask(std::size_t size, TimePoint at);
  void send(std::size_t size, TimePoint now, std::vector<MtuProbe>& probes);
  bool judge(TimePoint now);
  void fall(TimePoint now);
  void plan(TimePoint now);
  std::optional<std::size_t> next_target() const;
  Duration patience() const;

  Rng& rng_;
  std::size_t size_ = kBase;
  std::size_t failed_ = kMost + 1;  ///< the least size that is known not to pass
  bool searching_ = true;
  TimePoint search_at_{};  ///< the next packet from then on begins a round of the search
  TimePoint confirmed_{};  ///< when size_ was last answered
  std::optional<Duration> rtt_;
  std::uint64_t black_holes_ = 0;

  // The round under way: one size is asked about, up to three times.
  TimePoint due_ = kNever;  ///< the next question or the verdict; kNever: there is no round
  std::size_t asked_ = 0;
  std::uint8_t tries_ = 0;
  bool lives_ = false;  ///< a small question of this round was answered
  std::array<Asked, kAsked> awaited_{};
  std::uint8_t slot_ = 0;  ///< of the next question
};

}  // namespace wormhole
