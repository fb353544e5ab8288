// The decoders alone, at full speed: what decodes must encode to bytes that decode to the same.
#include "fuzz/support/input.hpp"
#include "wormhole/base/result.hpp"
#include "wormhole/session/control_stream.hpp"
#include "wormhole/wire/frame.hpp"
#include "wormhole/wire/handshake_payload.hpp"
#include "wormhole/wire/impairment.hpp"
#include "wormhole/wire/opener.hpp"

namespace wormhole::fuzz {
namespace {

void check_control(Bytes plaintext) {
  ControlReader reader(plaintext);
  ControlWriter first;
  bool whole = true;
  while (const auto item = reader.next()) whole = first.add(*item) && whole;
  WH_ASSERT(reader.broken() != well_formed_control(plaintext));
  WH_ASSERT(well_formed_control(first.bytes()));
  ControlReader again(first.bytes());
  ControlWriter second;
  while (const auto item = again.next()) second.add(*item);
  WH_ASSERT(std::equal(first.bytes().begin(), first.bytes().end(), second.bytes().begin(),
                       second.bytes().end()));
  WH_ASSERT(!whole || first.bytes().size() <= plaintext.size());
}

void check_impair(const FlowImpair& message) {
  const auto parts = decode_impairment(message.bytes);
  if (!parts) return;
  for (const auto& part : *parts) WH_ASSERT(what_is_wrong(part.profile).empty());
  const auto again = impair_messages(message.flow, *parts);
  const auto first = decode_message(again);
  WH_ASSERT(first.state == DecodedMessage::State::kMessage);
  const auto& piece = std::get<FlowImpair>(*first.message);
  WH_ASSERT(piece.first && (!piece.last || piece.bytes == message.bytes));
}

void check_message(Bytes stream) {
  const auto decoded = decode_message(stream);
  WH_ASSERT(decoded.consumed <= stream.size());
  if (decoded.state != DecodedMessage::State::kMessage) return;
  const auto bytes = encode(*decoded.message);
  WH_ASSERT(bytes.size() == decoded.consumed);
  if (const auto* impair = std::get_if<FlowImpair>(&*decoded.message)) check_impair(*impair);
  const auto again = decode_message(bytes);
  WH_ASSERT(again.message && encode(*again.message) == bytes);
}

/// Segments and acknowledgements in any order: the receiver never says more than it was given.
void check_stream(Input& input) {
  ControlStream stream;
  TimePoint now{1s};
  std::size_t given = 0;
  while (!input.empty()) {
    const auto what = input.byte();
    if (what % 4 == 0) {
      const StreamSegment segment{
          what < 128 ? static_cast<std::uint32_t>(given) : input.number<std::uint32_t>(),
          input.chunk()};
      stream.on_segment(segment);
      const auto ack = stream.take_ack();
      WH_ASSERT(ack.has_value() && ack->offset <= given + segment.bytes.size());
      given = ack->offset;
      while (stream.next_message().consumed > 0) {
      }
    } else if (what % 4 == 1) {
      stream.on_ack({input.number<std::uint32_t>()}, now);
    } else if (what % 4 == 2) {
      stream.push(std::vector<std::uint8_t>(input.number<std::uint16_t>()));
    } else {
      now += input.pause();
    }
    std::size_t sent = 0;
    while (const auto segment = stream.next_segment(now)) sent += segment->bytes.size();
    WH_ASSERT(sent <= ControlStream::kWindow && stream.next_deadline() > now);
  }
}

void check_opener_bytes(Bytes bytes) {
  constexpr ProbeKey kKey{1, 2, 3};
  const auto opener = read_opener(bytes);
  WH_ASSERT(!check_opener(bytes, kKey) || opener);
  if (!opener) return;
  const auto again = encode(*opener, kKey);
  WH_ASSERT(read_opener(again) == opener && check_opener(again, kKey));
}

void check_fixed(Bytes bytes) {
  check_opener_bytes(bytes);
  if (const auto header = read_header(bytes)) {
    std::array<std::uint8_t, kHeaderSize> again{};
    write_header(*header, again.data());
    WH_ASSERT(std::equal(again.begin(), again.end(), bytes.begin()));
  }
  std::array<std::uint8_t, kInitPayloadSize> init{};
  copy_bytes(bytes.first(std::min(bytes.size(), init.size())), init);
  const auto payload = decode_init_payload(init);
  WH_ASSERT(decode_init_payload(encode(payload)) == payload);
  std::array<std::uint8_t, kRespPayloadSize> resp{};
  copy_bytes(bytes.first(std::min(bytes.size(), resp.size())), resp);
  if (const auto answer = decode_resp_payload(resp)) {
    WH_ASSERT(decode_resp_payload(encode(*answer)) == answer);
  }
}

}  // namespace
}  // namespace wormhole::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wormhole::fuzz;
  Input input(data, size);
  const auto what = input.byte() % 4;
  if (what == 3) {
    check_stream(input);
    return 0;
  }
  const auto rest = input.take(size);
  what == 0 ? check_control(rest) : what == 1 ? check_message(rest) : check_fixed(rest);
  return 0;
}
