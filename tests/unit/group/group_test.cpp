// What a group's frames protect, and from whom.
#include "wormhole/group/group.hpp"

#include <gtest/gtest.h>

#include "wormhole/base/datagram.hpp"
#include "wormhole/group/heard_groups.hpp"

namespace wormhole {
namespace {

constexpr FlowNo kFlow{7};
constexpr FlowSlot kSlot{2};
constexpr ClientNo kSender{5};
const TimePoint kNow{1000s};

/// A sender with three receivers that have its keys.
struct Trio {
  Trio() {
    for (const auto& member : group.members()) {
      heard.emplace_back();
      EXPECT_TRUE(heard.back().put(group.keys_for(member), kSlot, "video", kNow));
    }
    for (std::uint16_t slot = 0; slot < 3; ++slot) group.on_ack(slot);
  }
  /// The sealed frame with all tags.
  std::vector<std::uint8_t> seal(Group& by, std::string_view text) {
    std::vector<std::uint8_t> room(kHeadroom + text.size() + kTailroom);
    const auto at = MutBytes(room).subspan(kHeadroom, text.size());
    copy_bytes(as_bytes(text), at);
    const auto frame = by.seal(kSender, at, kNoFlags, kNow);
    return {frame.begin(), frame.end()};
  }
  /// What the server makes of it for the n-th receiver.
  std::vector<std::uint8_t> copy_for(const std::vector<std::uint8_t>& frame, std::size_t n,
                                     std::size_t of = 3) {
    const auto body = frame.size() - of * kReceiverTagSize;
    std::vector<std::uint8_t> copy(frame.begin(),
                                   frame.begin() + static_cast<std::ptrdiff_t>(body));
    const auto tag = frame.begin() + static_cast<std::ptrdiff_t>(body + n * kReceiverTagSize);
    copy.insert(copy.end(), tag, tag + kReceiverTagSize);
    copy[0] = static_cast<std::uint8_t>(FrameType::kGroupDown);
    return copy;
  }
  std::optional<std::string> open(std::size_t n, std::vector<std::uint8_t> copy,
                                  FlowSlot flow = kSlot, TimePoint now = kNow) {
    const auto text = heard[n].open(*read_header(copy), flow, copy, now);
    if (!text) return std::nullopt;
    return std::string(as_text(*text));
  }

