#include "wormhole/session/session.hpp"

#include <gtest/gtest.h>

#include "wormhole/base/outbox.hpp"
#include "wormhole/session/session_slots.hpp"

namespace wormhole {
namespace {

constexpr TimePoint kStart{1000s};

class SessionPair : public testing::Test {
 protected:
  void SetUp() override {
    crypto_init();
    keys_.send.bytes.fill(1);
    keys_.receive.bytes.fill(2);
    TransportKeys other{keys_.receive, keys_.send};
    a_ = std::make_unique<Session>(keys_, Role::kInitiator, 10, 20, kStart);
    b_ = std::make_unique<Session>(other, Role::kResponder, 20, 10, kStart);
  }
  MutBytes seal(std::string_view text, FlowSlot slot, std::string_view name, TimePoint now) {
    const auto room = out_.reserve(text.size());
    copy_bytes(as_bytes(text), room);
    return a_->seal(a_->keys(slot, name), FrameType::kRelayed, FlowNo{7}, room, now);
  }
  Session::Opened open(MutBytes frame, FlowSlot slot, std::string_view name, TimePoint now) {
    return b_->open(b_->keys(slot, name), *read_header(frame), frame, now);
  }
  TransportKeys keys_;
  std::unique_ptr<Session> a_;
  std::unique_ptr<Session> b_;
  Outbox out_;
};

TEST_F(SessionPair, WhatOneSealsTheOtherOpensOnce) {
  const auto frame = seal("hello", FlowSlot{1}, "video", kStart);
  EXPECT_EQ(frame.size(), 5 + kHeaderSize + kTagSize);
  const std::vector<std::uint8_t> copy(frame.begin(), frame.end());
  EXPECT_FALSE(b_->is_confirmed());
  EXPECT_EQ(as_text(open(frame, FlowSlot{1}, "video", kStart).text), "hello");
  EXPECT_TRUE(b_->is_confirmed());
  std::vector<std::uint8_t> again = copy;
  EXPECT_EQ(open(again, FlowSlot{1}, "video", kStart).failure, Unopened::kReplayed);
}

TEST_F(SessionPair, AFlowsFrameDoesNotOpenAsAnother) {
  EXPECT_EQ(
      open(seal("hello", FlowSlot{1}, "video", kStart), FlowSlot{2}, "mavlink", kStart).failure,
      Unopened::kForged);
}

TEST_F(SessionPair, AnyFlippedByteIsForgedAndLeavesTheWindowAlone) {
  const auto frame = seal("hello", FlowSlot{1}, "video", kStart);
  for (std::size_t i = 1; i < frame.size(); ++i) {  // byte 0, the type, may differ by path
    std::vector<std::uint8_t> bad(frame.begin(), frame.end());
    bad[i] ^= 1;
    EXPECT_EQ(open(bad, FlowSlot{1}, "video", kStart).failure, Unopened::kForged) << i;
  }
  EXPECT_FALSE(b_->is_confirmed());
  EXPECT_FALSE(open(frame, FlowSlot{1}, "video", kStart).failure);
}

TEST_F(SessionPair, AgesEndIt) {
  EXPECT_FALSE(a_->wants_rekey(kStart + 119s));
  EXPECT_TRUE(a_->wants_rekey(kStart + 120s));
  EXPECT_FALSE(b_->wants_rekey(kStart + 129s));
  EXPECT_TRUE(b_->wants_rekey(kStart + 130s));
  const auto last = seal("x", FlowSlot{1}, "video", kStart + 179s);
  EXPECT_FALSE(last.empty());
  EXPECT_TRUE(seal("x", FlowSlot{1}, "video", kStart + 180s).empty());
  EXPECT_EQ(open(last, FlowSlot{1}, "video", kStart + 180s).failure, Unopened::kExpired);
}

TEST_F(SessionPair, AKeyNeverPassesItsLastCounter) {
  auto& keys = a_->keys(FlowSlot{1}, "video");
  keys.sent = kRekeyAfterFrames - 1;
  EXPECT_FALSE(a_->wants_rekey(kStart));
  EXPECT_FALSE(seal("x", FlowSlot{1}, "video", kStart).empty());
  EXPECT_TRUE(a_->wants_rekey(kStart));
  keys.sent = kRejectAfterFrames - 1;
  EXPECT_FALSE(seal("x", FlowSlot{1}, "video", kStart).empty());
  EXPECT_TRUE(seal("x", FlowSlot{1}, "video", kStart).empty());
}

TEST_F(SessionPair, LossIsWhatWasSeenAndDidNotArrive) {
  for (int i = 0; i < 10; ++i) {
    const auto frame = seal("x", FlowSlot{1}, "video", kStart);
    if (i % 2 == 0) continue;
    ASSERT_FALSE(open(frame, FlowSlot{1}, "video", kStart).failure);
  }
  EXPECT_EQ(b_->seen_and_received(), std::make_pair(std::uint64_t{10}, std::uint64_t{5}));
}

std::unique_ptr<Session> session_with(std::uint32_t index, TimePoint born = kStart) {
  return std::make_unique<Session>(TransportKeys{}, Role::kResponder, index, 1, born);
}

TEST(SessionSlots, APendingSessionIsUsedOnlyWhenConfirmed) {
  crypto_init();
  SessionSlots<Session> slots;
  slots.install(session_with(1), kStart);
  slots.add_pending(session_with(2));
  EXPECT_EQ(slots.current()->local_index(), 1U);
  EXPECT_FALSE(slots.confirm(slots.current(), kStart));
  EXPECT_TRUE(slots.confirm(slots.find(2), kStart));
  EXPECT_EQ(slots.current()->local_index(), 2U);
  EXPECT_EQ(slots.find(1), slots.previous());
  slots.expire(kStart + 9s);
  EXPECT_NE(slots.find(1), nullptr);
  slots.expire(kStart + 10s);
  EXPECT_EQ(slots.find(1), nullptr);
}

TEST(SessionSlots, TheOldestOfFourPendingMakesWay) {
  crypto_init();
  SessionSlots<Session> slots;
  for (std::uint32_t i = 1; i <= 5; ++i) slots.add_pending(session_with(i));
  EXPECT_EQ(slots.find(1), nullptr);
  for (std::uint32_t i = 2; i <= 5; ++i) EXPECT_NE(slots.find(i), nullptr);
  slots.expire(kStart + SessionSlots<Session>::kLinger);
  for (std::uint32_t i = 2; i <= 5; ++i) EXPECT_EQ(slots.find(i), nullptr);
}

TEST(SessionSlots, FreeIndicesAreFreeAndInRange) {
  crypto_init();
  SessionSlots<Session> slots;
  for (int i = 0; i < 100; ++i) {
    const auto index = slots.free_index(64, 16);
    EXPECT_GE(index, 64U);
    EXPECT_LT(index, 80U);
    EXPECT_EQ(slots.find(index), nullptr);
    slots.add_pending(session_with(index));
  }
}

TEST(SessionSlots, AnExpiredCurrentSessionIsDropped) {
  crypto_init();
  SessionSlots<Session> slots;
  slots.install(session_with(1), kStart);
  EXPECT_FALSE(slots.expire(kStart + 179s));
  EXPECT_TRUE(slots.expire(kStart + 180s));
  EXPECT_EQ(slots.current(), nullptr);
}

}  // namespace
}  // namespace wormhole
