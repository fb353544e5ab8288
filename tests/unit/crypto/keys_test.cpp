#include "wormhole/crypto/keys.hpp"

#include <gtest/gtest.h>

#include <new>

#include "unit/crypto/support.hpp"

namespace wormhole {
namespace {

using namespace test;

TEST(Keys, X25519OfRfc7748) {
  // RFC 7748 5.2, first iteration: scalar 9 times the base point.
  SecretKey nine;
  nine.bytes[0] = 9;
  EXPECT_EQ(to_hex(KeyPair::from_secret(nine).public_key.bytes),
            "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079");
}

TEST(Keys, SecretsAreWipedWhenTheyGo) {
  alignas(SecretKey) std::array<std::uint8_t, sizeof(SecretKey)> memory{};
  auto* const key = new (memory.data()) SecretKey(counting(1));
  ASSERT_EQ(memory[5], 6);
  key->~SecretKey();
  for (const auto byte : memory) EXPECT_EQ(byte, 0);
}

TEST(Keys, TextGoesRoundAndSecretsAndPublicKeysLookAlike) {
  const PublicKey key{counting(0)};
  EXPECT_EQ(to_text(key), "wh1AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8");
  EXPECT_EQ(parse_public_key(to_text(key)), key);
  EXPECT_EQ(to_text(SecretKey(counting(0))), to_text(key));
  EXPECT_EQ(parse_secret_key(to_text(key))->bytes, key.bytes);
}

TEST(Keys, TextThatIsNotAKeyIsRefused) {
  const auto good = to_text(PublicKey{counting(0)});
  for (std::size_t n = 0; n < good.size(); ++n) {
    EXPECT_FALSE(parse_public_key(good.substr(0, n))) << n;
    auto broken = good;
    broken[n] = '*';
    EXPECT_FALSE(parse_secret_key(broken)) << n;
  }
  auto non_canonical = good;
  non_canonical.back() = '9';  // the same 32 bytes, two stray bits more
  for (const auto& bad : {good + "A", good + "=", " " + good, good + "\n", "wh2" + good.substr(3),
                          good.substr(3), non_canonical}) {
    EXPECT_FALSE(parse_public_key(bad)) << bad;
  }
}

TEST(Keys, FingerprintIsFiveGroups) {
  EXPECT_EQ(fingerprint(PublicKey{counting(0)}), "cb2f-5160-fc1f-7e05-a55e");
  EXPECT_NE(fingerprint(PublicKey{counting(1)}), fingerprint(PublicKey{counting(0)}));
}

TEST(Keys, Base64urlGoesRoundAtEveryLength) {
  SeededRng rng(1);
  for (std::size_t n = 0; n < 100; ++n) {
    std::vector<std::uint8_t> bytes(n);
    rng.fill(bytes);
    const auto text = base64url_encode(bytes);
    EXPECT_EQ(text.find_first_of("+/="), std::string::npos);
    EXPECT_EQ(base64url_decode(text), bytes);
  }
  // RFC 4648 10.
  EXPECT_EQ(base64url_encode(as_bytes("foobar")), "Zm9vYmFy");
  EXPECT_EQ(base64url_encode(as_bytes("fooba")), "Zm9vYmE");
  EXPECT_EQ(base64url_encode(as_bytes("foob")), "Zm9vYg");
}

TEST(Keys, Base64urlRefusesOtherSpellings) {
  using namespace std::string_view_literals;
  for (const auto bad : {"A"sv, "AAAAA"sv, "Zg=="sv, "Zh"sv, "Zm9="sv, "Zm 9v"sv, "Zm9v\n"sv,
                         "Zm+v"sv, "Zm/v"sv, "Zm\0v"sv, "\xc3\xa4zz"sv}) {
    EXPECT_FALSE(base64url_decode(bad)) << bad;
  }
  EXPECT_TRUE(base64url_decode("")->empty());
  int digits = 0;
  for (int c = 0; c < 256; ++c) {
    const std::string text(4, static_cast<char>(c));
    const auto bytes = base64url_decode(text);
    if (bytes) {
      EXPECT_EQ(base64url_encode(*bytes), text) << c;
      ++digits;
    }
  }
  EXPECT_EQ(digits, 64);
}

TEST(Keys, Blake2bJoinsItsParts) {
  Array<64> whole{};
  Array<64> parts{};
  blake2b(whole, {}, {as_bytes("abc")});
  blake2b(parts, {}, {as_bytes("a"), {}, as_bytes("bc")});
  EXPECT_EQ(whole, parts);
  // RFC 7693 appendix A.
  EXPECT_EQ(to_hex(whole),
            "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
            "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923");
}

TEST(Keys, ComparisonInConstantTime) {
  const auto a = counting(0);
  auto b = a;
  EXPECT_TRUE(equal_secret(a, b));
  EXPECT_TRUE(equal_secret({}, {}));
  b[31] ^= 1;
  EXPECT_FALSE(equal_secret(a, b));
  EXPECT_FALSE(equal_secret(a, Bytes(a).first(31)));
  EXPECT_TRUE(PublicKey{}.is_zero());
  EXPECT_FALSE(PublicKey{b}.is_zero());
}

}  // namespace
}  // namespace wormhole
