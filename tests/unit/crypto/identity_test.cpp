#include "wormhole/crypto/identity.hpp"

#include <gtest/gtest.h>

#include "unit/crypto/support.hpp"

namespace wormhole {
namespace {

using namespace test;

TEST(SigningKey, Ed25519OfRfc8032) {
  // RFC 8032 7.1, test 1: the empty message.
  SecretKey seed;
  copy_bytes(from_hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"),
             seed.bytes);
  const auto key = SigningKey::from_seed(seed);
  EXPECT_EQ(to_hex(key.public_key.bytes),
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  EXPECT_EQ(to_hex(key.sign({})),
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
            "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b");
  EXPECT_TRUE(verify(key.public_key, {}, key.sign({})));
}

TEST(SigningKey, RefusesEveryFlippedBit) {
  SeededRng rng(5);
  const auto key = SigningKey::generate(rng);
  const auto signature = key.sign(as_bytes("text"));
  EXPECT_TRUE(verify(key.public_key, as_bytes("text"), signature));
  EXPECT_FALSE(verify(key.public_key, as_bytes("texT"), signature));
  EXPECT_FALSE(verify(SigningKey::generate(rng).public_key, as_bytes("text"), signature));
  for (std::size_t bit = 0; bit < 512; ++bit) {
    auto flipped = signature;
    flipped[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    EXPECT_FALSE(verify(key.public_key, as_bytes("text"), flipped)) << bit;
  }
}

TEST(SigningKey, AWrongPublicHalfDoesNotChangeTheSignature) {
  SeededRng rng(5);
  auto key = SigningKey::generate(rng);
  const auto signature = key.sign(as_bytes("text"));
  key.public_key = SigningKey::generate(rng).public_key;
  EXPECT_EQ(key.sign(as_bytes("text")), signature);
}

/// A genuine chain, for the tests to forge.
struct Binding : ::testing::Test {
  SeededRng rng{6};
  SigningKey network_key = SigningKey::generate(rng);
  SigningKey invite = SigningKey::generate(rng);
  NetworkId network{4, 5, 6};
  InviteStatement statement =
      make_statement(network_key, network, "drone-1", invite.public_key, 7, 1800000000);
  PublicKey client = key_pair(0x20).public_key;
  KeyBinding genuine = make_binding(invite.seed, network, statement, client);

  bool holds(const KeyBinding& binding) const {
    return verify_binding(binding, network_key.public_key, network);
  }
};

TEST_F(Binding, AGenuineOneHolds) {
  EXPECT_TRUE(holds(genuine));
  EXPECT_EQ(genuine.id, "drone-1");
  EXPECT_EQ(genuine.key, client);
  EXPECT_EQ(genuine.serial(), 7U);
}

TEST_F(Binding, OneWithoutAChainDoesNotHoldAndHasSerialZero) {
  const KeyBinding by_hand{"drone-1", client, std::nullopt};
  EXPECT_FALSE(holds(by_hand));
  EXPECT_EQ(by_hand.serial(), 0U);
}

TEST_F(Binding, OfAnotherNetworkOrSigningKeyDoesNotHold) {
  EXPECT_FALSE(verify_binding(genuine, network_key.public_key, NetworkId{4, 5, 7}));
  EXPECT_FALSE(verify_binding(genuine, invite.public_key, network));
  EXPECT_FALSE(verify_binding(genuine, PublicKey{}, network));
}

TEST_F(Binding, EveryChangedFieldBreaksIt) {
  const auto broken = [&](auto change) {
    auto binding = genuine;
    change(binding);
    return !holds(binding);
  };
  EXPECT_TRUE(broken([](auto& b) { b.id = "drone-2"; }));
  EXPECT_TRUE(broken([](auto& b) { b.chain->statement.id = "drone-2"; }));
  EXPECT_TRUE(broken([](auto& b) { b.id = b.chain->statement.id = "drone-2"; }));
  EXPECT_TRUE(broken([](auto& b) { b.id = b.chain->statement.id = ""; }));
  EXPECT_TRUE(broken([](auto& b) { b.id = b.chain->statement.id = std::string(256, 'a'); }));
  EXPECT_TRUE(broken([](auto& b) { b.key = key_pair(0x21).public_key; }));
  EXPECT_TRUE(broken([](auto& b) { b.chain->statement.serial = 8; }));
  EXPECT_TRUE(broken([](auto& b) { b.chain->statement.expires_s += 1; }));
  EXPECT_TRUE(broken([](auto& b) { b.chain->statement.invite_key.bytes[0] ^= 1; }));
  EXPECT_TRUE(broken([](auto& b) { b.chain->statement.signature[0] ^= 1; }));
  EXPECT_TRUE(broken([](auto& b) { b.chain->proof[63] ^= 1; }));
  EXPECT_TRUE(broken([](auto& b) { b.chain->proof = b.chain->statement.signature; }));
  EXPECT_TRUE(broken([](auto& b) { b.chain.reset(); }));
}

TEST_F(Binding, AForgedLinkInEachPlaceDoesNotHold) {
  const auto mallory = SigningKey::generate(rng);
  // The first link: a statement signed by somebody else.
  const auto own = make_statement(mallory, network, "drone-1", mallory.public_key, 8, 1800000000);
  EXPECT_FALSE(holds(make_binding(mallory.seed, network, own, client)));
  // The second: the genuine statement, the proof by another key than T.
  EXPECT_FALSE(holds(make_binding(mallory.seed, network, statement, client)));
  // A genuine invite for another ID, used for this one.
  const auto other =
      make_statement(network_key, network, "drone-2", mallory.public_key, 8, 1800000000);
  auto renamed = make_binding(mallory.seed, network, other, client);
  EXPECT_TRUE(holds(renamed));
  renamed.id = "drone-1";
  EXPECT_FALSE(holds(renamed));
  // A genuine proof of an older serial under a newer statement of the same T.
  auto newer = genuine;
  newer.chain->statement =
      make_statement(network_key, network, "drone-1", invite.public_key, 8, 1800000000);
  EXPECT_FALSE(holds(newer));
}

TEST(Identity, HashesTellIdsAndInvitesApart) {
  EXPECT_NE(id_hash("a"), id_hash("b"));
  EXPECT_NE(invite_hash(PublicKey{counting(1)}), invite_hash(PublicKey{counting(2)}));
  // Python: hashlib.blake2b(b"wh1 id" + b"drone-1", digest_size=16)
  EXPECT_EQ(to_hex(id_hash("drone-1")), "9f0fb2458bf3b2cf6293d74c6e03ec5d");
}

}  // namespace
}  // namespace wormhole
