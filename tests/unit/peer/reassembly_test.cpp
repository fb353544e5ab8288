#include "wormhole/peer/reassembly.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "wormhole/base/rng.hpp"

namespace wormhole {
namespace {

constexpr TimePoint kStart{1000s};
using Fragments = std::vector<std::vector<std::uint8_t>>;

std::vector<std::uint8_t> datagram(std::size_t size, std::uint8_t first) {
  std::vector<std::uint8_t> bytes(size);
  std::iota(bytes.begin(), bytes.end(), first);
  return bytes;
}

Fragments cut(Bytes whole, std::uint32_t number, std::uint8_t count) {
  Fragments out;
  FragmentHeader head{number, 0, count, static_cast<std::uint16_t>(whole.size())};
  for (; head.index < count; ++head.index) {
    auto& text = out.emplace_back(kFragmentHeaderSize + head.length());
    write_fragment_header(head, text.data());
    copy_bytes(whole.subspan(head.offset(), head.length()),
               MutBytes(text).subspan(kFragmentHeaderSize));
  }
  return out;
}

TEST(Reassembly, AnyOrderGivesTheWholeDatagram) {
  SeededRng rng(5);
  for (int round = 0; round < 300; ++round) {
    Reassembly reassembly;
    const auto count = static_cast<std::uint8_t>(2 + rng.below(63));
    const auto whole = datagram(count * (64 + rng.below(900)) + rng.below(count), 7);
    auto fragments = cut(whole, 1, count);
    std::optional<Bytes> result;
    while (!fragments.empty()) {
      ASSERT_FALSE(result);
      const auto pick = rng.below(static_cast<std::uint32_t>(fragments.size()));
      result = reassembly.add(0, FlowSlot{1}, fragments[pick], kStart);
      fragments.erase(fragments.begin() + pick);
    }
    ASSERT_TRUE(result);
    EXPECT_TRUE(std::equal(whole.begin(), whole.end(), result->begin(), result->end()));
  }
}

TEST(Reassembly, PeersAndFlowsAndDatagramsAreKeptApart) {
  Reassembly reassembly;
  const auto a = cut(datagram(100, 1), 1, 2);
  const auto b = cut(datagram(100, 2), 1, 2);
  EXPECT_FALSE(reassembly.add(0, FlowSlot{1}, a[0], kStart));
  EXPECT_FALSE(reassembly.add(1, FlowSlot{1}, b[1], kStart));
  EXPECT_FALSE(reassembly.add(0, FlowSlot{2}, b[1], kStart));
  const auto other = cut(datagram(100, 3), 2, 2);
  EXPECT_FALSE(reassembly.add(0, FlowSlot{1}, other[1], kStart));
  const auto whole = reassembly.add(0, FlowSlot{1}, a[1], kStart);
  ASSERT_TRUE(whole);
  EXPECT_EQ((*whole)[99], 100);
}

TEST(Reassembly, ALostFragmentCostsOneDatagramAndItsPlaceComesBack) {
  Reassembly reassembly;
  for (std::uint32_t i = 0; i < Reassembly::kMaxOpen; ++i) {
    reassembly.add(0, FlowSlot{1}, cut(datagram(100, 1), i, 2)[0], kStart);
  }
  reassembly.add(0, FlowSlot{1}, cut(datagram(100, 1), 1000, 2)[0], kStart + 1ms);
  EXPECT_EQ(reassembly.drops().made_way, 1U);
  reassembly.add(0, FlowSlot{1}, cut(datagram(100, 1), 1001, 2)[0], kStart + 1s);
  EXPECT_GE(reassembly.drops().timed_out, 1U);
  EXPECT_EQ(reassembly.drops().made_way, 1U);
}

TEST(Reassembly, WhatWasReturnedStaysUntilRelease) {
  Reassembly reassembly;
  std::vector<Bytes> wholes;
  for (std::uint32_t i = 0; i < Reassembly::kMaxOpen; ++i) {
    const auto fragments = cut(datagram(100, static_cast<std::uint8_t>(i)), i, 2);
    reassembly.add(0, FlowSlot{1}, fragments[0], kStart);
    wholes.push_back(*reassembly.add(0, FlowSlot{1}, fragments[1], kStart));
  }
  const auto more = cut(datagram(100, 0), 99, 2);
  EXPECT_FALSE(reassembly.add(0, FlowSlot{1}, more[0], kStart));
  for (std::size_t i = 0; i < wholes.size(); ++i) EXPECT_EQ(wholes[i][0], i);
  reassembly.release();
  EXPECT_FALSE(reassembly.add(0, FlowSlot{1}, more[0], kStart));
  EXPECT_TRUE(reassembly.add(0, FlowSlot{1}, more[1], kStart));
}

TEST(Reassembly, HeadersThatContradictThemselvesAreRefused) {
  Reassembly reassembly;
  const auto good = cut(datagram(100, 1), 1, 2)[0];
  const auto with = [&](std::size_t at, std::uint8_t value) {
    auto bad = good;
    bad[at] = value;
    return bad;
  };
  const std::vector<std::vector<std::uint8_t>> bad{
      {},          with(4, 2),  with(5, 0),
      with(5, 1),  with(5, 65), with(6, 0),
      with(6, 99), with(5, 3),  std::vector<std::uint8_t>(good.begin(), good.end() - 1)};
  for (const auto& text : bad) EXPECT_FALSE(reassembly.add(0, FlowSlot{1}, text, kStart));
  EXPECT_EQ(reassembly.drops().malformed, bad.size() - 1);  // 99 of 100 bytes: the same chunk
}

TEST(Reassembly, RandomBytesNeverDoHarm) {
  SeededRng rng(9);
  Reassembly reassembly;
  for (int round = 0; round < 20000; ++round) {
    std::vector<std::uint8_t> text(rng.below(80));
    rng.fill(text);
    if (text.size() > 8) {
      const FragmentHeader head{rng.below(4), static_cast<std::uint8_t>(rng.below(4)),
                                static_cast<std::uint8_t>(rng.below(4)),
                                static_cast<std::uint16_t>(rng.below(200))};
      write_fragment_header(head, text.data());
    }
    if (const auto whole = reassembly.add(0, FlowSlot{1}, text, kStart)) {
      EXPECT_LT(whole->size(), 200U);
      reassembly.release();
    }
  }
  EXPECT_GT(reassembly.drops().malformed, 0U);
}

}  // namespace
}  // namespace wormhole
