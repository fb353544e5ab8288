// Who shares a group, and who must be told what.
#include "wormhole/group/flow_groups.hpp"

#include <gtest/gtest.h>

namespace wormhole {
namespace {

struct Rig {
  explicit Rig(std::uint16_t count) {
    for (std::uint16_t slot = 0; slot < count; ++slot) {
      all.push_back({ClientNo{static_cast<std::uint16_t>(slot + 1)}, slot});
    }
    tend();
  }
  void tend() {
    groups.note_use(now);
    groups.set_receivers(all, all);
    groups.tend(now, actions);
  }
  /// Everybody answers what it was told.
  void answer(bool ready = true, std::uint16_t silent = 0xffff) {
    for (const auto& action : std::exchange(actions, {})) {
      if (const auto* relay = std::get_if<TellRelay>(&action)) {
        if (relay->message.receivers.empty()) continue;
        groups.on_relay_answer({relay->message.group, ready}, now);
      } else if (const auto* receiver = std::get_if<TellReceiver>(&action)) {
        if (receiver->slot != silent) groups.on_ack(receiver->slot, receiver->keys.group);
      }
    }
    tend();
  }
  std::size_t grouped() const {
    std::size_t sum = 0;
    for (const auto& group : groups.ready()) sum += group->with_keys();
    return sum;
  }
  std::size_t announced() const {
    std::size_t count = 0;
    for (const auto& action : actions) {
      const auto* relay = std::get_if<TellRelay>(&action);
      count += relay != nullptr && !relay->message.receivers.empty();
    }
    return count;
  }

