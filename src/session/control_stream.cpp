#include "wormhole/session/control_stream.hpp"

#include <algorithm>

namespace wormhole {
namespace {

/// Undecoded bytes kept: one message that is not yet whole, and a segment.
constexpr std::size_t kMaxUndecoded = kMessageHeader + kMaxMessageBody + kMaxSegment;

}  // namespace

bool ControlStream::push(const std::vector<std::uint8_t>& message) {
  if (buffered() + message.size() > kMaxBuffered) return false;
  out_.insert(out_.end(), message.begin(), message.end());
  return true;
}

std::optional<StreamSegment> ControlStream::next_segment(TimePoint now) {
  if (in_flight_ > 0 && now >= retransmit_) {
    repair_until_ = acked_ + in_flight_;
    repairing_ = true;
    in_flight_ = 0;  // go back
    duplicate_acks_ = 0;
    interval_ = std::min(interval_ * 2, kRetransmitMost);
    retransmit_ = kNever;
  }
  const auto waiting = buffered() - in_flight_;
  const auto size = std::min({waiting, kMaxSegment, kWindow - in_flight_});
  if (size == 0) return std::nullopt;
  const StreamSegment segment{acked_ + in_flight_,
                              Bytes(out_).subspan(out_start_ + in_flight_, size)};
  in_flight_ += static_cast<std::uint32_t>(size);
  if (retransmit_ == kNever) retransmit_ = now + interval_;
  return segment;
}

TimePoint ControlStream::next_deadline() const {
  const bool may_send = buffered() > in_flight_ && in_flight_ < kWindow;
  return may_send ? TimePoint::min() : in_flight_ > 0 ? retransmit_ : kNever;
}

void ControlStream::on_ack(const StreamAck& ack, TimePoint now) {
  const std::uint32_t progress = ack.offset - acked_;  // modulo 2^32
  if (progress == 0) {
    // What went out before the repair goes on making duplicates; taken for losses, each three of
    // them would send the whole window again (RFC 6582 3.2, step 2).
    const bool counts = in_flight_ > 0 && !repairing_;
    if (counts && ++duplicate_acks_ == kDuplicateAcks) retransmit_ = TimePoint::min();
    return;
  }
  if (progress > buffered()) return;  // old (a negative step) or nonsense
  acked_ = ack.offset;
  const std::uint32_t past_repair = acked_ - repair_until_;  // modulo 2^32
  if (past_repair > 0 && past_repair <= kMaxBuffered) repairing_ = false;
  out_start_ += progress;
  in_flight_ -= std::min(in_flight_, progress);
  duplicate_acks_ = 0;
  interval_ = kRetransmitFirst;
  retransmit_ = in_flight_ > 0 ? now + interval_ : kNever;
  if (out_start_ == out_.size() || out_start_ > kWindow) {
    out_.erase(out_.begin(), out_.begin() + static_cast<std::ptrdiff_t>(out_start_));
    out_start_ = 0;
  }
}

void ControlStream::on_segment(const StreamSegment& segment) {
  ack_owed_ = true;
  const std::uint32_t behind = received_ - segment.offset;  // bytes that we have already
  if (behind > segment.bytes.size()) return;                // a gap, or wholly old
  const auto fresh = segment.bytes.subspan(behind);
  if (in_.size() - in_start_ + fresh.size() > kMaxUndecoded) return;
  in_.insert(in_.end(), fresh.begin(), fresh.end());
  received_ += static_cast<std::uint32_t>(fresh.size());
}

std::optional<StreamAck> ControlStream::take_ack() {
  if (!ack_owed_) return std::nullopt;
  ack_owed_ = false;
  return StreamAck{received_};
}

DecodedMessage ControlStream::next_message() {
  auto decoded = decode_message(Bytes(in_).subspan(in_start_));
  in_start_ += decoded.consumed;
  if (in_start_ == in_.size() || in_start_ > kMaxMessageBody) {
    in_.erase(in_.begin(), in_.begin() + static_cast<std::ptrdiff_t>(in_start_));
    in_start_ = 0;
  }
  return decoded;
}

void ControlStream::reset() { *this = ControlStream{}; }

}  // namespace wormhole
