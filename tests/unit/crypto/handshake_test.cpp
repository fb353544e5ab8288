#include "wormhole/crypto/handshake.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "unit/crypto/support.hpp"

namespace wormhole {
namespace {

using namespace test;

TEST(Handshake, BothEndsAgree) {
  Handshake pair;
  const auto responder = pair.receive(pair.init);
  ASSERT_TRUE(responder);
  EXPECT_EQ(responder->initiator_key(), pair.client.public_key);
  EXPECT_EQ(responder->initiator_index(), 0xa1b2c3d4U);
  EXPECT_EQ(responder->payload(), pair.init_payload);

  const auto [resp, server_keys] = pair.answer();
  const auto accepted = pair.initiator.read_resp(resp);
  ASSERT_TRUE(accepted);
  EXPECT_EQ(accepted->peer_index, 0x0badf00dU);
  EXPECT_EQ(accepted->payload, pair.resp_payload);
  EXPECT_EQ(accepted->keys.send.bytes, server_keys.receive.bytes);
  EXPECT_EQ(accepted->keys.receive.bytes, server_keys.send.bytes);
  EXPECT_NE(accepted->keys.send.bytes, accepted->keys.receive.bytes);
}

TEST(Handshake, ARespIsAcceptedOnceAndWrittenOnce) {
  Handshake pair;
  auto responder = pair.receive(pair.init);
  RespMessage resp{};
  RespMessage again{};
  ASSERT_TRUE(responder->write_resp(1, pair.resp_payload, pair.rng, resp));
  EXPECT_FALSE(responder->write_resp(1, pair.resp_payload, pair.rng, again));
  EXPECT_TRUE(pair.initiator.read_resp(resp));
  EXPECT_FALSE(pair.initiator.read_resp(resp));
}

TEST(Handshake, TwoAttemptsShareNoKey) {
  Handshake one;
  Handshake two;
  two.initiator = Initiator(two.client, two.server.public_key, two.context, one.rng);
  ASSERT_TRUE(two.initiator.write_init(1, two.init_payload, std::nullopt, two.init));
  EXPECT_NE(one.init, two.init);
  EXPECT_NE(one.answer().second.send.bytes, two.answer().second.send.bytes);
  EXPECT_FALSE(one.initiator.read_resp(two.answer().first));
}

TEST(Handshake, ResendingKeepsEverythingButMac2) {
  Handshake pair;
  InitMessage again{};
  auto other_payload = pair.init_payload;
  other_payload[55] ^= 1;
  ASSERT_TRUE(pair.initiator.write_init(9, other_payload, Mac{1, 2, 3}, again));
  EXPECT_TRUE(std::equal(again.begin(), again.end() - kMacSize, pair.init.begin()));
  EXPECT_TRUE(std::all_of(pair.init.end() - kMacSize, pair.init.end(),
                          [](auto byte) { return byte == 0; }));
  Mac mac2{};
  blake2b(mac2, Mac{1, 2, 3}, {Bytes(again).first(kInitSize - kMacSize)});
  EXPECT_TRUE(std::equal(mac2.begin(), mac2.end(), again.end() - kMacSize));
  EXPECT_TRUE(pair.receive(again));
}

TEST(Handshake, TheWrongKnockGetsNoAnswer) {
  Handshake pair;
  auto other = pair.context.knock;
  other[31] ^= 1;
  EXPECT_TRUE(check_mac1(pair.init, mac1_key(pair.server.public_key, pair.context.knock)));
  EXPECT_FALSE(check_mac1(pair.init, mac1_key(pair.server.public_key, other)));
  EXPECT_FALSE(check_mac1(pair.init, mac1_key(pair.client.public_key, pair.context.knock)));
}

TEST(Handshake, BothEndsMustAgreeOnPrologueAndPsk) {
  Handshake pair;
  auto other = pair.context;
  other.prologue = hop_prologue(NetworkId{3, 2, 1});
  EXPECT_FALSE(Responder::read_init(pair.server, other, pair.init));
  EXPECT_FALSE(Responder::read_init(key_pair(0x41), pair.context, pair.init));

  other = pair.context;
  other.psk.bytes[0] = 1;  // psk2: enters with the RESP
  auto responder = Responder::read_init(pair.server, other, pair.init);
  RespMessage resp{};
  ASSERT_TRUE(responder->write_resp(1, pair.resp_payload, pair.rng, resp));
  EXPECT_FALSE(pair.initiator.read_resp(resp));
}

TEST(Handshake, PrologueSaysWhoSpeaksToWhom) {
  const NetworkId network{0xaa};
  const std::string zeros(30, '0');
  EXPECT_EQ(to_hex(hop_prologue(network)), to_hex(as_bytes("wormhole/1 hop")) + "aa" + zeros);
  EXPECT_EQ(to_hex(e2e_prologue(network, "ab", "c")),
            to_hex(as_bytes("wormhole/1 e2e")) + "aa" + zeros + "02616201" + "63");
  EXPECT_NE(e2e_prologue(network, "ab", "c"), e2e_prologue(network, "a", "bc"));
}

TEST(Handshake, AnInitCutOrFlippedAnywhereIsRefused) {
  Handshake pair;
  for (std::size_t n = 0; n < kInitSize; ++n) EXPECT_FALSE(pair.receive(Bytes(pair.init).first(n)));
  for (std::size_t i = 0; i < kInitSize - kMacSize; ++i) {  // MAC2 is the cookie jar's to check
    auto flipped = pair.init;
    flipped[i] ^= 0x80;
    EXPECT_FALSE(pair.receive(flipped)) << i;
  }
  EXPECT_TRUE(pair.receive(pair.init));
}

TEST(Handshake, NoiseAloneRefusesAFlippedInit) {
  Handshake pair;
  for (std::size_t i = 8; i < kInitSize - 2 * kMacSize; ++i) {
    auto flipped = pair.init;
    flipped[i] ^= 1;
    EXPECT_FALSE(Responder::read_init(pair.server, pair.context, flipped)) << i;
  }
  for (const std::size_t header : {0, 1, 2, 3}) {
    auto flipped = pair.init;
    flipped[header] ^= 1;
    EXPECT_FALSE(Responder::read_init(pair.server, pair.context, flipped)) << header;
  }
  EXPECT_FALSE(Responder::read_init(pair.server, pair.context, {}));
}

TEST(Handshake, ARespCutOrFlippedAnywhereLeavesTheStateUsable) {
  Handshake pair;
  const auto resp = pair.answer().first;
  for (std::size_t n = 0; n < kRespSize; ++n) {
    EXPECT_FALSE(pair.initiator.read_resp(Bytes(resp).first(n)));
  }
  for (std::size_t i = 0; i < kRespSize; ++i) {
    auto flipped = resp;
    flipped[i] ^= 0x01;
    EXPECT_FALSE(pair.initiator.read_resp(flipped)) << i;
  }
  EXPECT_TRUE(pair.initiator.read_resp(resp));
}

TEST(Handshake, ARespForgedByAHolderOfTheKnockLeavesTheStateUsable) {
  Handshake pair;
  const auto resp = pair.answer().first;
  const auto key = mac1_key(pair.client.public_key, pair.context.knock);
  for (std::size_t i = 8; i < kRespSize - kMacSize; ++i) {
    auto forged = resp;
    forged[i] ^= 1;
    const MutBytes all(forged);
    blake2b(all.last(kMacSize), key.bytes, {all.first(kRespSize - kMacSize)});
    ASSERT_TRUE(check_mac1(forged, key));
    EXPECT_FALSE(pair.initiator.read_resp(forged)) << i;
  }
  EXPECT_TRUE(pair.initiator.read_resp(resp));
}

TEST(Handshake, LowOrderPointsAreRefused) {
  Handshake pair;
  for (const auto& point : low_order_points()) {
    Initiator to_nobody(pair.client, point, pair.context, pair.rng);
    InitMessage init{};
    EXPECT_FALSE(to_nobody.write_init(1, pair.init_payload, std::nullopt, init));
    EXPECT_FALSE(to_nobody.write_init(1, pair.init_payload, std::nullopt, init));

    init = pair.init;
    copy_bytes(point.bytes, MutBytes(init).subspan(8));
    EXPECT_FALSE(Responder::read_init(pair.server, pair.context, init));

    auto resp = pair.answer().first;
    copy_bytes(point.bytes, MutBytes(resp).subspan(12));
    const MutBytes all(resp);
    const auto key = mac1_key(pair.client.public_key, pair.context.knock);
    blake2b(all.last(kMacSize), key.bytes, {all.first(kRespSize - kMacSize)});
    EXPECT_FALSE(pair.initiator.read_resp(resp));
  }
  EXPECT_TRUE(pair.initiator.read_resp(pair.answer().first));
}

TEST(Handshake, NothingIsAcceptedBeforeTheInitWasWritten) {
  Handshake pair;
  const auto resp = pair.answer().first;
  Initiator silent(pair.client, pair.server.public_key, pair.context, pair.rng);
  EXPECT_FALSE(silent.read_resp(resp));
  EXPECT_FALSE(silent.read_cookie(std::array<std::uint8_t, kCookieSize>{3}));
}

TEST(Handshake, NoiseOfEveryLengthIsRefused) {
  Handshake pair;
  SeededRng rng(3);
  for (std::size_t n = 0; n < 300; ++n) {
    std::vector<std::uint8_t> junk(n);
    rng.fill(junk);
    if (n > 0) junk[0] = static_cast<std::uint8_t>(1 + n % 3);
    EXPECT_FALSE(pair.receive(junk));
    EXPECT_FALSE(Responder::read_init(pair.server, pair.context, junk));
    EXPECT_FALSE(pair.initiator.read_resp(junk));
    EXPECT_FALSE(pair.initiator.read_cookie(junk));
  }
}

}  // namespace
}  // namespace wormhole
