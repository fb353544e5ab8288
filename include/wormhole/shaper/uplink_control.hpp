// Whether this client's own uplink is what limits it, and at which rate to send then.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "wormhole/base/time.hpp"
#include "wormhole/shaper/uplink_view.hpp"

namespace wormhole {

/// What this client has put on its uplink.
struct UplinkLoad {
  /// Uploads for each copy that peers receive: below 1 where one upload serves several.
  double uploads_per_copy = 1;
  std::uint64_t uploaded = 0;  ///< bytes of IP packets that the shaper has let go so far
  std::size_t backlog = 0;     ///< bytes that wait in the shaper
  /// Whether datagrams leave, and not streams alone: those have a congestion control of their own,
  /// and nobody waits behind them.
  bool datagrams = true;
};

/// Where the queue in the network stands too long, it is moved here: the client sends a little less
/// than the uplink carries, so that the network's queue empties and stays empty, and what does not
/// fit waits in the shaper, which knows whom to let go first.
///
///   off ──every way full──► draining ──queue gone──► holding ──2 s below the capacity──► off
///
/// Holding: what is taken for the capacity grows by the same bytes for all who share a bottleneck,
/// and shrinks in proportion to it and to the queue, which all of them see; so their rates converge
/// (Kelly, Maulloo and Tan, 1998). And the rate sent is lower than the capacity in proportion to
/// the queue, so that it goes within a quarter of a second.
class UplinkControl {
 public:
  /// Bytes a second below which nobody is paced: 100 packets of MAVLink and some log.
  static constexpr double kLeastRate = 12'500;
  /// … and above which nobody is (100 Mbit/s): a modem's buffer of a megabyte is 80 ms of it, and
  /// what fills such a link is a transfer that has a congestion control of its own.
  static constexpr double kMostRate = 12'500'000;
  /// Between looks at what is known, while shaping.
  static constexpr Duration kRound = 25ms;
  static constexpr Duration kTick = 100ms;

  /// Reports have come, or the deadline has.
  void update(std::span<const UplinkWay> ways, const UplinkLoad& load, TimePoint now);
  /// Whether update() would look: it is not sooner than kRound after the last time.
  bool wants_update(TimePoint now) const { return now - updated_ >= kRound; }
  /// Another uplink: nothing is known of it.
  void reset() { *this = {}; }

  bool is_shaping() const { return state_ != State::kOff; }
  /// Bytes a second of IP packets that may leave now. Only while shaping.
  double pace() const { return pace_; }
  /// What the uplink seems to carry, bytes a second. Only while shaping.
  double capacity() const { return capacity_; }
  TimePoint next_deadline() const { return is_shaping() ? updated_ + kTick : kNever; }

 private:
  enum class State : std::uint8_t { kOff, kDraining, kHolding };
  void begin(const UplinkView& view, const UplinkLoad& load, TimePoint now);
  void begin_drain(const UplinkView& view, TimePoint now);
  void drain(const UplinkView& view, TimePoint now);
  void hold(const UplinkView& view, Duration span, TimePoint now);
  void adjust(const UplinkView& view, Duration span, TimePoint now);
  void cut(const UplinkView& view, TimePoint now);
  void note_cut(const UplinkView& view, TimePoint now);
  void tolerate(const UplinkView& view, TimePoint now);
  bool may_end(const UplinkView& view, const UplinkLoad& load, TimePoint now);
  void set_pace(const UplinkView& view);
  Duration excess(const UplinkView& view) const { return view.queue - tolerated_; }
  bool shrinks() const;
  bool loses(const UplinkView& view) const;
  Duration deaf_time() const;
  bool is_deaf(const UplinkView& view, TimePoint now) const;

  State state_ = State::kOff;
  double capacity_ = 0;
  double pace_ = 0;
  double step_ = 0;            // bytes a second, each second
  double delivered_most_ = 0;  // while draining
  double drained_from_ = 0;    // the capacity when that began
  bool waits_ = false;         // something, for its turn
  double tolerated_loss_ = 0;
  Duration rtt_ = 100ms;    // the least since shaping began
  Duration queue_{};        // as told last
  Duration tolerated_{};    // a queue that is not ours: it does not go when we give way
  Duration at_cut_{};       // the queue then
  double before_hurt_ = 0;  // the capacity before the queue was too long
  TimePoint hurt_since_ = kNever;
  TimePoint full_since_{};  // at least
  TimePoint cut_at_{};
  TimePoint updated_{};
  TimePoint stepped_{};  // step_ has doubled
  TimePoint calm_since_{};
  std::uint64_t calm_uploaded_ = 0;
  QueueSlope slope_;
};

}  // namespace wormhole