  TimePoint now{1000s};
  SeededRng rng{1};
  std::uint16_t next_number = 65'530;  // it wraps
  FlowGroups groups{FlowNo{3}, "video", next_number, rng};
  std::vector<GroupReceiver> all;
  std::vector<GroupAction> actions;
};

TEST(FlowGroups, EachIsSentToAloneUntilItHasAnswered) {
  Rig rig(5);
  EXPECT_EQ(rig.groups.alone().size(), 5U);
  EXPECT_EQ(rig.actions.size(), 6U);
  const auto number = std::get<TellRelay>(rig.actions[0]).message.group;
  rig.groups.on_ack(0, number);
  rig.groups.on_ack(3, number);
  rig.tend();
  EXPECT_EQ(rig.groups.alone().size(), 5U) << "the server has not answered";
  rig.groups.on_relay_answer({number, true}, rig.now);
  rig.tend();
  EXPECT_EQ(rig.groups.alone(), (std::vector<std::uint16_t>{1, 2, 4}));
  rig.answer();
  EXPECT_TRUE(rig.groups.alone().empty());
  EXPECT_EQ(rig.grouped(), 5U);
}

TEST(FlowGroups, TwoHundredMakeThirteen) {
  Rig rig(200);
  rig.answer();
  EXPECT_EQ(rig.groups.ready().size(), 13U);
  EXPECT_EQ(rig.grouped(), 200U);
}

TEST(FlowGroups, SeventeenAreAGroupAndOneAlone) {
  Rig rig(17);
  rig.answer();
  EXPECT_EQ(rig.groups.ready().size(), 1U);
  EXPECT_EQ(rig.groups.alone().size(), 1U);
  EXPECT_EQ(rig.announced(), 0U) << "and that is no reason to begin anew";
}

TEST(FlowGroups, NewcomersAndTheirGroupGetNewKeysWhileTheOldOnesServe) {
  Rig rig(3);
  rig.answer();
  const auto before = rig.groups.ready()[0]->number();
  rig.all.push_back({ClientNo{40}, 9});
  rig.tend();
  EXPECT_EQ(rig.groups.ready()[0]->number(), before);
  EXPECT_EQ(rig.groups.alone(), std::vector<std::uint16_t>{9});
  rig.answer();
  ASSERT_EQ(rig.groups.ready().size(), 1U);
  EXPECT_NE(rig.groups.ready()[0]->number(), before);
  EXPECT_EQ(rig.grouped(), 4U);
}

TEST(FlowGroups, WhoLeavesEndsItsGroupAtOnceAndTheServerHearsItLater) {
  Rig rig(4);
  rig.answer();
  rig.all.pop_back();
  rig.tend();
  EXPECT_TRUE(rig.groups.ready().empty());
  EXPECT_EQ(rig.groups.alone().size(), 3U);
  rig.answer();
  EXPECT_EQ(rig.grouped(), 3U);
  rig.now += FlowGroups::kEndsAfter;
  EXPECT_LE(rig.groups.next_deadline(), rig.now);
  rig.tend();
  ASSERT_EQ(rig.actions.size(), 1U);
  EXPECT_TRUE(std::get<TellRelay>(rig.actions[0]).message.receivers.empty());
}

TEST(FlowGroups, TheSilentAreToldAgainAndAreSentToAlone) {
  Rig rig(4);
  rig.answer(true, 2);
  EXPECT_EQ(rig.groups.alone(), std::vector<std::uint16_t>{2});
  EXPECT_GE(rig.groups.next_deadline(), rig.now + FlowGroups::kTellAgain);
  rig.now = rig.groups.next_deadline();
  rig.tend();
  ASSERT_EQ(rig.actions.size(), 1U);
  EXPECT_EQ(std::get<TellReceiver>(rig.actions[0]).slot, 2U);
  rig.answer(true, 2);
  rig.now += FlowGroups::kTellOften;
  rig.tend();
  EXPECT_EQ(rig.actions.size(), 1U);
  EXPECT_GE(rig.groups.next_deadline(), rig.now + FlowGroups::kTellSilent);
  rig.answer();
  EXPECT_TRUE(rig.groups.alone().empty());
}

TEST(FlowGroups, OneWhoIsSilentHoldsUpTheNextGroupForAMomentOnly) {
  Rig rig(3);
  rig.answer();
  const auto before = rig.groups.ready()[0]->number();
  rig.all.push_back({ClientNo{40}, 9});
  rig.tend();
  rig.answer(true, 9);
  EXPECT_EQ(rig.groups.ready()[0]->number(), before);
  rig.now += FlowGroups::kReplacesAfter;
  EXPECT_LE(rig.groups.next_deadline(), rig.now);
  rig.tend();
  EXPECT_NE(rig.groups.ready()[0]->number(), before);
  EXPECT_EQ(rig.groups.alone(), std::vector<std::uint16_t>{9});
}

TEST(FlowGroups, AServerThatRefusesIsLeftInPeaceForAWhile) {
  Rig rig(4);
  rig.answer(false);
  EXPECT_EQ(rig.groups.alone().size(), 4U);
  rig.now += FlowGroups::kAfterRefusal - 1ms;
  rig.tend();
  EXPECT_EQ(rig.announced(), 0U);
  rig.now += 1ms;
  rig.tend();
  EXPECT_EQ(rig.announced(), 1U);
}

TEST(FlowGroups, WhoHasForgottenItsKeysGetsNewOnes) {
  Rig rig(3);
  rig.answer();
  const auto before = rig.groups.ready()[0]->number();
  rig.groups.forget(1);
  rig.tend();
  EXPECT_EQ(rig.groups.alone().size(), 3U);
  rig.answer();
  EXPECT_EQ(rig.grouped(), 3U);
  EXPECT_NE(rig.groups.ready()[0]->number(), before);
}

TEST(FlowGroups, ARestartedServerIsToldAndNobodyElse) {
  Rig rig(3);
  rig.answer();
  rig.groups.on_relay_restart();
  rig.tend();
  EXPECT_EQ(rig.groups.alone().size(), 3U);
  ASSERT_EQ(rig.actions.size(), 1U);
  EXPECT_EQ(rig.announced(), 1U);
  rig.answer();
  EXPECT_EQ(rig.grouped(), 3U);
}

TEST(FlowGroups, KeysAreRenewedOnlyWhileTheyAreUsed) {
  Rig rig(3);
  rig.answer();
  const auto before = rig.groups.ready()[0]->number();
  rig.now += kRekeyAfter;
  EXPECT_LE(rig.groups.next_deadline(), rig.now);
  rig.groups.tend(rig.now, rig.actions);  // nothing was sent for two minutes
  EXPECT_TRUE(rig.groups.ready().empty());
  EXPECT_EQ(rig.groups.alone().size(), 3U);
  rig.tend();
  rig.answer();
  EXPECT_NE(rig.groups.ready()[0]->number(), before);
  rig.now += kRekeyAfter;
  rig.tend();
  EXPECT_EQ(rig.grouped(), 3U) << "the old ones serve until the new ones do";
  rig.answer();
  EXPECT_EQ(rig.grouped(), 3U);
}

}  // namespace
}  // namespace wormhole
