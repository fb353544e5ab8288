// Duplicates, order, altered bits, rate, slots, limits, handovers; and that a seed repeats.
#include <set>

#include "unit/impair/statistics.hpp"

namespace wormhole::impairing {
namespace {

struct Left {
  Duration at;
  std::uint32_t number;
  bool operator==(const Left&) const = default;
};

void number_it(Link& link, std::uint32_t number) { store_le(link.datagram.data(), number); }

std::uint32_t number_of(Bytes bytes) { return load_le<std::uint32_t>(bytes.data()); }

/// Takes what leaves until `until`, at the times at which it does.
void drain(Link& link, TimePoint until, std::vector<Left>& left) {
  while (link.machine.next_deadline() <= until) {
    const auto now = link.machine.next_deadline();
    while (const auto due = link.machine.next_due(now)) {
      std::vector<std::uint8_t> bytes(due->size);
      link.machine.take(bytes, now);
      left.push_back({now.time_since_epoch(), number_of(bytes)});
    }
  }
}

/// `count` datagrams, one every `pause`, numbered.
std::vector<Left> send(Link& link, std::uint32_t count, Duration pause) {
  std::vector<Left> left;
  for (std::uint32_t i = 0; i < count; ++i, link.now += pause) {
    drain(link, link.now, left);
    number_it(link, i);
    const bool leaves = link.machine.on_datagram(link.datagram, 0, link.now);
    drain(link, link.now, left);  // first what was due
    if (leaves) left.push_back({link.now.time_since_epoch(), number_of(link.datagram)});
  }
  drain(link, Link::kFar, left);
  return left;
}

std::size_t inversions(const std::vector<Left>& left) {
  std::size_t count = 0;
  for (std::size_t i = 1; i < left.size(); ++i) count += left[i].number < left[i - 1].number;
  return count;
}

TEST(Impairer, NothingIsImpairedByAnEmptyProfile) {
  Link link{ImpairProfile{}};
  const auto left = send(link, 1000, 1ms);
  ASSERT_EQ(left.size(), 1000U);
  for (std::uint32_t i = 0; i < 1000; ++i) ASSERT_EQ(left[i], (Left{1s + i * 1ms, i}));
}

TEST(Impairer, DuplicatesHaveTheirShare) {
  ImpairProfile profile;
  profile.duplicate.share = share(3);
  Link link(profile);
  const auto count = static_cast<std::uint32_t>(trials());
  const auto left = send(link, count, 1us);
  expect_share(static_cast<double>(left.size() - count), count, 0.03);
  EXPECT_EQ(link.machine.counts().duplicated, left.size() - count);
  EXPECT_EQ(inversions(left), 0U) << "a copy comes right beside its original";
}

TEST(Impairer, ACopyMayBeLostItself) {
  const double d = 0.3;
  const double l = 0.2;
  ImpairProfile profile;
  profile.duplicate.share = share(100 * d);
  profile.loss_model = ImpairProfile::Loss::kRandom;
  profile.loss[0] = share(100 * l);
  Link link(profile);
  const auto left = send(link, static_cast<std::uint32_t>(trials()), 1us);
  const auto n = static_cast<double>(trials());
  // Lost and twice at once: one. Twice and not lost: it and, perhaps, its copy.
  const double mean = (1 - d) * (1 - l) + d * l + d * (1 - l) * (2 - l);
  EXPECT_NEAR(static_cast<double>(left.size()), n * mean, kSigmas * std::sqrt(n * 0.5));
}

TEST(Impairer, ReorderedOnesAreAsManyAsTheGapAllows) {
  ImpairProfile profile;
  profile.delay_us = 10'000;
  profile.reorder.share = share(25);
  profile.gap = 5;
  Link link(profile);
  std::size_t at_once = 0;
  for (std::size_t i = 0; i < trials(); ++i) at_once += link.passes() ? 1 : 0;
  // Four wait, then each leaves at once with a chance of 1/4: on average one of eight.
  expect_share(static_cast<double>(at_once), static_cast<double>(trials()), 1.0 / 8);
  EXPECT_EQ(link.machine.counts().reordered, at_once);
}

TEST(Impairer, AGapAloneReordersEachOfThem) {
  ImpairProfile profile;
  profile.delay_us = 10'000;
  profile.reorder.share = kWhole;
  profile.gap = 5;
  Link link(profile);
  const auto left = send(link, 20, 1ms);
  ASSERT_EQ(left.size(), 20U);
  std::vector<std::uint32_t> order;
  for (const auto& one : left) order.push_back(one.number);
  EXPECT_EQ(order[0], 4U);
  EXPECT_EQ(order[1], 9U);
  EXPECT_EQ(order[2], 0U);
  for (const auto& one : left) {
    EXPECT_EQ(one.at, 1s + one.number * 1ms + (one.number % 5 == 4 ? 0ms : 10ms));
  }
}

TEST(Impairer, JitterReordersAndARateDoesNot) {
  ImpairProfile profile;
  profile.delay_us = 40'000;
  profile.jitter_us = 10'000;
  Link link(profile);
  EXPECT_GT(inversions(send(link, 10'000, 1ms)), 1000U);
  profile.rate_bps = 10'000'000;
  Link in_a_row(profile);
  const auto left = send(in_a_row, 10'000, 1ms);
  EXPECT_EQ(left.size(), 10'000U);
  EXPECT_EQ(inversions(left), 0U);
}

TEST(Impairer, CorruptFlipsOneBitWhereItMay) {
  ImpairProfile profile;
  profile.corrupt.share = share(50);
  profile.corrupt_from = 12;
  profile.corrupt_to = 91;
  Link link(profile);
  const std::vector<std::uint8_t> intact(100, 0x5a);
  std::vector<double> bytes(intact.size());
  std::vector<double> bits(8);
  double altered = 0;
  for (std::size_t i = 0; i < trials(); ++i) {
    link.datagram = intact;
    ASSERT_TRUE(link.passes());
    if (link.datagram == intact) continue;
    ++altered;
    const auto at = std::mismatch(intact.begin(), intact.end(), link.datagram.begin());
    const unsigned flipped = *at.first ^ *at.second;
    ASSERT_EQ(flipped & (flipped - 1), 0U) << "more than one bit";
    const auto byte = static_cast<std::size_t>(at.first - intact.begin());
    ++bytes[byte];
    for (unsigned bit = 0; bit < 8; ++bit) bits[bit] += (flipped >> bit) & 1U;
    link.datagram[byte] = intact[byte];
    ASSERT_EQ(link.datagram, intact) << "more than one byte";
  }
  expect_share(altered, static_cast<double>(trials()), 0.5);
  EXPECT_EQ(static_cast<double>(link.machine.counts().corrupted), altered);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i < 12 || i > 91) {
      EXPECT_EQ(bytes[i], 0) << i;
    } else {
      expect_share(bytes[i], altered, 1.0 / 80);
    }
  }
  for (const double count : bits) expect_share(count, altered, 1.0 / 8);
}

TEST(Impairer, WhatIsTooShortToBeAlteredStaysAsItIs) {
  ImpairProfile profile;
  profile.corrupt.share = kWhole;
  profile.corrupt_from = 12;
  Link link(profile);
  for (const std::size_t size : {0U, 1U, 12U}) {
    link.datagram.assign(size, 7);
    EXPECT_TRUE(link.passes());
    EXPECT_EQ(link.datagram, std::vector<std::uint8_t>(size, 7));
  }
  EXPECT_EQ(link.machine.counts().corrupted, 0U);
}

TEST(Impairer, ACopyAndItsOriginalAreAlteredApart) {
  ImpairProfile profile;
  profile.duplicate.share = kWhole;
  profile.corrupt.share = kWhole;
  Link link(profile);
  const std::vector<std::uint8_t> intact(100, 0);
  std::set<std::string> seen;
  for (int i = 0; i < 100; ++i) {
    link.datagram = intact;
    ASSERT_TRUE(link.machine.on_datagram(link.datagram, 0, link.now));
    std::vector<std::uint8_t> copy(100);
    ASSERT_TRUE(link.machine.next_due(link.now));
    link.machine.take(copy, link.now);
    for (const auto& one : {link.datagram, copy}) {
      std::size_t flipped = 0;
      for (const auto byte : one) flipped += static_cast<std::size_t>(__builtin_popcount(byte));
      ASSERT_EQ(flipped, 1U);
    }
    seen.emplace(as_text(copy));
    seen.emplace(as_text(link.datagram));
  }
  EXPECT_GT(seen.size(), 150U);
}

TEST(Impairer, ARateTakesItsTimeForEachByte) {
  ImpairProfile profile;
  profile.rate_bps = 1'000'000;
  Link link(profile);
  auto left = send(link, 200, 0ms);  // 100 bytes: 800 µs each
  ASSERT_EQ(left.size(), 200U);
  for (std::uint32_t i = 0; i < 200; ++i) EXPECT_EQ(left[i], (Left{1s + (i + 1) * 800us, i}));

  profile.packet_overhead = 28;
  profile.delay_us = 5'000;
  Link longer(profile);
  left = send(longer, 100, 0ms);
  for (std::uint32_t i = 0; i < 100; ++i) {
    EXPECT_EQ(left[i].at, 1s + 5ms + (i + 1) * Duration{1'024us});
  }
  // ATM, as in tc-netem(8): 50 bytes are two cells of 48 with 5 more each.
  profile = {};
  profile.rate_bps = 8'000;
  profile.cell_size = 48;
  profile.cell_overhead = 5;
  Link cells(profile);
  cells.datagram.resize(50);
  EXPECT_EQ(cells.wait(), Duration{106ms});
}

TEST(Impairer, SlotsLetGroupsThrough) {
  ImpairProfile profile;
  profile.slot.kind = ImpairProfile::Slot::Kind::kRange;
  profile.slot.min_us = 10'000;
  profile.slot.max_us = 20'000;
  profile.slot.packets = 8;
  Link link(profile);
  const auto left = send(link, 20'000, 2ms);
  ASSERT_EQ(left.size(), 20'000U);
  EXPECT_EQ(inversions(left), 0U);
  std::size_t begin = 0;
  for (std::size_t i = 1; i < left.size(); ++i) {
    if (left[i].at == left[begin].at) {
      ASSERT_LT(i - begin, 8U);
      continue;
    }
    ASSERT_GE(left[i].at - left[begin].at, 10ms);
    begin = i;
  }
  // 15 ms apart on average, and up to 2 ms more until a datagram comes, if none was left over.
  std::set<Duration> times;
  for (const auto& one : left) times.insert(one.at);
  EXPECT_GT(times.size(), 40'000U / 17);
  EXPECT_LT(times.size(), 40'000U / 15 + 100);
}

TEST(Impairer, SlotsMayBeSpreadAndHaveBytes) {
  ImpairProfile profile;
  profile.slot.kind = ImpairProfile::Slot::Kind::kSpread;
  profile.slot.delay_us = 10'000;
  profile.slot.jitter_us = 1'000;
  profile.slot.spreading = Spreading::kNormal;
  profile.slot.bytes = 250;  // of 100 each: the third goes over it, and ends the slot
  profile.limit = 10'000;
  Link link(profile);
  std::map<Duration, std::size_t> times;
  for (const auto& one : send(link, 3'000, 1ms)) ++times[one.at];
  for (const auto& [at, count] : times) EXPECT_LE(count, 3U);
  EXPECT_NEAR(static_cast<double>(times.size()), 1000, 20);
}

TEST(Impairer, ALimitDropsWhatComesOnTop) {
  ImpairProfile profile;
  profile.delay_us = 1'000'000;
  profile.limit = 100;
  Link link(profile);
  const auto left = send(link, 250, 1ms);
  EXPECT_EQ(left.size(), 100U);
  EXPECT_EQ(link.machine.counts().over_limit, 150U);
  EXPECT_EQ(link.pool.used_blocks(), 0U);
}

TEST(Impairer, MemoryIsBounded) {
  HeldPool pool(10);
  ImpairProfile profile;
  profile.delay_us = 1'000'000;
  std::vector<std::uint8_t> datagram(2 * HeldPool::kBlock);
  {
    Impairer machine(profile, pool, 1);
    for (int i = 0; i < 8; ++i) EXPECT_FALSE(machine.on_datagram(datagram, 0, TimePoint{}));
    EXPECT_EQ(machine.held(), 5U);
    EXPECT_EQ(machine.counts().over_memory, 3U);
    EXPECT_EQ(pool.used_blocks(), 10U);
  }
  EXPECT_EQ(pool.used_blocks(), 0U) << "what is held ends with who holds it";
}

ImpairProfile everything() {
  ImpairProfile profile;
  profile.loss_model = ImpairProfile::Loss::kGemodel;
  profile.loss = {share(2), share(20), share(80), share(1)};
  profile.delay_us = 40'000;
  profile.jitter_us = 10'000;
  profile.delay_correlation = share(25);
  profile.spreading = Spreading::kParetoNormal;
  profile.duplicate = {share(2), share(10)};
  profile.reorder = {share(5), share(50)};
  profile.gap = 3;
  profile.corrupt = {share(5), 0};
  profile.rate_bps = 2'000'000;
  profile.limit = 50;
  profile.handover = {5'000'000, 140'000, share(10)};
  return profile;
}

TEST(Impairer, TheSameSeedRepeatsExactly) {
  auto profile = everything();
  profile.seed = 42;
  Link one(profile, 1);
  Link other(profile, 2);
  const auto first = send(one, 20'000, 1ms);
  EXPECT_EQ(first, send(other, 20'000, 1ms));
  EXPECT_GT(one.machine.counts().lost, 0U);
  EXPECT_GT(one.machine.counts().reordered, 0U);
  EXPECT_GT(one.machine.counts().corrupted, 0U);
  profile.seed = 43;
  Link third(profile, 1);
  EXPECT_NE(first, send(third, 20'000, 1ms));
  profile.seed.reset();
  Link fourth(profile, 42);
  EXPECT_EQ(first, send(fourth, 20'000, 1ms)) << "without one, the seed comes from outside";
}

TEST(Impairer, AskingTooEarlyChangesNothing) {
  auto profile = everything();
  profile.slot.kind = ImpairProfile::Slot::Kind::kRange;
  profile.slot.max_us = 9'000;
  Link calm(profile);
  Link asked(profile);
  std::vector<Left> left;
  for (std::uint32_t i = 0; i < 5'000; ++i, asked.now += 1ms) {
    for (auto at = asked.now; at < asked.now + 1ms; at += 250us) {
      const auto next = asked.machine.next_deadline();
      if (next > at) {
        EXPECT_FALSE(asked.machine.next_due(at));
      }
    }
    drain(asked, asked.now, left);
    number_it(asked, i);
    if (asked.machine.on_datagram(asked.datagram, 0, asked.now)) {
      drain(asked, asked.now, left);
      left.push_back({asked.now.time_since_epoch(), number_of(asked.datagram)});
    }
    drain(asked, asked.now, left);
  }
  drain(asked, Link::kFar, left);
  EXPECT_EQ(send(calm, 5'000, 1ms), left);
}

TEST(Impairer, AnotherProfileLosesNothingThatIsHeld) {
  ImpairProfile profile;
  profile.delay_us = 100'000;
  Link link(profile);
  for (std::uint32_t i = 0; i < 50; ++i) {
    number_it(link, i);
    EXPECT_FALSE(link.machine.on_datagram(link.datagram, 7, link.now + i * 1ms));
  }
  profile.loss_model = ImpairProfile::Loss::kRandom;
  profile.loss[0] = kWhole;
  profile.delay_us = 0;
  link.machine.set_profile(profile);
  EXPECT_EQ(link.machine.held(), 50U);
  EXPECT_FALSE(link.machine.on_datagram(link.datagram, 7, link.now + 50ms)) << "the new rules";
  std::vector<Left> left;
  drain(link, Link::kFar, left);
  ASSERT_EQ(left.size(), 50U);
  for (std::uint32_t i = 0; i < 50; ++i) EXPECT_EQ(left[i], (Left{1s + 100ms + i * 1ms, i}));
}

TEST(Impairer, AHandoverSilencesTheLinkOnTime) {
  ImpairProfile profile;
  profile.delay_us = 20'000;
  profile.handover = {15'000'000, 140'000, 0};
  Link link(profile);
  const auto left = send(link, 60'000, 1ms);
  ASSERT_EQ(left.size(), 60'000U);
  EXPECT_EQ(inversions(left), 0U);
  Duration longest{};
  std::size_t late = 0;
  for (const auto& one : left) {
    const auto wait = one.at - (1s + one.number * 1ms);
    longest = std::max(longest, wait);
    late += wait > 20ms ? 1 : 0;
    const auto phase = (one.at - 1s) % 15s;
    ASSERT_TRUE(phase < 15s - 140ms) << to_ms(one.at);
  }
  EXPECT_EQ(longest, Duration{160ms});
  EXPECT_EQ(late, 4 * 140U);
  profile.handover.loss = kWhole;
  Link lossy(profile);
  EXPECT_EQ(send(lossy, 60'000, 1ms).size(), 60'000U - 4 * 140U);
  EXPECT_EQ(lossy.machine.counts().handover, 4 * 140U);
}

TEST(Impairer, TagsComeBackWithTheirDatagrams) {
  ImpairProfile profile;
  profile.delay_us = 10'000;
  Link link(profile);
  for (std::uint16_t tag = 0; tag < 100; ++tag) {
    link.datagram.resize(tag + std::size_t{1});
    link.machine.on_datagram(link.datagram, tag, link.now);
  }
  for (std::uint16_t tag = 0; tag < 100; ++tag) {
    const auto due = link.machine.next_due(link.now + 10ms);
    ASSERT_TRUE(due);
    EXPECT_EQ(due->tag, tag);
    EXPECT_EQ(due->size, tag + 1U);
    link.machine.drop(link.now + 10ms);
  }
}

TEST(HeldPool, KeepsDatagramsOfAllSizes) {
  HeldPool pool(100);
  std::vector<std::pair<HeldPool::Ticket, std::vector<std::uint8_t>>> all;
  std::uint8_t fill = 1;
  for (const std::size_t size : {0UL, 1UL, 1535UL, 1536UL, 1537UL, 65'507UL, 3'000UL}) {
    std::vector<std::uint8_t> datagram(size);
    for (auto& byte : datagram) byte = fill = static_cast<std::uint8_t>(fill * 5 + 1);
    const auto ticket = pool.put(datagram);
    ASSERT_TRUE(ticket);
    all.emplace_back(*ticket, datagram);
  }
  EXPECT_EQ(pool.used_blocks(), 0U + 1 + 1 + 1 + 2 + 43 + 2);
  EXPECT_FALSE(pool.put(std::vector<std::uint8_t>(65'507 + 65'507)));
  pool.drop(all[3].first);
  all.erase(all.begin() + 3);
  for (const auto& [ticket, datagram] : all) {
    std::vector<std::uint8_t> back(datagram.size());
    pool.take(ticket, back);
    EXPECT_EQ(back, datagram);
  }
  EXPECT_EQ(pool.used_blocks(), 0U);
}

TEST(ImpairProfile, WhatContradictsItselfIsSaid) {
  EXPECT_EQ(what_is_wrong({}), "");
  EXPECT_EQ(what_is_wrong(everything()), "");
  const auto wrong = [](auto change) {
    ImpairProfile profile;
    change(profile);
    return !what_is_wrong(profile).empty();
  };
  EXPECT_TRUE(wrong([](auto& p) { p.delay_us = 60'000'001; }));
  EXPECT_TRUE(wrong([](auto& p) { p.jitter_us = 60'000'001; }));
  EXPECT_TRUE(wrong([](auto& p) { p.limit = 0; }));
  EXPECT_TRUE(wrong([](auto& p) { p.limit = 100'001; }));
  EXPECT_TRUE(wrong([](auto& p) { p.rate_bps = 999; }));
  EXPECT_TRUE(wrong([](auto& p) { p.packet_overhead = -1001; }));
  EXPECT_TRUE(wrong([](auto& p) { p.cell_size = 65'536; }));
  EXPECT_TRUE(wrong([](auto& p) { p.cell_size = 48, p.cell_overhead = -48; }));
  EXPECT_TRUE(wrong([](auto& p) { p.gap = 1; }));
  EXPECT_TRUE(wrong([](auto& p) { p.corrupt_from = 13, p.corrupt_to = 12; }));
  EXPECT_TRUE(wrong([](auto& p) { p.spreading = Spreading::kTable; }));
  EXPECT_TRUE(wrong([](auto& p) { p.slot.min_us = 2, p.slot.max_us = 1; }));
  EXPECT_TRUE(wrong([](auto& p) { p.slot.spreading = Spreading::kTable; }));
  EXPECT_TRUE(wrong([](auto& p) { p.handover = {140'000, 140'000, 0}; }));
  EXPECT_TRUE(wrong([](auto& p) {
    p.loss_model = ImpairProfile::Loss::kState;
    p.loss = {share(60), 0, 0, 0, share(50)};
  }));
}

}  // namespace
}  // namespace wormhole::impairing
