// What the reports of all ways say of the uplink that they share.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "wormhole/base/time.hpp"
#include "wormhole/congestion/link_state.hpp"

namespace wormhole {

/// What is known of one way to one peer.
struct UplinkWay {
  LinkState link;
  Duration silent{};  ///< since the peer's newest report of it
};

/// The ways together, as one uplink. Rates are bytes a second.
struct UplinkView {
  bool full = false;  ///< all that carry a good part are
  bool any = false;   ///< somebody tells
  Duration queue{};   ///< that all of them have
  double loss = 0;    ///< that all of them have
  double delivered = 0;
  double capacity = 0;    ///< 0: no way is at its limit
  Duration rtt = 100ms;   ///< where none was measured
  Duration silent = 24h;  ///< since the newest report of any
};

/// `uploads_per_copy`: below 1 where one upload serves several.
UplinkView view_of(std::span<const UplinkWay> ways, double uploads_per_copy);

/// How fast the queue grows, by what was told some time ago.
class QueueSlope {
 public:
  /// A report that was made at `at`: the queue then, and the bytes that had been uploaded.
  void note(TimePoint at, Duration queue, std::uint64_t uploaded);
  /// Seconds of queue a second of arrivals; 0 while it is not known. At most 0.8.
  double growth() const { return growth_; }
  /// The queue from which it has grown.
  Duration from() const { return from_; }
  /// Bytes a second, sent in the same time.
  double sent() const { return sent_; }

 private:
  struct Mark {
    TimePoint at = TimePoint::min();
    Duration queue{};
    std::uint64_t uploaded = 0;
  };
  std::optional<Mark> earlier(TimePoint now) const;

  double growth_ = 0;
  double sent_ = 0;
  Duration from_{};
  TimePoint newest_ = TimePoint::min();
  std::array<Mark, 12> marks_{};
  std::size_t next_mark_ = 0;
};

}  // namespace wormhole
