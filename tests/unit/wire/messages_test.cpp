#include "wormhole/wire/messages.hpp"

#include <gtest/gtest.h>

#include "wormhole/base/rng.hpp"

namespace wormhole {
namespace {

KeyBinding signed_binding() {
  KeyBinding binding;
  binding.id = "drone3";
  binding.key.bytes.fill(3);
  binding.chain.emplace();
  binding.chain->statement.id = "drone3";
  binding.chain->statement.invite_key.bytes.fill(4);
  binding.chain->statement.serial = 77;
  binding.chain->statement.expires_s = 88;
  binding.chain->statement.signature.fill(5);
  binding.chain->proof.fill(6);
  return binding;
}

FlowPut video() {
  FlowPut flow;
  flow.number = FlowNo{2};
  flow.port = 5600;
  flow.deliver = 2;
  flow.deliver_to = *Endpoint::parse("127.0.0.1:5601");
  flow.name = "video";
  flow.members = {{ClientNo{1}, 1}, {ClientNo{9}, 3}};
  flow.copy_buffer = 65536;
  flow.priority = 0;
  flow.max_age = 200;
  flow.rate = 2'000;
  return flow;
}

LinkNews link_news() {
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
  return news;
}

std::vector<StreamMessage> all_messages() {
  auto request = signed_binding();
  request.key = PublicKey{};  // does not travel
  return {PeerPut{ClientNo{7}, 0x1122334455667788, signed_binding()},
          PeerRemove{ClientNo{7}},
          video(),
          FlowRemove{FlowNo{2}},
          Sync{4},
          EnrolAnswer{2, ClientNo{7}},
          RelayPort{FlowNo{2}, 2003},
          EnrolRequest{request},
          FlowOffer{FlowNo{2}, 17, 5600, 3, 2, "video"},
          FlowOfferRemove{FlowNo{2}},
          MembershipRequest{9, true, 1, "video"},
          MembershipAnswer{9, "no"},
          StreamSettings{1},
          CampaignAsk{ClientNo{7}, false, 12},
          CampaignTurn{ClientNo{7}, CampaignTurn::Answer::kBusyThere, 12},
          link_news()};
}

TEST(Messages, EachComesBackByteForByte) {
  for (const auto& message : all_messages()) {
    const auto bytes = encode(message);
    const auto decoded = decode_message(bytes);
    ASSERT_EQ(decoded.state, DecodedMessage::State::kMessage);
    EXPECT_EQ(decoded.consumed, bytes.size());
    EXPECT_EQ(decoded.message->index(), message.index());
    EXPECT_EQ(encode(*decoded.message), bytes);
  }
}

TEST(Messages, APrefixIsIncompleteNeverBroken) {
  for (const auto& message : all_messages()) {
    const auto bytes = encode(message);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      EXPECT_EQ(decode_message(Bytes(bytes).first(size)).state, DecodedMessage::State::kIncomplete);
    }
  }
}

TEST(Messages, ABodyThatIsTooShortOrTooLongIsBroken) {
  for (const auto& message : all_messages()) {
    auto longer = encode(message);
    longer.push_back(0);
    store_le(longer.data() + 1, static_cast<std::uint16_t>(longer.size() - kMessageHeader));
    EXPECT_EQ(decode_message(longer).state, DecodedMessage::State::kBroken);
    auto shorter = encode(message);
    shorter.pop_back();
    store_le(shorter.data() + 1, static_cast<std::uint16_t>(shorter.size() - kMessageHeader));
    EXPECT_EQ(decode_message(shorter).state, DecodedMessage::State::kBroken);
  }
}

TEST(Messages, UnknownKindsAreSkippedOrBreakByTheirRange) {
  const auto state = [](std::uint8_t kind) {
    return decode_message(std::vector<std::uint8_t>{kind, 1, 0, 0}).state;
  };
  EXPECT_EQ(state(0x1f), DecodedMessage::State::kBroken);
  EXPECT_EQ(state(0x20), DecodedMessage::State::kSkipped);
  EXPECT_EQ(state(0x5f), DecodedMessage::State::kBroken);
  EXPECT_EQ(state(0x60), DecodedMessage::State::kSkipped);
}

TEST(Messages, NamesAndNumbersMustMakeSense) {
  auto flow = video();
  flow.name = "../etc";
  EXPECT_EQ(decode_message(encode(flow)).state, DecodedMessage::State::kBroken);
  flow = video();
  flow.port = 0;
  EXPECT_EQ(decode_message(encode(flow)).state, DecodedMessage::State::kBroken);
  flow = video();
  flow.number = FlowNo{0};
  EXPECT_EQ(decode_message(encode(flow)).state, DecodedMessage::State::kBroken);
}

TEST(Messages, AnswersAndSwitchesOfCampaignsMustBeKnown) {
  auto ask = encode(CampaignAsk{ClientNo{7}, true, 0});
  ask[kMessageHeader + 2] = 2;
  EXPECT_EQ(decode_message(ask).state, DecodedMessage::State::kBroken);
  auto turn = encode(CampaignTurn{ClientNo{7}, CampaignTurn::Answer::kRefused, 0});
  turn[kMessageHeader + 2] = kTurnAnswers;
  EXPECT_EQ(decode_message(turn).state, DecodedMessage::State::kBroken);
}

TEST(Messages, AnOversizedLengthIsBrokenAtOnce) {
  const std::vector<std::uint8_t> huge{0x01, 0xff, 0xff};
  EXPECT_EQ(decode_message(huge).state, DecodedMessage::State::kBroken);
}

TEST(Messages, FlippedBytesNeverDoHarm) {
  SeededRng rng(3);
  std::size_t changed = 0;
  for (int round = 0; round < 20000; ++round) {
    auto messages = all_messages();
    auto bytes = encode(messages[rng.below(static_cast<std::uint32_t>(messages.size()))]);
    const auto before = bytes;
    bytes[rng.below(static_cast<std::uint32_t>(bytes.size()))] ^=
        static_cast<std::uint8_t>(1 + rng.below(255));
    const auto decoded = decode_message(bytes);
    EXPECT_LE(decoded.consumed, bytes.size());
    if (decoded.message && encode(*decoded.message) != before) ++changed;
  }
  EXPECT_GT(changed, 0U);
}

TEST(Messages, LinkNewsNameEitherAPeerOrAFlow) {
  const auto broken = [](LinkNews news) {
    return decode_message(encode(news)).state == DecodedMessage::State::kBroken;
  };
  EXPECT_FALSE(broken(link_news()));
  auto news = link_news();
  news.flow = FlowNo{2};
  EXPECT_TRUE(broken(news));  // both
  news.peer = ClientNo{0};
  EXPECT_FALSE(broken(news));  // all receivers of a flow
  news.flow = FlowNo{0};
  EXPECT_TRUE(broken(news));  // neither
}

TEST(Messages, LinkNewsOutOfRangeAreBroken) {
  const auto broken = [](auto change) {
    auto news = link_news();
    change(news);
    return decode_message(encode(news)).state == DecodedMessage::State::kBroken;
  };
  EXPECT_TRUE(broken([](LinkNews& news) { news.way = 2; }));
  EXPECT_TRUE(broken([](LinkNews& news) { news.verdict = kLinkVerdicts; }));
  EXPECT_TRUE(broken([](LinkNews& news) { news.confidence = 101; }));
  EXPECT_TRUE(broken([](LinkNews& news) { news.loss = 10'001; }));
  EXPECT_FALSE(broken([](LinkNews& news) { news.loss = 10'000; }));
}

}  // namespace
}  // namespace wormhole
