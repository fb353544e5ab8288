#include "wormhole/wire/handshake_payload.hpp"

#include "wormhole/wire/cursor.hpp"

namespace wormhole {
namespace {

bool is_known(Verdict verdict) {
  switch (verdict) {
    case Verdict::kAccepted:
    case Verdict::kResumed:
    case Verdict::kUnknownId:
    case Verdict::kWrongKey:
    case Verdict::kSuperseded:
    case Verdict::kNoCommonVersion:
    case Verdict::kServerFull:
      return true;
  }
  return false;
}

}  // namespace

std::array<std::uint8_t, kInitPayloadSize> encode(const InitPayload& payload) {
  Writer writer;
  writer.number(payload.lowest_version).number(payload.highest_version);
  writer.number(payload.capabilities).number(payload.boot_id);
  writer.bytes(payload.id_hash).bytes(payload.invite_hash);
  writer.number(payload.attempt).number(payload.uplink);
  std::array<std::uint8_t, kInitPayloadSize> out{};  // the rest stays zero: places kept
  copy_bytes(writer.result(), out);
  return out;
}

InitPayload decode_init_payload(const std::array<std::uint8_t, kInitPayloadSize>& bytes) {
  Reader reader(bytes);
  InitPayload payload;
  payload.lowest_version = reader.number<std::uint8_t>();
  payload.highest_version = reader.number<std::uint8_t>();
  payload.capabilities = reader.number<std::uint16_t>();
  payload.boot_id = reader.number<std::uint64_t>();
  payload.id_hash = reader.array<kMacSize>();
  payload.invite_hash = reader.array<kMacSize>();
  payload.attempt = reader.number<std::uint32_t>();
  payload.uplink = reader.number<std::uint8_t>();
  return payload;
}

std::array<std::uint8_t, kRespPayloadSize> encode(const RespPayload& payload) {
  Writer writer;
  writer.number(payload.version).number(static_cast<std::uint8_t>(payload.verdict));
  writer.number(payload.client.value).number(payload.capabilities).number(payload.boot_id);
  writer.number(payload.probe_port);
  std::array<std::uint8_t, kRespPayloadSize> out{};
  copy_bytes(writer.result(), out);
  return out;
}

std::optional<RespPayload> decode_resp_payload(
    const std::array<std::uint8_t, kRespPayloadSize>& bytes) {
  Reader reader(bytes);
  RespPayload payload;
  payload.version = reader.number<std::uint8_t>();
  payload.verdict = static_cast<Verdict>(reader.number<std::uint8_t>());
  payload.client = ClientNo{reader.number<std::uint16_t>()};
  payload.capabilities = reader.number<std::uint32_t>();
  payload.boot_id = reader.number<std::uint64_t>();
  payload.probe_port = reader.number<std::uint16_t>();
  if (!is_known(payload.verdict)) return std::nullopt;
  return payload;
}

}  // namespace wormhole
