#include "wormhole/punch/campaign.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "unit/punch/reports.hpp"

namespace wormhole {
namespace {

using namespace test;

constexpr TimePoint kStart{1h};

struct Sent {
  TimePoint at;
  PunchSend packet;
};

/// Runs a campaign whose timers come `late` after what it asked for.
std::vector<Sent> run(Campaign& campaign, Duration late = {}) {
  std::vector<Sent> all;
  std::vector<PunchSend> sends;
  auto now = kStart;
  while (!campaign.is_over(now)) {
    now = std::max(now, campaign.next_deadline() + late);
    sends.clear();
    campaign.on_timeout(now, sends);
    for (const auto& send : sends) all.push_back({now, send});
  }
  return all;
}

/// The most packets in any second.
std::size_t busiest_second(const std::vector<Sent>& sent) {
  std::size_t most = 0;
  std::size_t first = 0;
  for (std::size_t i = 0; i < sent.size(); ++i) {
    while (sent[i].at - sent[first].at >= 1s) ++first;
    most = std::max(most, i - first + 1);
  }
  return most;
}

struct CampaignTest : testing::Test {
  Campaign campaign(const NatReport& local, const NatReport& remote) {
    return {plan_punch(local, remote, 1, settings, rng), settings, kStart};
  }
  PunchSettings settings;
  SeededRng rng{1};
};

TEST_F(CampaignTest, ConeSendsItsOpenersAtTheirTimesAndWaitsForAnswers) {
  auto c = campaign(cone(kHere), cone(kThere));
  const auto sent = run(c);
  ASSERT_EQ(sent.size(), Campaign::kOpenerTimes.size());
  for (std::size_t i = 0; i < sent.size(); ++i) {
    EXPECT_EQ(sent[i].at, kStart + Campaign::kOpenerTimes[i]);
    EXPECT_EQ(sent[i].packet.socket, 0);
    EXPECT_EQ(sent[i].packet.to, cone(kThere).mapped);
    EXPECT_EQ(sent[i].packet.ttl, 0);
  }
  EXPECT_FALSE(c.is_over(kStart + 800ms));
  EXPECT_TRUE(c.is_over(kStart + 1300ms));
  EXPECT_EQ(c.sent(), sent.size());
}

TEST_F(CampaignTest, OpeningsGoOutTwiceFirstWithALowTtl) {
  auto c = campaign(symmetric(kHere), cone(kThere));
  auto sent = run(c);
  std::erase_if(sent, [](const Sent& s) { return s.packet.socket == 0; });
  ASSERT_EQ(sent.size(), 512U);
  for (std::size_t i = 0; i < 256; ++i) {
    EXPECT_EQ(sent[i].packet.socket, i + 1);
    EXPECT_EQ(sent[i].packet.ttl, c.plan().opening_ttl);
    EXPECT_EQ(sent[i + 256].packet.socket, i + 1);
    EXPECT_EQ(sent[i + 256].packet.ttl, 0);
    EXPECT_EQ(sent[i + 256].at - sent[i].at, Campaign::kSecondVolley);
  }
}

TEST_F(CampaignTest, SocketsAreSplitEvenlyOverTheTargets) {
  auto c = campaign(sequential(kHere), sequential(kThere));
  ASSERT_EQ(c.plan().targets.size(), 2U);
  for (const auto& s : run(c)) {
    EXPECT_EQ(s.packet.to, c.plan().targets[s.packet.socket <= 64 ? 0 : 1]);
  }
}

TEST_F(CampaignTest, ProbesRampUpWithinASecondAndTheCampaignLastsFive) {
  auto c = campaign(cone(kHere), symmetric(kThere));
  const auto sent = run(c);
  ASSERT_EQ(sent.size(), 2048U);
  const auto until = [&](Duration t) {
    return std::count_if(sent.begin(), sent.end(),
                         [&](const Sent& s) { return s.at < kStart + t; });
  };
  EXPECT_NEAR(static_cast<double>(until(100ms)), 12, 1);
  EXPECT_NEAR(static_cast<double>(until(1s)), 297, 3);  // 300, less the 1 % of late timers
  EXPECT_NEAR(static_cast<double>(until(2s) - until(1s)), 495, 2);
  EXPECT_LT(sent.back().at, kStart + 4600ms);
  for (std::size_t i = 0; i < sent.size(); ++i) EXPECT_EQ(sent[i].packet.to, c.plan().probes[i]);
}

/// Whatever the rates and however late the timers: in no second more than allowed.
TEST_F(CampaignTest, NoSecondHasMorePacketsThanTheRates) {
  for (const auto rate : std::initializer_list<std::uint16_t>{1, 7, 20, 99, 500, 2000}) {
    for (const Duration late : {0ms, 1ms, 9ms, 30ms, 400ms}) {
      SCOPED_TRACE(std::to_string(rate) + "/s, timers late by " + std::to_string(to_ms(late)));
      settings.opens_per_s = settings.probes_per_s = rate;
      settings.probes_per_s_first = static_cast<std::uint16_t>(std::max(rate / 5, 1));
      settings.most_sockets = 64;
      settings.most_probes = 300;
      auto probes = campaign(cone(kHere), symmetric(kThere));
      EXPECT_LE(busiest_second(run(probes, late)), rate);
      EXPECT_EQ(probes.sent(), 300U);
      auto opens = campaign(symmetric(kHere), cone(kThere));
      auto sent = run(opens, late);
      std::erase_if(sent, [](const Sent& s) { return s.packet.socket == 0; });
      EXPECT_LE(busiest_second(sent), rate);
      EXPECT_EQ(sent.size(), 128U);
    }
  }
}

TEST_F(CampaignTest, ASleepingProcessDoesNotCatchUpInABurst) {
  auto c = campaign(cone(kHere), symmetric(kThere));
  std::vector<PunchSend> sends;
  c.on_timeout(kStart, sends);
  c.on_timeout(kStart + 10s, sends);
  EXPECT_LE(sends.size(), 7U);  // 10 ms at the full rate
}

TEST_F(CampaignTest, ARelayPlanIsOverAtOnce) {
  auto c = campaign(symmetric(kHere), symmetric(kThere));
  EXPECT_TRUE(c.is_over(kStart));
  EXPECT_EQ(c.next_deadline(), kNever);
}

}  // namespace
}  // namespace wormhole