  SeededRng rng{4};
  std::vector<GroupReceiver> receivers{{ClientNo{8}, 0}, {ClientNo{9}, 1}, {ClientNo{10}, 2}};
  Group group{77, kFlow, "video", receivers, rng, kNow};
  std::vector<HeardGroups> heard;
};

TEST(Group, EachReceiverOpensItsCopyOnce) {
  Trio trio;
  const auto frame = trio.seal(trio.group, "picture");
  EXPECT_EQ(frame.size(), kHeaderSize + 7 + kTagSize + 3 * kReceiverTagSize);
  for (std::size_t n = 0; n < 3; ++n) {
    EXPECT_EQ(trio.open(n, trio.copy_for(frame, n)), "picture");
    EXPECT_EQ(trio.open(n, trio.copy_for(frame, n)), std::nullopt);
    EXPECT_EQ(trio.heard[n].drops().replayed, 1U);
  }
}

TEST(Group, AnothersTagOpensNothingAndUsesNoCounterUp) {
  Trio trio;
  const auto frame = trio.seal(trio.group, "picture");
  EXPECT_EQ(trio.open(0, trio.copy_for(frame, 1)), std::nullopt);
  EXPECT_EQ(trio.heard[0].drops().forged, 1U);
  EXPECT_EQ(trio.open(0, trio.copy_for(frame, 0)), "picture");
}

TEST(Group, AReceiverWithAllItKnowsCannotSpeakForTheSender) {
  Trio trio;
  // Receiver 0 has the group key and its own receiver key, and may guess the others' as it likes.
  const auto known = trio.group.keys_for(trio.group.members()[0]);
  const auto frame = trio.seal(trio.group, "go left");
  auto forged = trio.copy_for(frame, 1);
  const MutBytes sealed = MutBytes(forged).subspan(kHeaderSize, 7 + kTagSize);
  const auto key = flow_key(known.key, "video");
  const auto associated = associated_data(forged.data());
  ASSERT_TRUE(open_in_place(key, 1, associated, sealed));
  copy_bytes(as_bytes("go down"), sealed);
  seal_in_place(key, 1, associated, sealed.first(7));
  const auto mac = [&](const ReceiverKey& with) {
    const auto tag = receiver_tag(with, frame_hash(sealed), associated);
    copy_bytes(tag, MutBytes(forged).last(kReceiverTagSize));
  };
  EXPECT_EQ(trio.open(1, forged), std::nullopt) << "with the tag of the sender's own frame";
  mac(known.receiver);
  EXPECT_EQ(trio.open(1, forged), std::nullopt);
  EXPECT_EQ(trio.open(0, forged), "go down") << "to itself it can say what it likes";
  EXPECT_EQ(trio.heard[1].drops().forged, 2U);
  EXPECT_EQ(trio.open(1, trio.copy_for(frame, 1)), "go left");
}

TEST(Group, WhoHasNotSaidThatItHasTheKeysGetsNoCopyToOpen) {
  Trio trio;
  Group fresh(78, kFlow, "video", trio.receivers, trio.rng, kNow);
  fresh.on_ack(1);
  for (std::size_t n = 0; n < 3; ++n) {
    EXPECT_TRUE(trio.heard[n].put(fresh.keys_for(fresh.members()[n]), kSlot, "video", kNow));
  }
  const auto frame = trio.seal(fresh, "picture");
  EXPECT_EQ(trio.open(0, trio.copy_for(frame, 0)), std::nullopt);
  EXPECT_EQ(trio.open(1, trio.copy_for(frame, 1)), "picture");
  const auto tags = Bytes(frame).last(3 * kReceiverTagSize);
  EXPECT_TRUE(std::equal(kNoReceiverTag.begin(), kNoReceiverTag.end(), tags.begin()));
}

TEST(Group, WhatIsAlteredOrOfAnotherFlowDoesNotOpen) {
  Trio trio;
  const auto frame = trio.seal(trio.group, "picture");
  const auto copy = trio.copy_for(frame, 2);
  for (std::size_t at = 1; at < copy.size(); ++at) {
    auto altered = copy;
    altered[at] ^= 0x40;
    EXPECT_EQ(trio.open(2, altered), std::nullopt) << at;
  }
  EXPECT_EQ(trio.open(2, copy, FlowSlot{3}), std::nullopt);
  EXPECT_EQ(trio.open(2, copy, kSlot, kNow + kRejectAfter), std::nullopt);
  EXPECT_EQ(trio.open(2, copy), "picture");
}

/// Worked out apart from libsodium: SipHash-2-4 as published, BLAKE2b of Python's hashlib.
TEST(Group, TagsAreThoseOfTheProtocol) {
  ReceiverKey key{};
  for (std::size_t i = 0; i < key.size(); ++i) key[i] = static_cast<std::uint8_t>(i);
  const auto tag = receiver_tag(key, frame_hash(as_bytes("sealed")), as_bytes("header bytes"));
  EXPECT_EQ(tag, (ReceiverTag{0x44, 0x29, 0x79, 0x65, 0x1d, 0x55, 0x51, 0xfb}));
}

TEST(HeardGroups, KeepTheNewestOfAFlowAndNotEndlesslyMany) {
  Trio trio;
  HeardGroups heard;
  std::uint16_t number = 0;
  const auto put = [&](FlowSlot flow) {
    Group group(++number, kFlow, "video", trio.receivers, trio.rng, kNow);
    return heard.put(group.keys_for(group.members()[0]), flow, "video", kNow);
  };
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(put(kSlot));
  EXPECT_EQ(heard.size(), HeardGroups::kMostOfFlow);
  for (std::uint16_t flow = 3; heard.size() < HeardGroups::kMost; ++flow) {
    EXPECT_TRUE(put(FlowSlot{flow}));
  }
  EXPECT_FALSE(put(FlowSlot{1000}));
  EXPECT_TRUE(put(kSlot)) << "a known flow's oldest makes way";
  EXPECT_EQ(heard.drops().too_many, 1U);
}

}  // namespace
}  // namespace wormhole
