// Golden vectors of our own messages: tests/vectors/crypto.json, with their inputs, for whoever
// writes another implementation. They pin the bytes: a change of them is a change of the protocol.
// To write the file anew: WORMHOLE_WRITE_VECTORS=1 build/tests/unit_tests
// --gtest_filter='GoldenCrypto.*'
#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "unit/crypto/support.hpp"
#include "wormhole/crypto/cookie.hpp"
#include "wormhole/crypto/identity.hpp"
#include "wormhole/crypto/seal.hpp"

namespace wormhole {
namespace {

using namespace test;
using boost::json::object;

std::string vectors_path() { return WORMHOLE_TEST_DATA "/vectors/crypto.json"; }

/// Gives out the bytes it was made of, in order.
class FixedRng final : public Rng {
 public:
  explicit FixedRng(std::vector<std::uint8_t> bytes) : bytes_(std::move(bytes)) {}
  void fill(MutBytes out) override {
    copy_bytes(Bytes(bytes_).subspan(used_, out.size()), out);
    used_ += out.size();
  }

 private:
  std::vector<std::uint8_t> bytes_;
  std::size_t used_ = 0;
};

FixedRng fixed(std::initializer_list<std::uint8_t> firsts) {
  std::vector<std::uint8_t> bytes;
  for (const auto first : firsts) {
    for (const auto byte : counting(first)) bytes.push_back(byte);
  }
  return FixedRng(bytes);
}

template <std::size_t N>
std::array<std::uint8_t, N> filled(std::uint8_t first) {
  std::array<std::uint8_t, N> bytes{};
  for (std::size_t i = 0; i < N; ++i) bytes[i] = static_cast<std::uint8_t>(first + i);
  return bytes;
}

const NetworkId kNetwork = filled<16>(0x01);
const KnockKey kKnock = counting(0x80);

/// The e2e handshake of all its sections: client "a" speaks to client "b" with a pair psk.
struct Golden {
  KeyPair initiator_key = key_pair(0x10);
  KeyPair responder_key = key_pair(0x40);
  HandshakeContext context{e2e_prologue(kNetwork, "a", "b"), kKnock, SecretKey(counting(0x60))};
  std::array<std::uint8_t, kInitPayloadSize> init_payload = filled<kInitPayloadSize>(0xa0);
  std::array<std::uint8_t, kRespPayloadSize> resp_payload = filled<kRespPayloadSize>(0x01);
  FixedRng rng = fixed({0x20, 0x50});  // the two ephemeral keys
  Initiator initiator{initiator_key, responder_key.public_key, context, rng};
  InitMessage init{};
  RespMessage resp{};
  TransportKeys keys;

