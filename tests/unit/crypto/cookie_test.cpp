#include "wormhole/crypto/cookie.hpp"

#include <gtest/gtest.h>

#include "unit/crypto/support.hpp"

namespace wormhole {
namespace {

using namespace test;

using CookieMessage = std::array<std::uint8_t, kCookieSize>;

constexpr TimePoint kStart{1h};

/// A handshake whose server asks for cookies.
struct Cookies : ::testing::Test {
  Handshake pair;
  SeededRng rng{21};
  CookieJar jar{pair.server.public_key, pair.context.knock, rng};
  Endpoint from = Endpoint::parse("192.0.2.1:4000").value();

  CookieMessage ask(TimePoint now) {
    CookieMessage message{};
    jar.write_cookie(pair.init, from, now, message);
    return message;
  }
  /// The INIT once more, with the cookie of `message`.
  InitMessage init_with(const CookieMessage& message) {
    InitMessage init{};
    const auto cookie = pair.initiator.read_cookie(message);
    EXPECT_TRUE(cookie);
    EXPECT_TRUE(pair.initiator.write_init(0, pair.init_payload, cookie, init));
    return init;
  }
};

TEST_F(Cookies, ProveTheAddress) {
  EXPECT_FALSE(jar.check_mac2(pair.init, from, kStart));
  const auto init = init_with(ask(kStart));
  EXPECT_TRUE(jar.check_mac2(init, from, kStart));
  EXPECT_TRUE(pair.receive(init));
  for (const auto* other : {"192.0.2.1:4001", "192.0.2.2:4000", "[2001:db8::1]:4000"}) {
    EXPECT_FALSE(jar.check_mac2(init, Endpoint::parse(other).value(), kStart)) << other;
  }
}

TEST_F(Cookies, CoverTheWholeInit) {
  const auto init = init_with(ask(kStart));
  for (std::size_t i = 0; i < kInitSize; ++i) {
    auto flipped = init;
    flipped[i] ^= 1;
    EXPECT_FALSE(jar.check_mac2(flipped, from, kStart)) << i;
    EXPECT_FALSE(jar.check_mac2(Bytes(init).first(i), from, kStart)) << i;
  }
}

TEST_F(Cookies, LiveBetweenOneAndTwoLivesOfASecret) {
  const auto early = init_with(ask(kStart));
  const auto late = init_with(ask(kStart + 119s));
  EXPECT_TRUE(jar.check_mac2(early, from, kStart + 239s));
  EXPECT_TRUE(jar.check_mac2(late, from, kStart + 239s));
  EXPECT_FALSE(jar.check_mac2(early, from, kStart + 240s));
  EXPECT_FALSE(jar.check_mac2(late, from, kStart + 240s));
}

TEST_F(Cookies, ALateCallDoesNotLengthenTheirLife) {
  const auto init = init_with(ask(kStart));
  ask(kStart + 200s);  // renews the secret 80 s late
  EXPECT_TRUE(jar.check_mac2(init, from, kStart + 239s));
  EXPECT_FALSE(jar.check_mac2(init, from, kStart + 240s));
}

TEST_F(Cookies, DieInSilenceToo) {
  const auto init = init_with(ask(kStart));
  EXPECT_FALSE(jar.check_mac2(init, from, kStart + 1000s));
}

TEST_F(Cookies, OfTheNewSecretOutliveTheOldOne) {
  const auto early = init_with(ask(kStart));
  const auto late = init_with(ask(kStart + 120s));
  EXPECT_NE(early, late);
  EXPECT_TRUE(jar.check_mac2(early, from, kStart + 130s));
  EXPECT_TRUE(jar.check_mac2(late, from, kStart + 359s));
  EXPECT_FALSE(jar.check_mac2(early, from, kStart + 359s));
}

TEST_F(Cookies, OfAnotherJarAreRefused) {
  CookieJar other(pair.server.public_key, pair.context.knock, rng);
  const auto init = init_with(ask(kStart));
  EXPECT_FALSE(other.check_mac2(init, from, kStart));
}

TEST_F(Cookies, AMessageCutOrFlippedAnywhereIsRefused) {
  const auto message = ask(kStart);
  for (std::size_t i = 0; i < kCookieSize; ++i) {
    auto flipped = message;
    flipped[i] ^= 0x10;
    EXPECT_FALSE(pair.initiator.read_cookie(flipped)) << i;
    EXPECT_FALSE(pair.initiator.read_cookie(Bytes(message).first(i))) << i;
  }
  EXPECT_TRUE(pair.initiator.read_cookie(message));
  EXPECT_TRUE(pair.initiator.read_resp(pair.answer().first));
  EXPECT_FALSE(pair.initiator.read_cookie(message));  // the attempt is over
}

TEST_F(Cookies, BelongToOneInit) {
  const auto message = ask(kStart);
  Initiator other(pair.client, pair.server.public_key, pair.context, pair.rng);
  InitMessage init{};
  ASSERT_TRUE(other.write_init(0xa1b2c3d4, pair.init_payload, std::nullopt, init));
  EXPECT_FALSE(other.read_cookie(message));  // the same index, another MAC1
}

TEST_F(Cookies, NeedTheKnock) {
  auto knock = pair.context.knock;
  knock[0] ^= 1;
  CookieJar stranger(pair.server.public_key, knock, rng);
  CookieMessage message{};
  stranger.write_cookie(pair.init, from, kStart, message);
  EXPECT_FALSE(pair.initiator.read_cookie(message));
}

}  // namespace
}  // namespace wormhole
