#include "wormhole/crypto/seal.hpp"

#include <gtest/gtest.h>

#include "unit/crypto/support.hpp"

namespace wormhole {
namespace {

using namespace test;

std::vector<std::uint8_t> random_bytes(Rng& rng, std::size_t n) {
  std::vector<std::uint8_t> bytes(n);
  rng.fill(bytes);
  return bytes;
}

/// `text`, sealed, with its tag behind it.
std::vector<std::uint8_t> sealed(const SecretKey& key, std::uint64_t counter, Bytes associated,
                                 std::vector<std::uint8_t> text) {
  const auto size = text.size();
  text.resize(size + kTagSize);
  seal_in_place(key, counter, associated, MutBytes(text).first(size));
  return text;
}

TEST(Seal, OpensWhatItSealed) {
  SeededRng rng(11);
  for (std::size_t n = 0; n < 400; ++n) {
    const SecretKey key(counting(static_cast<std::uint8_t>(n)));
    const auto counter = rng.number<std::uint64_t>();
    const auto associated = random_bytes(rng, n % 20);
    const auto text = random_bytes(rng, n * 4);
    auto frame = sealed(key, counter, associated, text);
    ASSERT_TRUE(open_in_place(key, counter, associated, frame));
    frame.resize(text.size());
    EXPECT_EQ(frame, text);
  }
}

TEST(Seal, RefusesEveryDeviation) {
  const SecretKey key(counting(1));
  const auto associated = counting(2);
  const auto frame = sealed(key, 5, associated, {1, 2, 3, 4});
  const auto opens = [&](const SecretKey& k, std::uint64_t counter, Bytes ad, auto copy) {
    return open_in_place(k, counter, ad, copy);
  };
  EXPECT_TRUE(opens(key, 5, associated, frame));
  EXPECT_FALSE(opens(key, 6, associated, frame));
  EXPECT_FALSE(opens(key, 5 + (std::uint64_t{1} << 32), associated, frame));
  EXPECT_FALSE(opens(SecretKey(counting(3)), 5, associated, frame));
  EXPECT_FALSE(opens(key, 5, Bytes(associated).first(31), frame));
  for (std::size_t i = 0; i < frame.size(); ++i) {
    auto flipped = frame;
    flipped[i] ^= 1;
    EXPECT_FALSE(opens(key, 5, associated, flipped)) << i;
    auto cut = frame;
    cut.resize(i);
    EXPECT_FALSE(opens(key, 5, associated, cut)) << i;
  }
}

TEST(Seal, FlowKeysDifferByFlowAndDirection) {
  const SecretKey up(counting(1));
  const SecretKey down(counting(2));
  EXPECT_EQ(flow_key(up, "video").bytes, flow_key(up, "video").bytes);
  EXPECT_NE(flow_key(up, "video").bytes, flow_key(up, "").bytes);
  EXPECT_NE(flow_key(up, "video").bytes, flow_key(up, "vide").bytes);
  EXPECT_NE(flow_key(up, "video").bytes, flow_key(down, "video").bytes);
  EXPECT_NE(flow_key(up, "").bytes, up.bytes);
}

TEST(Seal, HopTagIsSipHash24) {
  // SipHash paper, appendix A: key 00…0f, message 00…0e gives a129ca6149be45e5, here little-endian.
  HopTagKey key{};
  Array<15> message{};
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(i);
  for (std::size_t i = 0; i < message.size(); ++i) message[i] = static_cast<std::uint8_t>(i);
  EXPECT_EQ(to_hex(hop_tag(key, message)), "e545be49");
  message[3] ^= 1;
  EXPECT_NE(to_hex(hop_tag(key, message)), "e545be49");
  EXPECT_NE(hop_tag_key(SecretKey(counting(1))), hop_tag_key(SecretKey(counting(2))));
}

}  // namespace
}  // namespace wormhole
