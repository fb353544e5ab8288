// Turns to punch: one heavy campaign at a time for each public address.
#include "server/campaign_leases.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace wormhole {
namespace {

using Answer = CampaignTurn::Answer;

class Leases : public ::testing::Test {
 protected:
  static CampaignLeases::End at(std::uint16_t client, std::uint8_t address) {
    return {ClientNo{client}, IpAddress::v4(203, 0, 113, address)};
  }
  void ask(CampaignLeases::End asker, CampaignLeases::End other) {
    leases.ask(asker, other, now);
    hear();
  }
  void end(std::uint16_t by, std::uint16_t other, std::uint32_t turn) {
    leases.end(ClientNo{by}, ClientNo{other}, turn, now);
    hear();
  }
  void pass(Duration time) {
    now += time;
    leases.on_timeout(now);
    hear();
  }
  void hear() { heard = leases.take_news(); }
  std::optional<CampaignTurn> told(std::uint16_t client) const {
    const auto item = std::find_if(heard.rbegin(), heard.rend(),
                                   [&](const auto& n) { return n.to == ClientNo{client}; });
    return item == heard.rend() ? std::nullopt : std::optional(item->turn);
  }
  std::optional<Answer> answer(std::uint16_t client) const {
    const auto turn = told(client);
    return turn ? std::optional(turn->answer) : std::nullopt;
  }

