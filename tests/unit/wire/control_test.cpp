#include "wormhole/wire/control.hpp"

#include <gtest/gtest.h>

#include "wormhole/base/rng.hpp"
#include "wormhole/crypto/handshake.hpp"

namespace wormhole {
namespace {

ControlWriter everything(Bytes init, Bytes segment) {
  ControlWriter writer;
  EXPECT_TRUE(writer.add(Ping{0x0102030405060708}));
  EXPECT_TRUE(writer.add(Pong{7}));
  EXPECT_TRUE(writer.add(HandshakeCarriage{ClientNo{5}, init}));
  EXPECT_TRUE(writer.add(StreamSegment{9, segment}));
  EXPECT_TRUE(writer.add(StreamAck{10}));
  EXPECT_TRUE(writer.add(Close{CloseReason::kRemoved}));
  EXPECT_TRUE(writer.add(Restarting{500, 3000}));
  EXPECT_TRUE(writer.add(Observed{*Endpoint::parse("203.0.113.8:4000")}));
  return writer;
}

TEST(Control, PaddingFillsAFrameAndIsSkipped) {
  for (const std::size_t size : {3U, 4U, 1400U, 65'538U}) {
    std::vector<std::uint8_t> text(size, 0xff);
    write_padding(text);
    ControlReader reader(text);
    EXPECT_FALSE(reader.next());
    EXPECT_FALSE(reader.broken()) << size;
  }
}

TEST(Control, EveryItemComesBack) {
  const std::vector<std::uint8_t> init(kInitSize, 1);
  const std::vector<std::uint8_t> segment{1, 2, 3};
  const auto writer = everything(init, segment);
  ControlReader reader(writer.bytes());
  std::vector<std::size_t> kinds;
  while (const auto item = reader.next()) kinds.push_back(item->index());
  EXPECT_FALSE(reader.broken());
  EXPECT_EQ(kinds, (std::vector<std::size_t>{0, 1, 2, 3, 4, 5, 6, 7}));
  ControlReader again(writer.bytes());
  EXPECT_EQ(std::get<Ping>(*again.next()).token, 0x0102030405060708U);
  again.next();
  EXPECT_EQ(std::get<HandshakeCarriage>(*again.next()).other, ClientNo{5});
  const auto stream = std::get<StreamSegment>(*again.next());
  EXPECT_EQ(stream.offset, 9U);
  EXPECT_EQ(std::vector<std::uint8_t>(stream.bytes.begin(), stream.bytes.end()), segment);
}

TEST(Control, AFrameCutAnywhereInsideAnItemIsBroken) {
  const std::vector<std::uint8_t> init(kInitSize, 1);
  const auto writer = everything(init, init);
  std::size_t whole = 0;
  for (std::size_t size = 0; size < writer.bytes().size(); ++size) {
    if (well_formed_control(writer.bytes().first(size))) ++whole;
  }
  EXPECT_EQ(whole, 8U);  // the cuts between two items, and the empty frame
}

TEST(Control, UnknownKindsAreSkippedFrom128OnAndBreakBelow) {
  const std::vector<std::uint8_t> skipped{0x80, 2, 0, 9, 9, 0x08, 4, 0, 1, 0, 0, 0};
  ControlReader reader(skipped);
  EXPECT_EQ(std::get<StreamAck>(*reader.next()).offset, 1U);
  EXPECT_FALSE(reader.next());
  EXPECT_FALSE(reader.broken());
  EXPECT_FALSE(well_formed_control(std::vector<std::uint8_t>{0x7f, 0, 0}));
  EXPECT_TRUE(well_formed_control(std::vector<std::uint8_t>{0xff, 0, 0}));
}

TEST(Control, FeedbackTellsOfOneToSevenFramesOfOneWay) {
  Feedback report;
  report.frames = 7;
  for (std::size_t samples = 0; samples <= Feedback::kMostSamples; ++samples) {
    report.count = static_cast<std::uint8_t>(samples);
    if (samples > 0) report.samples[samples - 1] = {static_cast<FrameMark>(samples), 9};
    ControlWriter writer;
    ASSERT_TRUE(writer.add(report));
    ControlReader reader(writer.bytes());
    const auto item = reader.next();
    ASSERT_EQ(item.has_value(), samples > 0);  // of nothing nobody needs to hear
    if (!item) continue;
    EXPECT_EQ(std::get<Feedback>(*item), report);
  }
  ControlWriter writer;
  writer.add(report);
  std::vector<std::uint8_t> bytes(writer.bytes().begin(), writer.bytes().end());
  bytes[3] = 2;  // no such way
  EXPECT_FALSE(well_formed_control(bytes));
  bytes[3] = 1;
  EXPECT_TRUE(well_formed_control(bytes));
  bytes.insert(bytes.end(), 6, 0);  // an eighth sample
  bytes[1] = static_cast<std::uint8_t>(bytes.size() - 3);
  EXPECT_FALSE(well_formed_control(bytes));
  for (int i = 0; i < 8; ++i) bytes.pop_back();  // cut inside the seventh
  bytes[1] = static_cast<std::uint8_t>(bytes.size() - 3);
  EXPECT_FALSE(well_formed_control(bytes));
}

TEST(Control, ValuesThatMeanNothingAreBroken) {
  using V = std::vector<std::uint8_t>;
  EXPECT_FALSE(well_formed_control(V{0x01, 7, 0, 1, 2, 3, 4, 5, 6, 7}));        // ping too short
  EXPECT_FALSE(well_formed_control(V{0x01, 9, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));  // too long
  EXPECT_FALSE(well_formed_control(V{0x09, 1, 0, 9}));                          // unknown reason
  EXPECT_FALSE(well_formed_control(V{0x06, 2, 0, 1, 0}));                       // empty handshake
  V observed{0x0b, 19, 0};
  observed.resize(3 + 19, 0);
  observed[3] = 4;  // says IPv4, but the address is not
  observed[3 + 17] = 1;
  EXPECT_FALSE(well_formed_control(observed));
}

TEST(Control, AFullFrameRefusesMoreAndStaysWhole) {
  ControlWriter writer;
  const std::vector<std::uint8_t> segment(kMaxSegment, 5);
  ASSERT_TRUE(writer.add(StreamSegment{0, segment}));
  EXPECT_FALSE(writer.add(StreamSegment{0, segment}));
  EXPECT_TRUE(writer.add(StreamAck{1}));
  EXPECT_TRUE(well_formed_control(writer.bytes()));
}

TEST(Control, RandomBytesNeverDoHarm) {
  SeededRng rng(1);
  std::size_t readable = 0;
  for (int round = 0; round < 20000; ++round) {
    std::vector<std::uint8_t> bytes(rng.below(64));
    rng.fill(bytes);
    if (!bytes.empty() && round % 2 == 0) bytes[0] = static_cast<std::uint8_t>(rng.below(16));
    if (well_formed_control(bytes)) ++readable;
  }
  EXPECT_GT(readable, 0U);
  EXPECT_LT(readable, 20000U);
}

}  // namespace
}  // namespace wormhole
