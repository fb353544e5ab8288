#include "client/stream_words.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace wormhole {
namespace {

std::string hex(Bytes bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const auto byte : bytes) {
    out += kDigits[byte >> 4U];
    out += kDigits[byte & 15U];
  }
  return out;
}

TEST(StreamWords, HelloIsFiveBytes) {
  const auto bytes = encode(StreamHello{FlowNo{0x0203}, true, 50000});
  EXPECT_EQ(hex(bytes), "03020150c3");
  const auto back = decode_hello(bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->flow, FlowNo{0x0203});
  EXPECT_TRUE(back->framed);
  EXPECT_EQ(back->application_port, 50000);
}

TEST(StreamWords, AHelloWithUnknownFlagsIsNotUnderstood) {
  auto bytes = encode(StreamHello{FlowNo{1}, false, 1});
  bytes[2] = 2;
  EXPECT_FALSE(decode_hello(bytes));
}

/// The answer that `bytes` make when they come in pieces of `piece`.
AnswerReader read_answer(Bytes bytes, std::size_t piece) {
  AnswerReader reader;
  while (!bytes.empty()) {
    const auto next = bytes.first(std::min(piece, bytes.size()));
    EXPECT_EQ(reader.take(next), next.size());
    bytes = bytes.subspan(next.size());
    EXPECT_EQ(reader.is_complete(), bytes.empty());
  }
  return reader;
}

TEST(StreamWords, AHelloComesInAnyPieces) {
  const auto bytes = encode(StreamHello{FlowNo{7}, false, 1234});
  HelloReader reader;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    EXPECT_FALSE(reader.is_complete());
    EXPECT_EQ(reader.take(Bytes(bytes).subspan(i, 1)), 1U);
  }
  ASSERT_TRUE(reader.is_complete());
  EXPECT_EQ(reader.hello()->flow, FlowNo{7});
  EXPECT_EQ(reader.take(bytes), 0U);
}

TEST(StreamWords, ARefusalCarriesItsReasonInAnyPieces) {
  const auto bytes = encode_refusal("127.0.0.1:22: connection refused");
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    const auto answer = read_answer(bytes, piece);
    EXPECT_FALSE(answer.is_accepted());
    EXPECT_EQ(answer.reason(), "127.0.0.1:22: connection refused");
  }
}

TEST(StreamWords, AReasonIsCutAt255BytesAndIsPrintable) {
  EXPECT_EQ(read_answer(encode_refusal(std::string(300, 'x')), 400).reason().size(), 255U);
  EXPECT_EQ(read_answer(encode_refusal("a\x1b[31m\n"), 3).reason(), "a?[31m?");
}

TEST(StreamWords, AcceptedIsOneByteAndNonsenseIsARefusal) {
  constexpr std::array<std::uint8_t, 3> kAccepted{0, 'S', 'S'};
  AnswerReader accepted;
  EXPECT_EQ(accepted.take(kAccepted), 1U);
  EXPECT_TRUE(accepted.is_complete() && accepted.is_accepted());
  constexpr std::array<std::uint8_t, 1> kNonsense{7};
  AnswerReader nonsense;
  EXPECT_EQ(nonsense.take(kNonsense), 1U);
  EXPECT_TRUE(nonsense.is_complete());
  EXPECT_FALSE(nonsense.is_accepted());
  EXPECT_FALSE(nonsense.reason().empty());
}

TEST(StreamWords, ProxyHeaderNamesTheClient) {
  const Endpoint source{IpAddress::v4(127, 1, 1, 7), 50000};
  const Endpoint destination{IpAddress::v4(127, 1, 0, 1), 2222};
  // Signature, version 2 PROXY, TCP over IPv4, 12 + 3 + 4 bytes, the addresses, the TLV.
  EXPECT_EQ(hex(proxy_header(source, destination, "gcs4")),
            "0d0a0d0a000d0a515549540a"
            "21110013"
            "7f0101077f010001"
            "c35008ae"
            "e0000467637334");
}

}  // namespace
}  // namespace wormhole
