#include "wormhole/wire/control.hpp"

#include <algorithm>

#include "wormhole/base/result.hpp"
#include "wormhole/crypto/handshake.hpp"
#include "wormhole/wire/cursor.hpp"

namespace wormhole {
namespace {

enum class Kind : std::uint8_t {
  kPing = 0x01,
  kPong = 0x02,
  kPathChallenge = 0x03,
  kPathResponse = 0x04,
  kPunchTalk = 0x05,
  kHandshake = 0x06,
  kStream = 0x07,
  kStreamAck = 0x08,
  kClose = 0x09,
  kRestarting = 0x0a,
  kObserved = 0x0b,
  kGroupKey = 0x0c,
  kFeedback = 0x0d,
  kPathSilent = 0x0e,
  kKeepalive = 0x0f,
  kProbe = 0x10,
  kProbeAnswer = 0x11,
  kGroupKeyAck = 0x12,
};
/// Unknown kinds from here on are skipped, below they make the frame unreadable.
constexpr std::uint8_t kFirstSkippable = 0x80;
constexpr std::uint8_t kPadding = 0x80;
constexpr std::size_t kItemHeader = 3;
constexpr std::size_t kProbeSize = 8 + 1 + 2;
constexpr std::size_t kProbeAnswerSize = 8 + 19;

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
Writer encode_value(const PathChallenge& item) { return Writer{}.number(item.token); }
Writer encode_value(const PathResponse& item) { return Writer{}.number(item.token); }
Writer encode_value(const PathSilent& item) { return Writer{}.number(item.ms); }
Writer encode_value(const Keepalive& /*item*/) { return {}; }
Writer encode_value(const Probe& item) {
  // As long as its answer, so that nobody gets more out of the server than he puts in.
  constexpr std::array<std::uint8_t, kProbeAnswerSize - kProbeSize> kZeros{};
  return Writer{}
      .number(item.token)
      .number(static_cast<std::uint8_t>(item.from))
      .number(item.delay_s)
      .bytes(kZeros);
}
Writer encode_value(const ProbeAnswer& item) {
  return Writer{}.number(item.token).endpoint(item.observed);
}
Writer encode_value(const PunchTalk& item) {
  Writer writer;
  writer.number(item.campaign).number(static_cast<std::uint8_t>(item.stage));
  write_nat_report(writer, item.report);
  return writer;
}

Writer encode_value(const GroupKey& item) {
  Writer writer;
  writer.number(item.group).number(item.flow.value).bytes(item.key.bytes).bytes(item.receiver);
  return writer;
}
Writer encode_value(const GroupKeyAck& item) { return Writer{}.number(item.group); }
Writer encode_value(const Feedback& item) {
  Writer writer;
  writer.number(std::uint8_t{item.direct}).number(item.frames).number(item.bytes).number(item.at);
  for (const auto& sample : item.list()) writer.number(sample.mark).number(sample.before);
  return writer;
}

constexpr std::array<Kind, std::variant_size_v<ControlItem>> kKindOf{
    Kind::kPing,          Kind::kPong,         Kind::kHandshake,  Kind::kStream,
    Kind::kStreamAck,     Kind::kClose,        Kind::kRestarting, Kind::kObserved,
    Kind::kPathChallenge, Kind::kPathResponse, Kind::kPathSilent, Kind::kKeepalive,
    Kind::kProbe,         Kind::kProbeAnswer,  Kind::kPunchTalk,  Kind::kGroupKey,
    Kind::kGroupKeyAck,   Kind::kFeedback};

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

std::optional<ControlItem> decode_probe(Reader& reader) {
  Probe probe;
  probe.token = reader.number<std::uint64_t>();
  const auto from = reader.number<std::uint8_t>();
  probe.delay_s = reader.number<std::uint16_t>();
  reader.take(kProbeAnswerSize - kProbeSize);
  if (from > static_cast<std::uint8_t>(ProbeFrom::kOtherAddress)) return std::nullopt;
  probe.from = static_cast<ProbeFrom>(from);
  return probe;
}

std::optional<ControlItem> decode_punch_talk(Reader& reader) {
  PunchTalk talk;
  talk.campaign = reader.number<std::uint32_t>();
  const auto stage = reader.number<std::uint8_t>();
  talk.report = read_nat_report(reader);
  if (stage > static_cast<std::uint8_t>(PunchTalk::Stage::kStop)) return std::nullopt;
  talk.stage = static_cast<PunchTalk::Stage>(stage);
  return talk;
}

GroupKey decode_group_key(Reader& reader) {
  GroupKey item;
  item.group = reader.number<std::uint16_t>();
  item.flow = FlowNo{reader.number<std::uint16_t>()};
  item.key.bytes = reader.array<32>();
  item.receiver = reader.array<std::tuple_size_v<ReceiverKey>>();
  return item;
}

std::optional<ControlItem> decode_feedback(Reader& reader) {
  Feedback item;
  const auto way = reader.number<std::uint8_t>();
  if (way > 1) return std::nullopt;
  item.direct = way == 1;
  item.frames = reader.number<std::uint32_t>();
  item.bytes = reader.number<std::uint32_t>();
  item.at = reader.number<std::uint32_t>();
  while (!reader.finished()) {
    if (!reader.ok() || item.count == Feedback::kMostSamples) return std::nullopt;
    auto& sample = item.samples[item.count++];
    sample.mark = reader.number<FrameMark>();
    sample.before = reader.number<std::uint16_t>();
  }
  if (item.count == 0) return std::nullopt;
  return item;
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
    case Kind::kPathChallenge:
      return PathChallenge{reader.number<std::uint64_t>()};
    case Kind::kPathResponse:
      return PathResponse{reader.number<std::uint64_t>()};
    case Kind::kPathSilent:
      return PathSilent{reader.number<std::uint16_t>()};
    case Kind::kKeepalive:
      return Keepalive{};
    case Kind::kProbe:
      return decode_probe(reader);
    case Kind::kProbeAnswer: {
      const auto token = reader.number<std::uint64_t>();
      return ProbeAnswer{token, reader.endpoint()};
    }
    case Kind::kPunchTalk:
      return decode_punch_talk(reader);
    case Kind::kGroupKey:
      return decode_group_key(reader);
    case Kind::kGroupKeyAck:
      return GroupKeyAck{reader.number<std::uint16_t>()};
    case Kind::kFeedback:
      return decode_feedback(reader);
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

void write_padding(MutBytes room) {
  WH_ASSERT(room.size() >= kItemHeader && room.size() - kItemHeader <= 0xffff);
  std::fill(room.begin(), room.end(), std::uint8_t{0});
  room[0] = kPadding;
  store_le(&room[1], static_cast<std::uint16_t>(room.size() - kItemHeader));
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