  Golden() {
    EXPECT_TRUE(initiator.write_init(0x11223344, init_payload, std::nullopt, init));
    auto responder = Responder::read_init(responder_key, context, init);
    keys = responder.value().write_resp(0x55667788, resp_payload, rng, resp).value();
  }
};

object init_vector() {
  Golden golden;
  InitMessage with_cookie{};
  const auto cookie = filled<kMacSize>(0xc0);
  EXPECT_TRUE(golden.initiator.write_init(0, golden.init_payload, cookie, with_cookie));
  return {{"initiator_secret", to_hex(golden.initiator_key.secret.bytes)},
          {"responder_secret", to_hex(golden.responder_key.secret.bytes)},
          {"responder_public", to_hex(golden.responder_key.public_key.bytes)},
          {"initiator_ephemeral_secret", to_hex(counting(0x20))},
          {"network", to_hex(kNetwork)},
          {"initiator_id", "a"},
          {"responder_id", "b"},
          {"prologue", to_hex(golden.context.prologue)},
          {"hop_prologue", to_hex(hop_prologue(kNetwork))},
          {"knock", to_hex(kKnock)},
          {"psk", to_hex(golden.context.psk.bytes)},
          {"mac1_key", to_hex(mac1_key(golden.responder_key.public_key, kKnock).bytes)},
          {"sender_index", "0x11223344"},
          {"payload", to_hex(golden.init_payload)},
          {"init", to_hex(golden.init)},
          {"cookie", to_hex(cookie)},
          {"init_with_cookie", to_hex(with_cookie)}};
}

object resp_vector() {
  Golden golden;
  return {{"responder_ephemeral_secret", to_hex(counting(0x50))},
          {"sender_index", "0x55667788"},
          {"payload", to_hex(golden.resp_payload)},
          {"resp", to_hex(golden.resp)},
          {"initiator_to_responder", to_hex(golden.keys.receive.bytes)},
          {"responder_to_initiator", to_hex(golden.keys.send.bytes)}};
}

object cookie_vector() {
  const Golden golden;
  // The jar draws the secret before the current one, the current one, and each message's nonce.
  FixedRng rng = fixed({0x70, 0x90, 0xd0});
  CookieJar jar(golden.responder_key.public_key, kKnock, rng);
  std::array<std::uint8_t, kCookieSize> message{};
  const auto from = Endpoint::parse("192.0.2.1:4000").value();
  jar.write_cookie(golden.init, from, TimePoint{1s}, message);
  const auto cookie = golden.initiator.read_cookie(message);
  return {{"jar_secret", to_hex(counting(0x90))},
          {"nonce", to_hex(filled<24>(0xd0))},
          {"from", from.to_string()},
          {"init", to_hex(golden.init)},
          {"cookie_message", to_hex(message)},
          {"cookie", to_hex(cookie.value())}};
}

object frame_vector() {
  const SecretKey direction(counting(0x33));
  const auto key = flow_key(direction, "video");
  // Relayed, no flags, flow 5, to local index 7 of client 3, the counter below.
  const Array<12> header{0x11, 0, 5, 0, 7, 0, 3, 0, 4, 3, 2, 1};
  constexpr std::uint64_t kCounter = 0x01020304;
  std::vector<std::uint8_t> frame(40 + kTagSize);
  copy_bytes(filled<40>(0x00), frame);
  seal_in_place(key, kCounter, Bytes(header).subspan(1), MutBytes(frame).first(40));
  const auto tag_key = hop_tag_key(direction);
  return {{"direction_key", to_hex(direction.bytes)},
          {"control_key", to_hex(flow_key(direction, "").bytes)},
          {"flow_name", "video"},
          {"flow_key", to_hex(key.bytes)},
          {"header", to_hex(header)},
          {"associated_data", to_hex(Bytes(header).subspan(1))},
          {"counter", "0x01020304"},
          {"plaintext", to_hex(filled<40>(0x00))},
          {"ciphertext_and_tag", to_hex(frame)},
          {"hop_tag_key", to_hex(tag_key)},
          {"hop_tag", to_hex(hop_tag(tag_key, header))}};
}

object enrolment_vector() {
  const auto signing = SigningKey::from_seed(SecretKey(counting(0x03)));
  const auto invite = SigningKey::from_seed(SecretKey(counting(0x04)));
  const auto client = key_pair(0x05);
  const auto server = key_pair(0x06);
  const auto statement =
      make_statement(signing, kNetwork, "drone-1", invite.public_key, 7, 1800000000);
  const auto binding = make_binding(invite.seed, kNetwork, statement, client.public_key);
  EXPECT_TRUE(verify_binding(binding, signing.public_key, kNetwork));
  const InviteCode code{
      "relay.example.org",
      {Endpoint::parse("192.0.2.1:7700").value(), Endpoint::parse("[2001:db8::1]:7700").value()},
      {kNetwork, server.public_key, kKnock, signing.public_key},
      statement,
      invite.seed};
  return {{"network", to_hex(kNetwork)},
          {"knock", to_hex(kKnock)},
          {"signing_seed", to_hex(signing.seed.bytes)},
          {"signing_public", to_hex(signing.public_key.bytes)},
          {"invite_seed", to_hex(invite.seed.bytes)},
          {"invite_public", to_hex(invite.public_key.bytes)},
          {"server_public", to_hex(server.public_key.bytes)},
          {"client_public", to_hex(client.public_key.bytes)},
          {"id", "drone-1"},
          {"serial", "7"},
          {"expires", "1800000000"},
          {"statement", to_hex(statement.signature)},
          {"proof", to_hex(binding.chain->proof)},
          {"id_hash", to_hex(id_hash("drone-1"))},
          {"invite_hash", to_hex(invite_hash(invite.public_key))},
          {"server_name", code.server_name},
          {"addresses", "192.0.2.1:7700 [2001:db8::1]:7700"},
          {"invite_code", encode_invite(code)}};
}

object key_text_vector() {
  const PublicKey key{counting(0x00)};
  return {{"key", to_hex(key.bytes)}, {"text", to_text(key)}, {"fingerprint", fingerprint(key)}};
}

using Section = std::pair<const char*, object (*)()>;
constexpr std::array<Section, 6> kSections{{{"init", init_vector},
                                            {"resp", resp_vector},
                                            {"cookie", cookie_vector},
                                            {"frame", frame_vector},
                                            {"enrolment", enrolment_vector},
                                            {"key_text", key_text_vector}}};

/// Two levels of objects, one value a line, so that a change shows in a diff.
void write_vectors() {
  std::ofstream file(vectors_path());
  const char* section_end = "{\n";
  for (const auto& [name, make] : kSections) {
    file << section_end << "  \"" << name << "\": {";
    const char* value_end = "\n";
    for (const auto& [key, value] : make()) {
      file << value_end << "    \"" << std::string_view(key)
           << "\": " << boost::json::serialize(value);
      value_end = ",\n";
    }
    file << "\n  }";
    section_end = ",\n";
  }
  file << "\n}\n";
  ASSERT_TRUE(file.flush()) << vectors_path();
}

class GoldenCrypto : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (std::getenv("WORMHOLE_WRITE_VECTORS") != nullptr) write_vectors();
  }

  /// Compares what we make today with the file.
  static void check(const Section& section) {
    std::ifstream file(vectors_path());
    ASSERT_TRUE(file) << vectors_path();
    std::stringstream text;
    text << file.rdbuf();
    const auto vectors = boost::json::parse(text.str());
    const auto& [name, make] = section;
    const auto& expected = vectors.at(name).as_object();
    const object made = make();
    EXPECT_EQ(made.size(), expected.size());
    for (const auto& [key, value] : expected) EXPECT_EQ(made.at(key), value) << key;
  }
};

TEST_F(GoldenCrypto, Init) { check(kSections[0]); }
TEST_F(GoldenCrypto, Resp) { check(kSections[1]); }
TEST_F(GoldenCrypto, Cookie) { check(kSections[2]); }
TEST_F(GoldenCrypto, Frame) { check(kSections[3]); }
TEST_F(GoldenCrypto, Enrolment) { check(kSections[4]); }
TEST_F(GoldenCrypto, KeyText) { check(kSections[5]); }

}  // namespace
}  // namespace wormhole
