#include "wormhole/wire/impairment.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "wormhole/wire/messages.hpp"

namespace wormhole {
namespace {

JitterTable table(std::size_t size) {
  std::vector<std::int16_t> values(size);
  for (std::size_t i = 0; i < size; ++i) values[i] = static_cast<std::int16_t>(i * 7 - 30'000);
  return {std::make_shared<const std::vector<std::int16_t>>(std::move(values))};
}

ImpairProfile everything(std::size_t values = 3) {
  ImpairProfile profile;
  profile.name = "field";
  profile.loss_model = ImpairProfile::Loss::kState;
  profile.loss = {1, 2, 3, 4, 5};
  profile.delay_us = 40'000;
  profile.jitter_us = 10'000;
  profile.delay_correlation = 6;
  profile.spreading = Spreading::kTable;
  profile.table = table(values);
  profile.duplicate = {7, 8};
  profile.reorder = {9, 10};
  profile.gap = 11;
  profile.corrupt = {12, 13};
  profile.corrupt_from = 14;
  profile.corrupt_to = 15;
  profile.rate_bps = 16'000;
  profile.packet_overhead = -17;
  profile.cell_size = 48;
  profile.cell_overhead = 5;
  profile.slot.kind = ImpairProfile::Slot::Kind::kSpread;
  profile.slot.delay_us = 18;
  profile.slot.jitter_us = 19;
  profile.slot.spreading = Spreading::kTable;
  profile.slot.table = table(values);
  profile.slot.packets = 20;
  profile.slot.bytes = 21;
  profile.limit = 22;
  profile.seed = 23;
  profile.handover = {24, 23, 25};
  return profile;
}

/// What a client makes of the messages, as it reads them from its stream.
std::optional<std::vector<ImpairPart>> received(Bytes stream, std::size_t& pieces) {
  std::vector<std::uint8_t> bytes;
  pieces = 0;
  bool last = false;
  while (!stream.empty()) {
    const auto decoded = decode_message(stream);
    EXPECT_EQ(decoded.state, DecodedMessage::State::kMessage);
    const auto& piece = std::get<FlowImpair>(*decoded.message);
    EXPECT_EQ(piece.flow, FlowNo{7});
    EXPECT_EQ(piece.first, pieces == 0);
    EXPECT_FALSE(last);
    last = piece.last;
    bytes.insert(bytes.end(), piece.bytes.begin(), piece.bytes.end());
    stream = stream.subspan(decoded.consumed);
    ++pieces;
  }
  EXPECT_TRUE(last);
  return decode_impairment(bytes);
}

TEST(WireImpairment, ComesBackInOnePieceOrMany) {
  std::size_t pieces = 0;
  const std::vector<ImpairPart> small{{everything(), {}}, {{}, {ClientNo{2}, ClientNo{9}}}};
  EXPECT_EQ(received(impair_messages(FlowNo{7}, small), pieces), small);
  EXPECT_EQ(pieces, 1U);
  const std::vector<ImpairPart> large{{everything(16'384), {ClientNo{1}}}};
  EXPECT_EQ(received(impair_messages(FlowNo{7}, large), pieces), large);
  EXPECT_EQ(pieces, 5U);
  EXPECT_EQ(received(impair_messages(FlowNo{7}, {}), pieces), std::vector<ImpairPart>{});
  EXPECT_EQ(pieces, 1U);
}

std::vector<std::uint8_t> body(const std::vector<ImpairPart>& parts) {
  return std::get<FlowImpair>(*decode_message(impair_messages(FlowNo{7}, parts)).message).bytes;
}

TEST(WireImpairment, CutAtAnyByteItMeansNothing) {
  const auto bytes = body({{everything(), {ClientNo{2}}}});
  for (std::size_t size = 1; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode_impairment(Bytes(bytes).first(size))) << size;
  }
}

TEST(WireImpairment, WhatContradictsItselfIsRefused) {
  const auto refused = [](auto change) {
    auto profile = everything();
    change(profile);
    return !decode_impairment(body({{profile, {}}}));
  };
  EXPECT_FALSE(refused([](auto&) {}));
  EXPECT_TRUE(refused([](auto& p) { p.delay_us = 0; }));  // reorders what is not delayed
  EXPECT_TRUE(refused([](auto& p) { p.limit = 0; }));
  EXPECT_TRUE(refused([](auto& p) { p.rate_bps = 1; }));
  EXPECT_TRUE(refused([](auto& p) { p.table.values = table(0).values; }));
  EXPECT_TRUE(refused([](auto& p) { p.name = "../x"; }));
  EXPECT_TRUE(refused([](auto& p) { p.loss_model = static_cast<ImpairProfile::Loss>(4); }));
  EXPECT_TRUE(refused([](auto& p) { p.slot.kind = static_cast<ImpairProfile::Slot::Kind>(3); }));
  EXPECT_FALSE(decode_impairment(body({{{}, {ClientNo{9}, ClientNo{2}}}})));
}

TEST(WireImpairment, FlagsThatNobodyKnowsBreakTheStream) {
  auto bytes = encode(FlowImpair{FlowNo{7}, true, true, {}});
  bytes[5] = 4;
  EXPECT_EQ(decode_message(bytes).state, DecodedMessage::State::kBroken);
  bytes = encode(FlowImpair{FlowNo{7}, true, true, {}});
  bytes[3] = 0;
  EXPECT_EQ(decode_message(bytes).state, DecodedMessage::State::kBroken);
}

std::string hex(Bytes bytes) {
  std::string text;
  for (const auto byte : bytes) {
    text += "0123456789abcdef"[byte >> 4];
    text += "0123456789abcdef"[byte & 15];
  }
  return text;
}

/// Written by hand after docs/protocol.md, section 12.
TEST(WireImpairment, GoldenBytes) {
  ImpairProfile profile;
  profile.name = "bad";
  profile.loss_model = ImpairProfile::Loss::kRandom;
  profile.loss = {0x051eb852, 0x40000000};  // 2 %, 25 %
  profile.delay_us = 40'000;
  profile.jitter_us = 10'000;
  profile.spreading = Spreading::kTable;
  profile.table.values =
      std::make_shared<const std::vector<std::int16_t>>(std::vector<std::int16_t>{-1, 8192});
  profile.corrupt.share = 0x00418937;  // 0.1 %
  profile.corrupt_from = 12;
  profile.rate_bps = 2'000'000;
  profile.packet_overhead = -14;
  profile.seed = 7;
  EXPECT_EQ(hex(impair_messages(FlowNo{2}, {{profile, {ClientNo{9}}}})),
            "119a00"
            "0200"
            "03"                                        // first and last piece
            "03626164"                                  // name
            "01"                                        // random
            "52b81e0500000040000000000000000000000000"  // its values
            "409c0000"                                  // delay
            "10270000"                                  // jitter
            "00000000"                                  // correlation
            "04"                                        // table
            "0200ffff0020"                              // two values
            "0000000000000000"                          // duplicate
            "0000000000000000"                          // reorder
            "00000000"                                  // gap
            "3789410000000000"                          // corrupt
            "0c00ffff"                                  // from, to
            "80841e0000000000"                          // rate
            "f2ffffff"                                  // packet overhead
            "00000000"                                  // cell
            "00000000"                                  // cell overhead
            "00"                                        // slot: none
            "00000000000000000000000000000000"          // min, max, delay, jitter
            "00"                                        // uniform
            "0000000000000000"                          // packets, bytes
            "e8030000"                                  // limit
            "010700000000000000"                        // seed
            "000000000000000000000000"                  // handover
            "01000900");                                // receivers
  EXPECT_EQ(hex(impair_messages(FlowNo{2}, {})), "110300020003");
}

}  // namespace
}  // namespace wormhole
