#include "crypto/noise.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "unit/crypto/support.hpp"

namespace wormhole {
namespace {

using namespace test;

TEST(Noise, HmacIsNotTheKeyedHash) {
  noise::Hash key;
  for (std::size_t i = 0; i < key.bytes.size(); ++i) key.bytes[i] = static_cast<std::uint8_t>(i);
  // Python: hmac.new(bytes(range(64)), b"wormhole", hashlib.blake2b)
  const auto expected =
      "7b93a7111761734ffedccaf0c7a2e38458b58023b756b38bcdfefde11c8af8b6"
      "d647cf94c6d216fd5e2e21ba859e27f1645b4f878cad6cf831833c7b4a7e8066";
  EXPECT_EQ(to_hex(noise::hmac(key, as_bytes("worm"), as_bytes("hole")).bytes), expected);
  Array<64> keyed{};
  blake2b(keyed, key.bytes, {as_bytes("wormhole")});
  EXPECT_NE(to_hex(keyed), expected);
}

/// The published vector as parsed JSON; nothing when the file is not there.
class NoiseVector {
 public:
  static std::string path() {
    const char* const set = std::getenv("WORMHOLE_NOISE_VECTOR");
    return set != nullptr ? set
                          : WORMHOLE_TEST_DATA
               "/../../shared/vectors/noise_ikpsk2_25519_chachapoly_blake2b.json";
  }
  bool load() {
    std::ifstream file(path());
    if (!file) return false;
    std::stringstream text;
    text << file.rdbuf();
    object_ = boost::json::parse(text.str()).as_object();
    return true;
  }
  std::vector<std::uint8_t> bytes(std::string_view name) const { return hex(object_.at(name)); }
  SecretKey secret(std::string_view name) const { return as_secret(bytes(name)); }
  SecretKey psk(std::string_view name) const { return as_secret(hex(object_.at(name).at(0))); }
  KeyPair pair(std::string_view name) const { return KeyPair::from_secret(secret(name)); }
  std::size_t messages() const { return object_.at("messages").as_array().size(); }
  std::vector<std::uint8_t> message(std::size_t i, std::string_view part) const {
    return hex(object_.at("messages").at(i).at(part));
  }

 private:
  static std::vector<std::uint8_t> hex(const boost::json::value& value) {
    return from_hex(std::string(value.as_string()));
  }
  static SecretKey as_secret(const std::vector<std::uint8_t>& raw) {
    SecretKey key;
    copy_bytes(Bytes(raw).first(32), key.bytes);
    return key;
  }
  boost::json::object object_;
};

TEST(Noise, PublishedVector) {
  NoiseVector vector;
  if (!vector.load()) {
    GTEST_SKIP() << "the published Noise vector is not at " << NoiseVector::path()
                 << "; set WORMHOLE_NOISE_VECTOR to the file";
  }
  const auto prologue = vector.bytes("init_prologue");
  const auto server = vector.pair("resp_static");
  ASSERT_EQ(to_hex(server.public_key.bytes), to_hex(vector.bytes("init_remote_static")));
  noise::Initiator initiator(vector.pair("init_static"), server.public_key, vector.psk("init_psks"),
                             prologue, vector.pair("init_ephemeral"));
  noise::Responder responder(server, vector.psk("resp_psks"), prologue);

  const auto first = vector.message(0, "payload");
  std::vector<std::uint8_t> wire(first.size() + noise::kFirstOverhead);
  std::vector<std::uint8_t> read(first.size());
  ASSERT_TRUE(initiator.write_first(first, wire));
  EXPECT_EQ(wire, vector.message(0, "ciphertext"));
  ASSERT_TRUE(responder.read_first(wire, read));
  EXPECT_EQ(read, first);

  const auto second = vector.message(1, "payload");
  wire.assign(second.size() + noise::kSecondOverhead, 0);
  read.assign(second.size(), 0);
  ASSERT_TRUE(responder.write_second(vector.pair("resp_ephemeral"), second, wire));
  EXPECT_EQ(wire, vector.message(1, "ciphertext"));
  ASSERT_TRUE(initiator.read_second(wire, read));
  EXPECT_EQ(read, second);
  EXPECT_EQ(to_hex(initiator.symmetric().handshake_hash().bytes),
            to_hex(vector.bytes("handshake_hash")));

  const auto ours = initiator.symmetric().split();
  const auto theirs = responder.symmetric().split();
  EXPECT_EQ(ours.to_initiator.bytes, theirs.to_initiator.bytes);
  for (std::size_t i = 2; i < vector.messages(); ++i) {
    auto frame = vector.message(i, "payload");
    const auto size = frame.size();
    frame.resize(size + kTagSize);
    const auto& key = i % 2 == 0 ? ours.to_responder : ours.to_initiator;
    seal_in_place(key, i / 2 - 1, {}, MutBytes(frame).first(size));
    EXPECT_EQ(frame, vector.message(i, "ciphertext")) << i;
  }
}

TEST(Noise, MessagesOfTheWrongLengthAreRefused) {
  const auto server = key_pair(1);
  Array<4> payload{};
  for (std::size_t n = 0; n < noise::kFirstOverhead + payload.size(); ++n) {
    noise::Responder responder(server, {}, {});
    EXPECT_FALSE(responder.read_first(std::vector<std::uint8_t>(n), payload));
  }
}

}  // namespace
}  // namespace wormhole
