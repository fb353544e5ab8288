// The ordered, reliable byte stream that carries control messages over lossy frames
// (docs/protocol.md, section 5). Go-back-N: the receiver takes only what continues its stream, so
// it needs no reassembly; control is small.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "wormhole/base/time.hpp"
#include "wormhole/wire/control.hpp"
#include "wormhole/wire/messages.hpp"

namespace wormhole {

class ControlStream {
 public:
  /// Unacknowledged bytes under way: 60 segments, a burst that every socket buffer holds.
  static constexpr std::size_t kWindow = 64 * 1024;
  /// Unsent and unacknowledged bytes: a roster of 10,000 signed peers is 3 MiB.
  static constexpr std::size_t kMaxBuffered = std::size_t{4} << 20;
  static constexpr Duration kRetransmitFirst = 200ms;
  static constexpr Duration kRetransmitMost = 1s;
  /// Repeated acknowledgements that mean loss rather than reordering (RFC 5681 3.2).
  static constexpr unsigned kDuplicateAcks = 3;

  /// Queues a whole message. False when the buffer is full: the other end does not read; give it
  /// up.
  bool push(const std::vector<std::uint8_t>& message);
  /// The next segment that may be sent now; nothing when there is none. By reference, until the
  /// next call.
  std::optional<StreamSegment> next_segment(TimePoint now);
  /// When next_segment() will have something without further input.
  TimePoint next_deadline() const;
  void on_ack(const StreamAck& ack, TimePoint now);

  /// Takes a segment; true when an acknowledgement should go back (always, but for nonsense far
  /// ahead).
  void on_segment(const StreamSegment& segment);
  /// The acknowledgement owed, once.
  std::optional<StreamAck> take_ack();
  /// The next message of the other end. kBroken: the stream can't be read on.
  DecodedMessage next_message();

  /// Starts both directions anew.
  void reset();

 private:
  std::size_t buffered() const { return out_.size() - out_start_; }

  // Sending: out_[out_start_ …] are bytes from stream offset acked_ on.
  std::vector<std::uint8_t> out_;
  std::size_t out_start_ = 0;
  std::uint32_t acked_ = 0;
  std::uint32_t in_flight_ = 0;  // bytes behind acked_ that were sent
  TimePoint retransmit_ = kNever;
  Duration interval_ = kRetransmitFirst;
  unsigned duplicate_acks_ = 0;
  bool repairing_ = false;          // gone back, and not yet acknowledged past repair_until_
  std::uint32_t repair_until_ = 0;  // the end of what was under way then

  // Receiving.
  std::vector<std::uint8_t> in_;
  std::size_t in_start_ = 0;
  std::uint32_t received_ = 0;
  bool ack_owed_ = false;
};

}  // namespace wormhole
