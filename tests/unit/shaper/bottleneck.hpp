// A bottleneck that several clients share, without the product around them: who sends how much,
// what stands in its queue, and what reports tell about that a round trip later.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <vector>

#include "wormhole/shaper/shaper.hpp"
#include "wormhole/shaper/uplink_control.hpp"

namespace wormhole::testing {

/// Headers that a datagram has on the uplink: IP, UDP, our frame and the relay's tag.
inline constexpr std::size_t kHeaders = 28 + 12 + 16 + 4;

struct Carried {
  int flow = 0;
  std::size_t size = 0;  ///< of the IP packet
  TimePoint put_in;      ///< by the application
  TimePoint sent;
};

/// A rate in front of which a drop-tail queue stands.
class Bottleneck {
 public:
  double rate = 3e6;   ///< bits a second
  Duration most = 1s;  ///< of queue
  /// When it has passed; nothing when the queue was full.
  std::optional<TimePoint> carry(std::size_t size, TimePoint now) {
    free_ = std::max(free_, now);
    if (free_ - now > most) return std::nullopt;
    free_ +=
        std::chrono::nanoseconds(static_cast<std::int64_t>(static_cast<double>(size) * 8e9 / rate));
    return free_;
  }
  Duration queue(TimePoint now) const { return std::max(free_ - now, Duration{}); }

 private:
  TimePoint free_{};
};

/// One client with its shaper, what it sends, and the peer that reports.
class Sender {
 public:
  static constexpr int kMavlink = 1;
  static constexpr int kVideo = 2;

  Sender(Bottleneck& bottleneck, unsigned seed) : bottleneck_(bottleneck), rng_(seed) {}

  double video = 0;       ///< bits a second that the encoder makes, payload
  bool mavlink = true;    ///< 50 packets of 60 bytes a second
  Duration delay = 20ms;  ///< one way
  Duration jitter{};
  double loss = 0;  ///< random, behind the bottleneck
  bool reports = true;

  void step(TimePoint now);

  struct Arrival {
    Carried packet;
    TimePoint at;
  };
  const std::deque<Arrival>& arrivals() const { return arrivals_; }
  std::vector<Duration> delays(int flow, TimePoint from) const;
  double bits_since(TimePoint from) const;
  std::uint64_t lost(int flow) const { return lost_[static_cast<std::size_t>(flow)]; }
  const UplinkControl& uplink() const { return uplink_; }
  const Shaper& shaper() const { return shaper_; }
  std::uint64_t begun = 0;  ///< times that shaping began

 private:
  struct Report {
    TimePoint heard;
    TimePoint of;
  };
  void put_in(int flow, std::size_t size, TimePoint now);
  void put_on(const Carried& packet, TimePoint now);
  void release(TimePoint now);
  void report(TimePoint now);
  LinkState state_at(TimePoint of, TimePoint now);
  void control(TimePoint now);

  Bottleneck& bottleneck_;
  std::mt19937_64 rng_;
  Shaper shaper_;
  UplinkControl uplink_;
  std::deque<Carried> sent_;
  std::deque<Arrival> under_way_;
  std::deque<Arrival> arrivals_;
  std::deque<Report> on_their_way_;
  std::array<std::uint64_t, 3> lost_{};
  std::deque<TimePoint> losses_;
  std::deque<std::pair<TimePoint, std::size_t>> offered_;
  TimePoint next_frame_{};
  TimePoint next_mavlink_{};
  TimePoint last_report_{};
  std::size_t unreported_ = 0;
  LinkState known_;
  TimePoint known_at_ = TimePoint::min();
  std::optional<TimePoint> full_since_;
  TimePoint full_last_{};
  std::uint64_t uploaded_ = 0;
};

/// Runs senders at one bottleneck in steps of half a millisecond; `each` is called at every step.
void run(std::vector<Sender*> senders, TimePoint from, Duration span,
         const std::function<void(TimePoint)>& each = {});

Duration quantile(std::vector<Duration> all, double share);

}  // namespace wormhole::testing
