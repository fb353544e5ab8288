// The byte tables of docs/protocol.md, as hexadecimal text.
#include <gtest/gtest.h>

#include "wormhole/wire/control.hpp"
#include "wormhole/wire/frame.hpp"
#include "wormhole/wire/handshake_payload.hpp"
#include "wormhole/wire/messages.hpp"

namespace wormhole {
namespace {

std::string hex(Bytes bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const auto byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

std::string repeat(const std::string& text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

TEST(GoldenWire, FrameHeader) {
  std::array<std::uint8_t, kHeaderSize> bytes{};
  const FrameHeader header{FrameType::kRelayed, 0, FlowNo{0x0203},
                           make_index(ClientNo{0x0405}, 0x0607), 0x08090a0b};
  write_header(header, bytes.data());
  EXPECT_EQ(hex(bytes),
            "1100030207060504"
            "0b0a0908");
  EXPECT_EQ(hex(associated_data(bytes.data())),
            "00030207060504"
            "0b0a0908");
  std::vector<std::uint8_t> frame(bytes.begin(), bytes.end());
  for (int i = 0; i < 15; ++i) frame.push_back(0);
  EXPECT_FALSE(read_header(frame));  // a byte short of header and tag
  frame.push_back(0);
  EXPECT_EQ(read_header(frame), header);
}

TEST(GoldenWire, InitPayload) {
  InitPayload payload;
  payload.boot_id = 0x1122334455667788;
  payload.id_hash.fill(0xaa);
  payload.invite_hash.fill(0xbb);
  payload.attempt = 0x01020304;
  payload.uplink = 5;
  EXPECT_EQ(hex(encode(payload)),
            "01010000"
            "8877665544332211" +
                repeat("aa", 16) + repeat("bb", 16) +
                "04030201"
                "05" +
                repeat("00", 7));
  EXPECT_EQ(decode_init_payload(encode(payload)), payload);
}

TEST(GoldenWire, RespPayload) {
  RespPayload payload;
  payload.verdict = Verdict::kResumed;
  payload.client = ClientNo{0x0102};
  payload.boot_id = 0x1122334455667788;
  EXPECT_EQ(hex(encode(payload)),
            "0101020100000000"
            "8877665544332211"
            "0000000000000000");
  EXPECT_EQ(*decode_resp_payload(encode(payload)), payload);
  auto unknown = encode(payload);
  unknown[1] = 0x77;
  EXPECT_FALSE(decode_resp_payload(unknown));
}

TEST(GoldenWire, ControlItems) {
  const auto one = [](const ControlItem& item) {
    ControlWriter writer;
    writer.add(item);
    return hex(writer.bytes());
  };
  const std::vector<std::uint8_t> resp(kRespSize, 0xcc);
  EXPECT_EQ(one(Ping{1}), "0108000100000000000000");
  EXPECT_EQ(one(Pong{1}), "0208000100000000000000");
  EXPECT_EQ(one(HandshakeCarriage{ClientNo{2}, resp}), "0666000200" + repeat("cc", 100));
  EXPECT_EQ(one(StreamSegment{3, Bytes(resp).first(2)}), "07060003000000cccc");
  EXPECT_EQ(one(StreamAck{4}), "08040004000000");
  EXPECT_EQ(one(Close{CloseReason::kReplaced}), "09010001");
  EXPECT_EQ(one(Restarting{500, 3000}), "0a0400f401b80b");
  EXPECT_EQ(one(Observed{*Endpoint::parse("203.0.113.8:4660")}), "0b130004" + repeat("00", 10) +
                                                                     "ffffcb007108"
                                                                     "3412");
  EXPECT_EQ(one(Observed{*Endpoint::parse("[2001:db8::1]:4660")}), "0b13000620010db8" +
                                                                       repeat("00", 11) +
                                                                       "01"
                                                                       "3412");
  Feedback report;
  report.direct = true;
  report.frames = 0x01020304;
  report.bytes = 0x05060708;
  report.at = 0x090a0b0c;
  report.count = 2;
  report.samples[0] = {0x11223344, 500};
  report.samples[1] = {0x55667788, 0};
  EXPECT_EQ(one(report),
            "0d1900"
            "01"
            "04030201"
            "08070605"
            "0c0b0a09"
            "44332211f401"
            "887766550000");
}

TEST(GoldenWire, StreamMessages) {
  KeyBinding binding;
  binding.id = "gcs4";
  binding.key.bytes.fill(3);
  EXPECT_EQ(hex(encode(PeerPut{ClientNo{7}, 0x1122334455667788, binding})),
            "013000"
            "0700"
            "8877665544332211"
            "0467637334" +
                repeat("03", 32) + "00");
  binding.chain.emplace();
  binding.chain->statement.id = "gcs4";
  binding.chain->statement.invite_key.bytes.fill(4);
  binding.chain->statement.serial = 5;
  binding.chain->statement.expires_s = 6;
  binding.chain->statement.signature.fill(7);
  binding.chain->proof.fill(8);
  const auto chain = repeat("04", 32) +
                     "0500000000000000"
                     "0600000000000000" +
                     repeat("07", 64) + repeat("08", 64);
  EXPECT_EQ(hex(encode(PeerPut{ClientNo{7}, 0, binding})),
            "01e000"
            "0700"
            "0000000000000000"
            "0467637334" +
                repeat("03", 32) + "01" + chain);
  EXPECT_EQ(hex(encode(EnrolRequest{binding})),
            "40b500"
            "0467637334" +
                chain);
  EXPECT_EQ(hex(encode(PeerRemove{ClientNo{7}})), "0202000700");
  FlowPut flow;
  flow.number = FlowNo{2};
  flow.port = 5600;
  flow.name = "video";
  flow.members = {{ClientNo{7}, 1}};
  EXPECT_EQ(hex(encode(flow)),
            "043000"
            "0200"
            "11"
            "e015"
            "00"
            "00" +
                repeat("00", 19) + "00000000" +
                "01"
                "0000"
                "00000000"
                "05766964656f"
                "0100"
                "0700"
                "01");
  flow.protocol = 6;
  flow.options = kFlowCopy | kFlowProxy;
  flow.copy_buffer = 0x00100000;
  flow.priority = 2;
  flow.max_age = 200;
  flow.rate = 2000;
  EXPECT_EQ(hex(encode(flow)),
            "043000"
            "0200"
            "06"
            "e015"
            "0c"
            "00" +
                repeat("00", 19) + "00001000" +
                "02"
                "c800"
                "d0070000"
                "05766964656f"
                "0100"
                "0700"
                "01");
  EXPECT_EQ(hex(encode(StreamSettings{1})), "0f010001");
  LinkNews news;
  news.peer = ClientNo{7};
  news.way = 1;
  news.verdict = 2;
  news.confidence = 90;
  news.loss = 125;
  news.age_ms = 4000;
  news.queue_us = 80'000;
  news.rtt_us = 41'000;
  news.capacity_bps = 3'000'000;
  news.offered_bps = 6'000'000;
  news.sent_bps = 5'900'000;
  news.delivered_bps = 2'950'000;
  EXPECT_EQ(hex(encode(news)),
            "453500"
            "0700010000025a7d00a00f00008038010028a00000"
            "c0c62d0000000000808d5b0000000000e0065a000000000070032d0000000000");
  EXPECT_EQ(hex(encode(FlowRemove{FlowNo{2}})), "0502000200");
  EXPECT_EQ(hex(encode(Sync{9})), "06040009000000");
  EXPECT_EQ(hex(encode(EnrolAnswer{2, ClientNo{7}})), "070300020700");
  EXPECT_EQ(hex(encode(RelayPort{FlowNo{2}, 2003})), "0804000200d307");
  EXPECT_EQ(hex(encode(FlowOffer{FlowNo{2}, 17, 5600, 3, 2, "video"})),
            "090d00"
            "0200"
            "11"
            "e015"
            "03"
            "02"
            "05766964656f");
  EXPECT_EQ(hex(encode(FlowOfferRemove{FlowNo{2}})), "0a02000200");
  EXPECT_EQ(hex(encode(MembershipRequest{9, true, 1, "video"})),
            "410c00"
            "09000000"
            "01"
            "01"
            "05766964656f");
  EXPECT_EQ(hex(encode(MembershipAnswer{9, "no"})), "0b070009000000026e6f");
}

}  // namespace
}  // namespace wormhole
