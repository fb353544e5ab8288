#include "wormhole/wire/messages.hpp"

#include "wormhole/base/result.hpp"
#include "wormhole/wire/cursor.hpp"

namespace wormhole {
namespace {

enum class Kind : std::uint8_t {
  kPeerPut = 0x01,
  kPeerRemove = 0x02,
  kFlowPut = 0x04,
  kFlowRemove = 0x05,
  kSync = 0x06,
  kEnrolAnswer = 0x07,
  kRelayPort = 0x08,
  kFlowOffer = 0x09,
  kFlowOfferRemove = 0x0a,
  kMembershipAnswer = 0x0b,
  kPeerAddress = 0x0c,
  kPunchSettings = 0x0d,
  kCampaignTurn = 0x0e,
  kStreamSettings = 0x0f,
  kGroupAnswer = 0x10,
  kFlowImpair = 0x11,
  kEnrolRequest = 0x40,
  kMembershipRequest = 0x41,
  kNatNews = 0x42,
  kCampaignAsk = 0x43,
  kGroupPut = 0x44,
  kLinkNews = 0x45,
};
constexpr std::array<Kind, std::variant_size_v<StreamMessage>> kKindOf{
    Kind::kPeerPut,      Kind::kPeerRemove,      Kind::kFlowPut,           Kind::kFlowRemove,
    Kind::kSync,         Kind::kEnrolAnswer,     Kind::kRelayPort,         Kind::kEnrolRequest,
    Kind::kFlowOffer,    Kind::kFlowOfferRemove, Kind::kMembershipRequest, Kind::kMembershipAnswer,
    Kind::kPeerAddress,  Kind::kPunchSettings,   Kind::kNatNews,           Kind::kCampaignAsk,
    Kind::kCampaignTurn, Kind::kStreamSettings,  Kind::kGroupPut,          Kind::kGroupAnswer,
    Kind::kFlowImpair,   Kind::kLinkNews,
};

/// Kinds that a receiver must understand; the rest it may skip.
bool must_be_known(std::uint8_t kind) { return kind < 0x20 || (kind >= 0x40 && kind < 0x60); }

void write_chain(Writer& writer, const KeyBinding::Chain& chain) {
  writer.bytes(chain.statement.invite_key.bytes);
  writer.number(chain.statement.serial).number(chain.statement.expires_s);
  writer.bytes(chain.statement.signature).bytes(chain.proof);
}

KeyBinding::Chain read_chain(Reader& reader, const std::string& id) {
  KeyBinding::Chain chain;
  chain.statement.id = id;
  chain.statement.invite_key.bytes = reader.array<32>();
  chain.statement.serial = reader.number<std::uint64_t>();
  chain.statement.expires_s = reader.number<std::uint64_t>();
  chain.statement.signature = reader.array<64>();
  chain.proof = reader.array<64>();
  return chain;
}

std::string read_name(Reader& reader) {
  std::string name(reader.short_text());
  if (!is_valid_name(name)) reader.fail();
  return name;
}

void write_body(Writer& writer, const PeerPut& message) {
  writer.number(message.number.value).number(message.boot_id);
  writer.short_text(message.binding.id).bytes(message.binding.key.bytes);
  writer.number(static_cast<std::uint8_t>(message.binding.chain ? 1 : 0));
  if (message.binding.chain) write_chain(writer, *message.binding.chain);
}
PeerPut read_peer_put(Reader& reader) {
  PeerPut message;
  message.number = ClientNo{reader.number<std::uint16_t>()};
  message.boot_id = reader.number<std::uint64_t>();
  message.binding.id = read_name(reader);
  message.binding.key.bytes = reader.array<32>();
  const auto chain = reader.number<std::uint8_t>();
  if (chain > 1) reader.fail();
  if (chain == 1) message.binding.chain = read_chain(reader, message.binding.id);
  return message;
}

void write_body(Writer& writer, const PeerRemove& message) { writer.number(message.number.value); }

void write_body(Writer& writer, const FlowPut& message) {
  writer.number(message.number.value).number(message.protocol).number(message.port);
  writer.number(message.options).number(message.deliver).endpoint(message.deliver_to);
  writer.number(message.copy_buffer).number(message.priority).number(message.max_age);
  writer.number(message.rate).short_text(message.name);
  writer.number(static_cast<std::uint16_t>(message.members.size()));
  for (const auto& member : message.members) {
    writer.number(member.number.value).number(member.direction);
  }
}
FlowPut read_flow_put(Reader& reader) {
  FlowPut message;
  message.number = FlowNo{reader.number<std::uint16_t>()};
  message.protocol = reader.number<std::uint8_t>();
  message.port = reader.number<std::uint16_t>();
  message.options = reader.number<std::uint8_t>();
  message.deliver = reader.number<std::uint8_t>();
  message.deliver_to = reader.endpoint();
  message.copy_buffer = reader.number<std::uint32_t>();
  message.priority = reader.number<std::uint8_t>();
  message.max_age = reader.number<std::uint16_t>();
  message.rate = reader.number<std::uint32_t>();
  message.name = read_name(reader);
  const auto count = reader.number<std::uint16_t>();
  for (std::size_t i = 0; i < count && reader.ok(); ++i) {
    const ClientNo number{reader.number<std::uint16_t>()};
    message.members.push_back({number, reader.number<std::uint8_t>()});
  }
  if (message.number.value == 0 || message.port == 0) reader.fail();
  return message;
}

void write_body(Writer& writer, const FlowRemove& message) { writer.number(message.number.value); }
void write_body(Writer& writer, const Sync& message) { writer.number(message.revision); }
void write_body(Writer& writer, const EnrolAnswer& message) {
  writer.number(message.result).number(message.number.value);
}

void write_body(Writer& writer, const RelayPort& message) {
  writer.number(message.flow.value).number(message.port);
}
RelayPort read_relay_port(Reader& reader) {
  const FlowNo flow{reader.number<std::uint16_t>()};
  if (flow.value == 0) reader.fail();
  return {flow, reader.number<std::uint16_t>()};
}

void write_body(Writer& writer, const EnrolRequest& message) {
  WH_ASSERT(message.binding.chain.has_value());
  writer.short_text(message.binding.id);
  write_chain(writer, *message.binding.chain);
}
EnrolRequest read_enrol_request(Reader& reader) {
  EnrolRequest message;
  message.binding.id = read_name(reader);
  message.binding.chain = read_chain(reader, message.binding.id);
  return message;
}

void write_body(Writer& writer, const FlowOffer& message) {
  writer.number(message.number.value).number(message.protocol).number(message.port);
  writer.number(message.sides).number(message.joined).short_text(message.name);
}
FlowOffer read_flow_offer(Reader& reader) {
  FlowOffer message;
  message.number = FlowNo{reader.number<std::uint16_t>()};
  message.protocol = reader.number<std::uint8_t>();
  message.port = reader.number<std::uint16_t>();
  message.sides = reader.number<std::uint8_t>();
  message.joined = reader.number<std::uint8_t>();
  message.name = read_name(reader);
  return message;
}

void write_body(Writer& writer, const FlowOfferRemove& message) {
  writer.number(message.number.value);
}

void write_body(Writer& writer, const MembershipRequest& message) {
  writer.number(message.ticket).number(static_cast<std::uint8_t>(message.join ? 1 : 0));
  writer.number(message.side).short_text(message.flow);
}
MembershipRequest read_membership_request(Reader& reader) {
  MembershipRequest message;
  message.ticket = reader.number<std::uint32_t>();
  const auto join = reader.number<std::uint8_t>();
  if (join > 1) reader.fail();
  message.join = join == 1;
  message.side = reader.number<std::uint8_t>();
  message.flow = read_name(reader);
  return message;
}

void write_body(Writer& writer, const MembershipAnswer& message) {
  writer.number(message.ticket).short_text(message.reason);
}

bool read_bool(Reader& reader) {
  const auto value = reader.number<std::uint8_t>();
  if (value > 1) reader.fail();
  return value == 1;
}

void write_body(Writer& writer, const PeerAddress& message) {
  writer.number(message.number.value).number(static_cast<std::uint8_t>(message.p2p ? 1 : 0));
  writer.bytes(message.probe_key);
  write_nat_report(writer, message.report);
}
PeerAddress read_peer_address(Reader& reader) {
  PeerAddress message;
  message.number = ClientNo{reader.number<std::uint16_t>()};
  message.p2p = read_bool(reader);
  message.probe_key = reader.array<16>();
  message.report = read_nat_report(reader);
  return message;
}

void write_body(Writer& writer, const PunchSettings& message) {
  writer.number(message.forbidden).number(message.forced);
  writer.number(static_cast<std::uint8_t>(message.strict_keepalive ? 1 : 0));
  writer.number(message.most_sockets).number(message.most_probes).number(message.opens_per_s);
  writer.number(message.probes_per_s_first).number(message.probes_per_s);
}
PunchSettings read_punch_settings(Reader& reader) {
  PunchSettings message;
  message.forbidden = reader.number<std::uint16_t>();
  message.forced = reader.number<std::uint8_t>();
  message.strict_keepalive = read_bool(reader);
  message.most_sockets = reader.number<std::uint16_t>();
  message.most_probes = reader.number<std::uint16_t>();
  message.opens_per_s = reader.number<std::uint16_t>();
  message.probes_per_s_first = reader.number<std::uint16_t>();
  message.probes_per_s = reader.number<std::uint16_t>();
  if (message.forced >= kStrategies) reader.fail();
  return message;
}

void write_body(Writer& writer, const StreamSettings& message) {
  writer.number(message.congestion);
}
StreamSettings read_stream_settings(Reader& reader) {
  const StreamSettings message{reader.number<std::uint8_t>()};
  if (message.congestion > 1) reader.fail();
  return message;
}

void write_body(Writer& writer, const NatNews& message) {
  write_nat_report(writer, message.report);
}

void write_body(Writer& writer, const CampaignAsk& message) {
  writer.number(message.peer.value).number(static_cast<std::uint8_t>(message.begin ? 1 : 0));
  writer.number(message.turn);
}
CampaignAsk read_campaign_ask(Reader& reader) {
  CampaignAsk message;
  message.peer = ClientNo{reader.number<std::uint16_t>()};
  message.begin = read_bool(reader);
  message.turn = reader.number<std::uint32_t>();
  return message;
}

void write_body(Writer& writer, const CampaignTurn& message) {
  writer.number(message.peer.value).number(static_cast<std::uint8_t>(message.answer));
  writer.number(message.turn);
}
CampaignTurn read_campaign_turn(Reader& reader) {
  CampaignTurn message;
  message.peer = ClientNo{reader.number<std::uint16_t>()};
  const auto answer = reader.number<std::uint8_t>();
  if (answer >= kTurnAnswers) reader.fail();
  message.answer = static_cast<CampaignTurn::Answer>(answer);
  message.turn = reader.number<std::uint32_t>();
  return message;
}

void write_body(Writer& writer, const GroupPut& message) {
  writer.number(message.group).number(message.flow.value);
  writer.number(static_cast<std::uint8_t>(message.receivers.size()));
  for (const auto number : message.receivers) writer.number(number.value);
}
GroupPut read_group_put(Reader& reader) {
  GroupPut message;
  message.group = reader.number<std::uint16_t>();
  message.flow = FlowNo{reader.number<std::uint16_t>()};
  const auto count = reader.number<std::uint8_t>();
  if (message.flow.value == 0 || count > kMaxGroup) reader.fail();
  for (std::size_t i = 0; i < count && reader.ok(); ++i) {
    message.receivers.push_back(ClientNo{reader.number<std::uint16_t>()});
  }
  return message;
}

void write_body(Writer& writer, const GroupAnswer& message) {
  writer.number(message.group).number(static_cast<std::uint8_t>(message.ready ? 1 : 0));
}
GroupAnswer read_group_answer(Reader& reader) {
  const auto group = reader.number<std::uint16_t>();
  return {group, read_bool(reader)};
}

void write_body(Writer& writer, const FlowImpair& message) {
  writer.number(message.flow.value);
  writer.number(static_cast<std::uint8_t>((message.first ? 1 : 0) | (message.last ? 2 : 0)));
  writer.bytes(message.bytes);
}
FlowImpair read_flow_impair(Reader& reader) {
  FlowImpair message;
  message.flow = FlowNo{reader.number<std::uint16_t>()};
  const auto flags = reader.number<std::uint8_t>();
  if (message.flow.value == 0 || flags > 3) reader.fail();
  message.first = (flags & 1) != 0;
  message.last = (flags & 2) != 0;
  const auto bytes = reader.rest();
  message.bytes.assign(bytes.begin(), bytes.end());
  return message;
}

void write_body(Writer& writer, const LinkNews& message) {
  writer.number(message.peer.value).number(message.way).number(message.flow.value);
  writer.number(message.verdict).number(message.confidence).number(message.loss);
  writer.number(message.age_ms).number(message.queue_us).number(message.rtt_us);
  writer.number(message.capacity_bps).number(message.offered_bps);
  writer.number(message.sent_bps).number(message.delivered_bps);
}
LinkNews read_link_news(Reader& reader) {
  LinkNews message;
  message.peer = ClientNo{reader.number<std::uint16_t>()};
  message.way = reader.number<std::uint8_t>();
  message.flow = FlowNo{reader.number<std::uint16_t>()};
  message.verdict = reader.number<std::uint8_t>();
  message.confidence = reader.number<std::uint8_t>();
  message.loss = reader.number<std::uint16_t>();
  message.age_ms = reader.number<std::uint32_t>();
  message.queue_us = reader.number<std::uint32_t>();
  message.rtt_us = reader.number<std::uint32_t>();
  message.capacity_bps = reader.number<std::uint64_t>();
  message.offered_bps = reader.number<std::uint64_t>();
  message.sent_bps = reader.number<std::uint64_t>();
  message.delivered_bps = reader.number<std::uint64_t>();
  const bool names_one = (message.peer.value == 0) != (message.flow.value == 0);
  if (message.way > 1 || message.verdict >= kLinkVerdicts || !names_one) reader.fail();
  if (message.confidence > 100 || message.loss > 10'000) reader.fail();
  return message;
}

std::optional<StreamMessage> read_body(std::uint8_t kind, Reader& reader) {
  switch (static_cast<Kind>(kind)) {
    case Kind::kPeerPut:
      return read_peer_put(reader);
    case Kind::kPeerRemove:
      return PeerRemove{ClientNo{reader.number<std::uint16_t>()}};
    case Kind::kFlowPut:
      return read_flow_put(reader);
    case Kind::kFlowRemove:
      return FlowRemove{FlowNo{reader.number<std::uint16_t>()}};
    case Kind::kSync:
      return Sync{reader.number<std::uint32_t>()};
    case Kind::kEnrolAnswer: {
      const auto result = reader.number<std::uint8_t>();
      return EnrolAnswer{result, ClientNo{reader.number<std::uint16_t>()}};
    }
    case Kind::kRelayPort:
      return read_relay_port(reader);
    case Kind::kEnrolRequest:
      return read_enrol_request(reader);
    case Kind::kFlowOffer:
      return read_flow_offer(reader);
    case Kind::kFlowOfferRemove:
      return FlowOfferRemove{FlowNo{reader.number<std::uint16_t>()}};
    case Kind::kMembershipRequest:
      return read_membership_request(reader);
    case Kind::kMembershipAnswer: {
      const auto ticket = reader.number<std::uint32_t>();
      return MembershipAnswer{ticket, std::string(reader.short_text())};
    }
    case Kind::kPeerAddress:
      return read_peer_address(reader);
    case Kind::kStreamSettings:
      return read_stream_settings(reader);
    case Kind::kPunchSettings:
      return read_punch_settings(reader);
    case Kind::kNatNews:
      return NatNews{read_nat_report(reader)};
    case Kind::kCampaignAsk:
      return read_campaign_ask(reader);
    case Kind::kCampaignTurn:
      return read_campaign_turn(reader);
    case Kind::kGroupPut:
      return read_group_put(reader);
    case Kind::kGroupAnswer:
      return read_group_answer(reader);
    case Kind::kFlowImpair:
      return read_flow_impair(reader);
    case Kind::kLinkNews:
      return read_link_news(reader);
  }
  return std::nullopt;
}

}  // namespace

std::vector<std::uint8_t> encode(const StreamMessage& message) {
  Writer body;
  std::visit([&](const auto& m) { write_body(body, m); }, message);
  WH_ASSERT(body.result().size() <= kMaxMessageBody);
  Writer whole;
  whole.number(static_cast<std::uint8_t>(kKindOf[message.index()]));
  whole.number(static_cast<std::uint16_t>(body.result().size())).bytes(body.result());
  return whole.take();
}

DecodedMessage decode_message(Bytes stream) {
  using State = DecodedMessage::State;
  if (stream.size() < kMessageHeader) return {};
  const auto kind = stream[0];
  const std::size_t length = load_le<std::uint16_t>(stream.data() + 1);
  if (length > kMaxMessageBody) return {State::kBroken, 0, {}};
  const auto whole = kMessageHeader + length;
  if (stream.size() < whole) return {};
  Reader reader(stream.subspan(kMessageHeader, length));
  auto message = read_body(kind, reader);
  if (!message) return {must_be_known(kind) ? State::kBroken : State::kSkipped, whole, {}};
  if (!reader.finished()) return {State::kBroken, 0, {}};
  return {State::kMessage, whole, std::move(message)};
}

}  // namespace wormhole
