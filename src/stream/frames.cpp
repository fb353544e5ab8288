#include "stream/null_cipher.hpp"

namespace wormhole::quic {
namespace {

// RFC 9000, table 3.
constexpr std::uint64_t kPadding = 0x00;
constexpr std::uint64_t kPing = 0x01;
constexpr std::uint64_t kAck = 0x02;
constexpr std::uint64_t kResetStream = 0x04;
constexpr std::uint64_t kStopSending = 0x05;
constexpr std::uint64_t kStream = 0x08;
constexpr std::uint64_t kStreamEnd = 0x10;
constexpr std::uint64_t kOffsetBit = 0x04;
constexpr std::uint64_t kLengthBit = 0x02;
constexpr std::uint64_t kMaxData = 0x10;
constexpr std::uint64_t kMaxStreamData = 0x11;
constexpr std::uint64_t kMaxStreams = 0x12;
constexpr std::uint64_t kMaxStreamsUni = 0x13;
constexpr std::uint64_t kDataBlocked = 0x14;
constexpr std::uint64_t kStreamDataBlocked = 0x15;
constexpr std::uint64_t kStreamsBlocked = 0x16;

/// Reads what the library has written, so it need not say where it failed: what is missing reads
/// as 0, and the rest is empty.
class FrameReader {
 public:
  explicit FrameReader(Bytes rest) : rest_(rest) {}
  bool empty() const { return rest_.empty(); }
  std::size_t left() const { return rest_.size(); }
  void skip(std::uint64_t size) {
    rest_ = rest_.subspan(size < rest_.size() ? static_cast<std::size_t>(size) : rest_.size());
  }

  /// A variable-length integer (RFC 9000, 16).
  std::uint64_t number() {
    if (rest_.empty()) return 0;
    const std::size_t size = std::size_t{1} << (rest_[0] >> 6);
    std::uint64_t value = rest_[0] & 0x3f;
    for (std::size_t i = 1; i < size && i < rest_.size(); ++i) value = value << 8 | rest_[i];
    skip(size);
    return value;
  }
  void skip_numbers(std::uint64_t count) {
    while (count-- > 0 && !empty()) number();
  }

 private:
  Bytes rest_;
};

std::size_t stream_frame(std::uint64_t type, FrameReader& frames) {
  frames.number();  // which stream
  if ((type & kOffsetBit) != 0) frames.number();
  const std::uint64_t said = (type & kLengthBit) != 0 ? frames.number() : frames.left();
  const std::size_t size = said < frames.left() ? static_cast<std::size_t>(said) : frames.left();
  frames.skip(size);
  return size;
}

void skip_ack(FrameReader& frames) {
  frames.skip_numbers(2);
  const std::uint64_t ranges = frames.number();
  frames.skip_numbers(1 + 2 * ranges);
}

/// Passes a frame that carries no bytes of streams; false: of a kind that comes alone.
bool skip_frame(std::uint64_t type, FrameReader& frames) {
  switch (type) {
    case kPadding:
    case kPing:
      return true;
    case kAck:
      skip_ack(frames);
      return true;
    case kResetStream:
      frames.skip_numbers(3);
      return true;
    case kStopSending:
    case kMaxStreamData:
    case kStreamDataBlocked:
      frames.skip_numbers(2);
      return true;
    case kMaxData:
    case kMaxStreams:
    case kMaxStreamsUni:
    case kDataBlocked:
    case kStreamsBlocked:
      frames.skip_numbers(1);
      return true;
    default:
      return false;
  }
}

}  // namespace

std::size_t stream_bytes(Bytes packet) {
  std::size_t total = 0;
  for (FrameReader frames(packet); !frames.empty();) {
    const std::uint64_t type = frames.number();
    if (type >= kStream && type < kStreamEnd) {
      total += stream_frame(type, frames);
    } else if (!skip_frame(type, frames)) {
      break;
    }
  }
  return total;
}

}  // namespace wormhole::quic
