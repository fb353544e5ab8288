#include "fuzz/support/hostile_end.hpp"

#include <algorithm>

#include "fuzz/support/parties.hpp"
#include "wormhole/base/datagram.hpp"

namespace wormhole::fuzz {
namespace {

constexpr std::size_t kMostText = 1400;
constexpr std::uint32_t kOurIndex = 0x0bad'0001;

FlowSlot slot_of(FlowNo flow) { return FlowSlot{static_cast<std::uint16_t>(flow.value % 8 + 1)}; }

}  // namespace

HostileEnd::HostileEnd(const TransportKeys& keys, Role role, std::uint32_t local,
                       std::uint32_t remote, TimePoint now)
    : session_(keys, role, local, remote, now), relay_key_(hop_tag_key(keys.send)) {}

Buffer HostileEnd::seal(FrameType type, FlowNo flow, FlowKeys& keys, Bytes plaintext,
                        TimePoint now) {
  const auto text = plaintext.first(std::min(plaintext.size(), kMostText));
  Buffer room(kHeadroom + text.size() + kTailroom);
  const auto place = MutBytes(room).subspan(kHeadroom, text.size());
  copy_bytes(text, place);
  const auto frame = session_.seal(keys, type, flow, place, now);
  return {frame.begin(), frame.end()};
}

Buffer HostileEnd::control(FrameType type, Bytes plaintext, TimePoint now) {
  return seal(type, FlowNo{0}, session_.keys(kControlSlot, ""), plaintext, now);
}

Buffer HostileEnd::control(const ControlItem& item, TimePoint now) {
  ControlWriter items;
  items.add(item);
  return control(FrameType::kDirect, items.bytes(), now);
}

Buffer HostileEnd::data(FlowNo flow, std::string_view name, Bytes plaintext, TimePoint now) {
  return seal(FrameType::kRelayed, flow, session_.keys(slot_of(flow), name), plaintext, now);
}

Buffer HostileEnd::stream(Bytes bytes, TimePoint now) {
  const auto part = bytes.first(std::min(bytes.size(), kMaxSegment));
  const StreamSegment segment{said_, part};
  said_ += static_cast<std::uint32_t>(part.size());
  return control(segment, now);
}

Buffer HostileEnd::relay_frame(FlowNo flow, std::uint32_t index, Bytes sealed) const {
  Buffer frame(kHeaderSize);
  write_header({FrameType::kRelayed, kNoFlags, flow, index, 1}, frame.data());
  const auto tag = hop_tag(relay_key_, frame);
  frame.insert(frame.end(), sealed.begin(), sealed.end());
  frame.insert(frame.end(), tag.begin(), tag.end());
  return frame;
}

std::optional<Buffer> HostileEnd::open_control(Bytes frame, TimePoint now) {
  const auto header = read_header(frame);
  if (!header || header->index != session_.local_index()) return std::nullopt;
  Buffer copy(frame.begin(), frame.end());
  const auto opened = session_.open(session_.keys(kControlSlot, ""), *header, copy, now);
  if (opened.failure) return std::nullopt;
  return Buffer(opened.text.begin(), opened.text.end());
}

HandshakeContext hop_context() {
  return {hop_prologue(parties().identity.network), parties().identity.knock, SecretKey{}};
}

HandshakeContext e2e_context(std::string_view initiator, std::string_view responder) {
  return {e2e_prologue(parties().identity.network, initiator, responder), parties().identity.knock,
          SecretKey{}};
}

std::optional<Answered> answer_init(const KeyPair& self, const HandshakeContext& context,
                                    Bytes init, const RespPayload& payload, TimePoint now,
                                    Rng& rng) {
  auto responder = Responder::read_init(self, context, init);
  if (!responder) return std::nullopt;
  Answered answered{Buffer(kRespSize), nullptr};
  const auto keys = responder->write_resp(kOurIndex, encode(payload), rng, answered.resp);
  if (!keys) return std::nullopt;
  answered.end = std::make_unique<HostileEnd>(*keys, Role::kResponder, kOurIndex,
                                              responder->initiator_index(), now);
  return answered;
}

}  // namespace wormhole::fuzz
