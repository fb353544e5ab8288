// CoDel: which packets to drop so that a queue that stands goes (RFC 8289).
#pragma once

#include <cstddef>
#include <cstdint>

#include "wormhole/base/time.hpp"

namespace wormhole {

class CoDel {
 public:
  /// Within so much time senders must be able to answer (RFC 8289, 4.3: a round trip of theirs).
  /// Those here follow the congestion reports, which come within half a second of overload; and an
  /// encoder's key frame may stand for as long.
  static constexpr Duration kInterval = 500ms;
  /// A tenth of it (RFC 8289, 4.4): what may stand for ever.
  static constexpr Duration kTarget = 50ms;

  /// Whether the packet at the head of the queue, which has waited so long, is to be dropped;
  /// `bytes` wait in all. To be asked once for each packet that comes to the head to leave.
  bool should_drop(Duration waited, std::size_t bytes, TimePoint now);

 private:
  bool stands(Duration waited, std::size_t bytes, TimePoint now);
  TimePoint after(TimePoint drop) const;

  TimePoint stands_since_ = kNever;  ///< above the target since; kNever: it is not
  TimePoint next_drop_{};
  std::uint32_t count_ = 0;       ///< drops since dropping began
  std::uint32_t last_count_ = 0;  ///< count_ when it began
  bool dropping_ = false;
};

}  // namespace wormhole
