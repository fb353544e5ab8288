// What a receiver tells of the frames that came by one way (docs/protocol.md, section 13).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "wormhole/base/bytes.hpp"
#include "wormhole/crypto/seal.hpp"

namespace wormhole {

/// The first four bytes of a frame's seal tag: both ends know it, whichever key, flow or group
/// sealed the frame, and whichever way it went.
using FrameMark = std::uint32_t;
/// Of a frame that ends with its seal tag.
inline FrameMark frame_mark(Bytes frame) {
  return load_le<FrameMark>(frame.data() + frame.size() - kTagSize);
}

/// One frame that arrived.
struct FeedbackSample {
  FrameMark mark = 0;
  std::uint16_t before = 0;  ///< so long before the newest, in units of 100 µs
  bool operator==(const FeedbackSample&) const = default;
};

/// Counters of all data and stream frames that came by one way in this process's life (mod 2^32),
/// and the arrival times of some.
struct Feedback {
  /// With 7 of them a report is 119 bytes of IP packet: 1 % of what it costs to earn one.
  static constexpr std::size_t kMostSamples = 7;

  bool direct = false;
  std::uint32_t frames = 0;
  std::uint32_t bytes = 0;  ///< of frames as they arrived, UDP payload
  std::uint32_t at = 0;     ///< arrival of the newest, receiver's clock, units of 100 µs
  std::uint8_t count = 0;
  std::array<FeedbackSample, kMostSamples> samples{};  ///< oldest first; the last is the newest

  std::span<const FeedbackSample> list() const { return {samples.data(), count}; }
  bool operator==(const Feedback&) const = default;
};

}  // namespace wormhole
