#include "wormhole/wire/opener.hpp"

#include "wormhole/crypto/keys.hpp"
#include "wormhole/wire/cursor.hpp"
#include "wormhole/wire/frame.hpp"

namespace wormhole {
namespace {

constexpr std::size_t kMacSize = 16;
constexpr std::size_t kBodySize = kOpenerSize - kMacSize;

}  // namespace

std::array<std::uint8_t, kOpenerSize> encode(const Opener& opener, const ProbeKey& key) {
  std::array<std::uint8_t, kOpenerSize> out{};
  out[0] = static_cast<std::uint8_t>(FrameType::kOpener);
  store_le(&out[4], opener.from.value);
  store_le(&out[6], opener.to.value);
  store_le(&out[8], opener.campaign);
  store_le(&out[12], opener.nonce);
  blake2b(MutBytes(out).subspan(kBodySize), key, {Bytes(out).first(kBodySize)});
  return out;
}

std::optional<Opener> read_opener(Bytes datagram) {
  if (datagram.size() != kOpenerSize) return std::nullopt;
  Reader reader(datagram);
  if (reader.number<std::uint32_t>() != static_cast<std::uint32_t>(FrameType::kOpener)) {
    return std::nullopt;
  }
  Opener opener;
  opener.from = ClientNo{reader.number<std::uint16_t>()};
  opener.to = ClientNo{reader.number<std::uint16_t>()};
  opener.campaign = reader.number<std::uint32_t>();
  opener.nonce = reader.number<std::uint64_t>();
  return opener;
}

bool check_opener(Bytes datagram, const ProbeKey& key) {
  if (datagram.size() != kOpenerSize) return false;
  std::array<std::uint8_t, kMacSize> mac{};
  blake2b(mac, key, {datagram.first(kBodySize)});
  return equal_secret(mac, datagram.subspan(kBodySize));
}

}  // namespace wormhole
