#include "unit/crypto/support.hpp"

#include <gtest/gtest.h>

#include <numeric>

namespace wormhole::test {
namespace {

class SodiumEnvironment : public ::testing::Environment {
  void SetUp() override { crypto_init(); }
};

// gtest owns it. Registered before main() runs, so that every test of the room finds libsodium
// ready.
[[maybe_unused]] const auto* const kSodium =
    ::testing::AddGlobalTestEnvironment(new SodiumEnvironment);

}  // namespace

std::string to_hex(Bytes bytes) {
  std::string text;
  for (const std::uint8_t byte : bytes) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

std::vector<std::uint8_t> from_hex(std::string_view hex) {
  std::vector<std::uint8_t> bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes.push_back(
        static_cast<std::uint8_t>(std::stoul(std::string(hex.substr(i, 2)), nullptr, 16)));
  }
  return bytes;
}

std::array<std::uint8_t, 32> counting(std::uint8_t first) {
  std::array<std::uint8_t, 32> bytes{};
  std::iota(bytes.begin(), bytes.end(), first);
  return bytes;
}

KeyPair key_pair(std::uint8_t first) { return KeyPair::from_secret(SecretKey(counting(first))); }

std::vector<PublicKey> low_order_points() {
  // https://cr.yp.to/ecdh.html#validate: 0, 1, two of order 8, p-1, p and p+1 (little-endian).
  std::vector<PublicKey> points;
  for (const std::string_view hex : {
           "0000000000000000000000000000000000000000000000000000000000000000",
           "0100000000000000000000000000000000000000000000000000000000000000",
           "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
           "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
           "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
           "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
           "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
       }) {
    copy_bytes(from_hex(hex), points.emplace_back().bytes);
  }
  return points;
}

Handshake::Handshake() {
  if (!initiator.write_init(0xa1b2c3d4, init_payload, std::nullopt, init)) std::abort();
}

std::optional<Responder> Handshake::receive(Bytes message) const {
  const auto key = mac1_key(server.public_key, context.knock);
  if (message.size() != kInitSize || !check_mac1(message, key)) return std::nullopt;
  return Responder::read_init(server, context, message);
}

std::pair<RespMessage, TransportKeys> Handshake::answer() {
  auto responder = receive(init);
  RespMessage resp{};
  const auto keys = responder.value().write_resp(0x0badf00d, resp_payload, rng, resp);
  return {resp, keys.value()};
}

}  // namespace wormhole::test
