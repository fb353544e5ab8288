#include "wormhole/session/initiation.hpp"

#include <gtest/gtest.h>

#include "wormhole/crypto/cookie.hpp"

namespace wormhole {
namespace {

/// An initiator whose responder is under load.
struct Loaded {
  SeededRng rng{5};
  KeyPair self = KeyPair::generate(rng);
  KeyPair server = KeyPair::generate(rng);
  Initiation initiation{self, server.public_key, HandshakeContext{hop_prologue({}), {}, {}}, {}};
  CookieJar jar{server.public_key, {}, rng};
  Endpoint from = *Endpoint::parse("203.0.113.8:1001");
  TimePoint now{1s};

  std::array<std::uint8_t, kCookieSize> cookie_for(const InitMessage& init) {
    std::array<std::uint8_t, kCookieSize> cookie{};
    jar.write_cookie(init, from, now, cookie);
    return cookie;
  }
};

TEST(Initiation, ACookieIsAnsweredOnce) {
  Loaded loaded;
  loaded.initiation.start(loaded.now);
  const auto init = loaded.initiation.next_init(1, loaded.now, loaded.rng);
  ASSERT_TRUE(init);
  const auto cookie = loaded.cookie_for(*init);
  const auto again = loaded.initiation.on_cookie(cookie);
  ASSERT_TRUE(again);
  EXPECT_TRUE(loaded.jar.check_mac2(*again, loaded.from, loaded.now));
  EXPECT_FALSE(loaded.initiation.on_cookie(cookie));
}

TEST(Initiation, ACookieThatComesAfterTheNextInitIsGood) {
  Loaded loaded;
  loaded.initiation.start(loaded.now);
  const auto first = loaded.initiation.next_init(1, loaded.now, loaded.rng);
  ASSERT_TRUE(first);
  const auto cookie = loaded.cookie_for(*first);
  loaded.now += 1s;  // a long path: the retry is out before the answer is in
  ASSERT_TRUE(loaded.initiation.next_init(2, loaded.now, loaded.rng));
  const auto again = loaded.initiation.on_cookie(cookie);
  ASSERT_TRUE(again);
  EXPECT_TRUE(loaded.jar.check_mac2(*again, loaded.from, loaded.now));
}

}  // namespace
}  // namespace wormhole
