#include "wormhole/wire/control.hpp"

#include "wormhole/crypto/handshake.hpp"
#include "wormhole/wire/cursor.hpp"

namespace wormhole {
namespace {

enum class Kind : std::uint8_t {
  kPing = 0x01,
  kPong = 0x02,
  kHandshake = 0x06,
  kStream = 0x07,
  kStreamAck = 0x08,
  kClose = 0x09,
  kRestarting = 0x0a,
  kObserved = 0x0b,
};
/// Unknown kinds from here on are skipped, below they make the frame unreadable.
constexpr std::uint8_t kFirstSkippable = 0x80;
constexpr std::size_t kItemHeader = 3;

Writer encode_value(const Ping& item) { return Writer{}.number(item.token); }
Writer encode_value(const Pong& item) { return Writer{}.number(item.token); }
Writer encode_value(const HandshakeCarriage& item) {
  return Writer{}.number(item.other.value).bytes(item.message);
}
Writer encode_value(const StreamSegment& item) {
  return Writer{}.number(item.offset).bytes(item.bytes);
}
Writer encode_value(const StreamAck& item) { return Writer{}.number(item.offset); }
Writer encode_value(const Close& item) {
  return Writer{}.number(static_cast<std::uint8_t>(item.reason));
}
Writer encode_value(const Restarting& item) {
  return Writer{}.number(item.reconnect_ms).number(item.spread_ms);
}
Writer encode_value(const Observed& item) { return Writer{}.endpoint(item.endpoint); }

constexpr std::array<Kind, std::variant_size_v<ControlItem>> kKindOf{
    Kind::kPing,      Kind::kPong,  Kind::kHandshake,  Kind::kStream,
    Kind::kStreamAck, Kind::kClose, Kind::kRestarting, Kind::kObserved};

std::optional<ControlItem> decode_handshake(Bytes value) {
  Reader reader(value);
  const ClientNo other{reader.number<std::uint16_t>()};
  if (!reader.ok()) return std::nullopt;
  const auto message = value.subspan(2);
  if (message.size() != kInitSize && message.size() != kRespSize) return std::nullopt;
  return HandshakeCarriage{other, message};
}

std::optional<ControlItem> decode_close(Reader& reader) {
  const auto reason = static_cast<CloseReason>(reader.number<std::uint8_t>());
  switch (reason) {
    case CloseReason::kReplaced:
    case CloseReason::kRemoved:
    case CloseReason::kShuttingDown:
      return Close{reason};
  }
  return std::nullopt;
}

std::optional<ControlItem> decode_fixed(Kind kind, Reader& reader) {
  switch (kind) {
    case Kind::kPing:
      return Ping{reader.number<std::uint64_t>()};
    case Kind::kPong:
      return Pong{reader.number<std::uint64_t>()};
    case Kind::kStreamAck:
      return StreamAck{reader.number<std::uint32_t>()};
    case Kind::kClose:
      return decode_close(reader);
    case Kind::kRestarting: {
      const auto reconnect = reader.number<std::uint16_t>();
      return Restarting{reconnect, reader.number<std::uint16_t>()};
    }
    case Kind::kObserved:
      return Observed{reader.endpoint()};
    case Kind::kHandshake:
    case Kind::kStream:
      break;
  }
  return std::nullopt;
}

std::optional<ControlItem> decode(Kind kind, Bytes value) {
  if (kind == Kind::kHandshake) return decode_handshake(value);
  Reader reader(value);
  if (kind == Kind::kStream) {
    const auto offset = reader.number<std::uint32_t>();
    if (!reader.ok() || value.size() > 4 + kMaxSegment) return std::nullopt;
    return StreamSegment{offset, value.subspan(4)};
  }
  auto item = decode_fixed(kind, reader);
  if (!reader.finished()) return std::nullopt;
  return item;
}

}  // namespace

bool ControlWriter::add(const ControlItem& item) {
  const auto value = std::visit([](const auto& i) { return encode_value(i); }, item).take();
  if (kMaxControlSize - used_ < kItemHeader + value.size()) return false;
  buffer_[used_] = static_cast<std::uint8_t>(kKindOf[item.index()]);
  store_le(&buffer_[used_ + 1], static_cast<std::uint16_t>(value.size()));
  copy_bytes(value, MutBytes(buffer_).subspan(used_ + kItemHeader));
  used_ += kItemHeader + value.size();
  return true;
}

std::optional<ControlItem> ControlReader::fail() {
  broken_ = true;
  rest_ = {};
  return std::nullopt;
}

std::optional<ControlItem> ControlReader::next() {
  while (!rest_.empty()) {
    Reader reader(rest_);
    const auto kind = reader.number<std::uint8_t>();
    const auto length = reader.number<std::uint16_t>();
    const auto value = reader.take(length);
    if (!reader.ok()) return fail();
    rest_ = rest_.subspan(kItemHeader + length);
    if (kind >= kFirstSkippable) continue;
    auto item = decode(static_cast<Kind>(kind), value);
    return item ? item : fail();
  }
  return std::nullopt;
}

bool well_formed_control(Bytes plaintext) {
  ControlReader reader(plaintext);
  while (reader.next()) {
  }
  return !reader.broken();
}

}  // namespace wormhole