  CampaignLeases leases;
  TimePoint now{1000s};
  std::vector<CampaignLeases::News> heard;
};

TEST_F(Leases, WhereNobodyPunchesBothEndsHaveTheirTurnAtOnce) {
  ask(at(1, 1), at(2, 2));
  EXPECT_EQ(answer(1), Answer::kGranted);
  EXPECT_EQ(answer(2), Answer::kGranted);
  EXPECT_EQ(told(1)->peer, ClientNo{2});
  EXPECT_EQ(told(2)->peer, ClientNo{1});
  EXPECT_EQ(told(1)->turn, told(2)->turn);
  EXPECT_EQ(leases.held(), 1U);
}

TEST_F(Leases, ASecondCampaignBehindAnAddressWaitsUntilBothEndsOfTheFirstHaveFinished) {
  ask(at(1, 1), at(2, 2));
  const auto first = told(1)->turn;
  ask(at(3, 1), at(4, 4));
  EXPECT_EQ(answer(3), Answer::kBusyHere);
  EXPECT_EQ(answer(4), Answer::kBusyThere);
  EXPECT_EQ(leases.waiting(), 1U);
  end(1, 2, first);
  EXPECT_FALSE(answer(3));
  end(2, 1, first);
  EXPECT_EQ(answer(3), Answer::kGranted);
  EXPECT_EQ(answer(4), Answer::kGranted);
  EXPECT_NE(told(3)->turn, first);
}

TEST_F(Leases, OneEndsWordFreesTheAddressesASecondLater) {
  ask(at(1, 1), at(2, 2));
  const auto first = told(1)->turn;
  ask(at(3, 3), at(4, 2));
  EXPECT_EQ(answer(4), Answer::kBusyHere);
  end(1, 2, first);
  EXPECT_EQ(leases.next_deadline(), now + CampaignLeases::kOtherEnd);
  pass(CampaignLeases::kOtherEnd);
  EXPECT_EQ(answer(3), Answer::kGranted);
  EXPECT_EQ(leases.counters().expired, 0U);
}

TEST_F(Leases, WhoAskedFirstComesFirstAndNobodyStarves) {
  ask(at(1, 1), at(2, 2));
  const auto first = told(1)->turn;
  ask(at(3, 2), at(4, 4));  // waits for address 2
  ask(at(5, 4), at(6, 6));  // would be free, but 3 waits for address 4 since before
  EXPECT_EQ(answer(5), Answer::kBusyHere);
  end(1, 2, first);
  end(2, 1, first);
  EXPECT_EQ(answer(3), Answer::kGranted);
  EXPECT_FALSE(answer(5));
  const auto second = told(3)->turn;
  end(3, 4, second);
  end(4, 3, second);
  EXPECT_EQ(answer(5), Answer::kGranted);
}

TEST_F(Leases, OtherAddressesDoNotWait) {
  ask(at(1, 1), at(2, 2));
  ask(at(3, 3), at(4, 4));
  EXPECT_EQ(answer(3), Answer::kGranted);
}

TEST_F(Leases, BothEndsBehindOneAddressTakeItOnce) {
  ask(at(1, 1), at(2, 1));
  EXPECT_EQ(answer(1), Answer::kGranted);
  ask(at(3, 1), at(4, 4));
  EXPECT_EQ(answer(3), Answer::kBusyHere);
}

TEST_F(Leases, AsManyAtATimeAsTheSettingsSay) {
  P2pSettings settings;
  settings.campaigns_per_address = 2;
  leases.set_limits(settings);
  ask(at(1, 1), at(2, 2));
  ask(at(3, 1), at(4, 4));
  EXPECT_EQ(answer(3), Answer::kGranted);
  ask(at(5, 1), at(6, 6));
  EXPECT_EQ(answer(5), Answer::kBusyHere);
}

TEST_F(Leases, ATurnLastsAsLongAsTheLongestCampaignOfTheSettings) {
  leases.set_limits({});
  EXPECT_GT(leases.life(), 5100ms + CampaignLeases::kStart);  // nat-traversal.md, packet budgets
  EXPECT_LT(leases.life(), 13s);
  ask(at(1, 1), at(2, 2));
  ask(at(3, 1), at(4, 4));
  pass(leases.life() - 1ms);
  EXPECT_FALSE(answer(3));
  EXPECT_EQ(leases.next_deadline(), now + 1ms);
  pass(1ms);
  EXPECT_EQ(answer(3), Answer::kGranted);
  EXPECT_EQ(leases.counters().expired, 1U);
  leases.set_limits(kPoliteP2p);
  EXPECT_GT(leases.life(), 11300ms + CampaignLeases::kStart);
}

TEST_F(Leases, WhoGoesGivesUpItsTurnAndItsPlace) {
  ask(at(1, 1), at(2, 2));
  ask(at(3, 1), at(4, 4));
  ask(at(5, 1), at(6, 6));
  leases.leave(ClientNo{4}, now);
  hear();
  EXPECT_EQ(leases.waiting(), 1U);
  leases.leave(ClientNo{1}, now);
  pass(CampaignLeases::kOtherEnd);
  EXPECT_EQ(answer(5), Answer::kGranted);
}

TEST_F(Leases, WhoDoesNotAskAgainHasGone) {
  leases.set_limits(kPoliteP2p);  // turns that outlast the waiting
  ask(at(1, 1), at(2, 2));
  const auto first = told(1)->turn;
  ask(at(3, 1), at(4, 4));
  ask(at(5, 1), at(6, 6));
  for (int i = 0; i < 2; ++i) {
    pass(5s);
    ask(at(5, 1), at(6, 6));
    EXPECT_EQ(answer(5), Answer::kBusyHere);
    EXPECT_EQ(answer(6), Answer::kBusyThere);
  }
  pass(5s);
  EXPECT_EQ(leases.waiting(), 1U);
  EXPECT_EQ(leases.counters().expired, 1U);
  end(1, 2, first);
  end(2, 1, first);
  EXPECT_EQ(answer(5), Answer::kGranted);
}

TEST_F(Leases, NobodyEndsAnothersTurn) {
  ask(at(1, 1), at(2, 2));
  const auto turn = told(1)->turn;
  end(3, 1, turn);
  end(3, 2, turn);
  end(3, 2, 0);
  end(1, 3, turn);
  EXPECT_EQ(leases.counters().end_ignored, 4U);
  EXPECT_EQ(leases.held(), 1U);
  EXPECT_EQ(leases.next_deadline(), now + leases.life());
}

TEST_F(Leases, ALateWordAboutAnEarlierTurnDoesNotEndTheNext) {
  ask(at(1, 1), at(2, 2));
  const auto first = told(1)->turn;
  end(1, 2, first);
  ask(at(1, 1), at(2, 2));
  EXPECT_EQ(answer(1), Answer::kBusyHere);
  end(2, 1, first);
  EXPECT_EQ(answer(1), Answer::kGranted);
  const auto second = told(1)->turn;
  end(2, 1, first);
  EXPECT_EQ(leases.counters().end_ignored, 1U);
  EXPECT_EQ(leases.held(), 1U);
  end(1, 2, 0);  // without a number: the one that it asked for
  end(2, 1, second);
  EXPECT_EQ(leases.held(), 0U);
}

TEST_F(Leases, AClientAsksForOneTurnAtATime) {
  ask(at(1, 1), at(2, 2));
  ask(at(1, 1), at(3, 3));
  EXPECT_EQ(answer(1), Answer::kRefused);
  EXPECT_EQ(told(1)->turn, 0U);
  EXPECT_EQ(leases.counters().refused, 1U);
  ask(at(4, 4), at(1, 1));  // being asked for does not count
  EXPECT_EQ(answer(1), Answer::kBusyHere);
}

TEST_F(Leases, ThePlacesAreCounted) {
  for (std::uint16_t i = 0; i < CampaignLeases::kMost; ++i) {
    ask(at(static_cast<std::uint16_t>(2 * i + 1), 1), at(static_cast<std::uint16_t>(2 * i + 2), 2));
  }
  EXPECT_EQ(leases.held() + leases.waiting(), CampaignLeases::kMost);
  ask(at(60001, 1), at(60002, 2));
  EXPECT_EQ(answer(60001), Answer::kRefused);
  EXPECT_EQ(leases.held() + leases.waiting(), CampaignLeases::kMost);
}

}  // namespace
}  // namespace wormhole
