#include "shell/nat_desk.hpp"

#include <gtest/gtest.h>

#include "shell/shell/loop.hpp"

namespace wormhole {
namespace {

using namespace std::chrono_literals;

class NatDeskTest : public testing::Test {
 protected:
  bool ask() {
    return desk_.ask([this](const NatCheckReport& report) { reports_.push_back(report); });
  }

  Loop loop_;
  bool has_server_ = true;
  bool runs_ = false;
  int begun_ = 0;
  std::vector<NatCheckReport> reports_;
  NatChecker checker_{[this] {
                        if (!has_server_) return false;
                        runs_ = true;
                        ++begun_;
                        return true;
                      },
                      [this] { return runs_; },
                      [this] {
                        ClientStatus status;
                        status.server.connected = has_server_;
                        return status;
                      }};
  NatDesk desk_{loop_.io, checker_, 10s};
};

TEST_F(NatDeskTest, CallersShareACheckAndTheNextOneIsFresh) {
  EXPECT_TRUE(ask());
  desk_.look();
  EXPECT_TRUE(ask());
  desk_.look();
  EXPECT_EQ(begun_, 1);
  EXPECT_TRUE(reports_.empty());
  runs_ = false;
  desk_.look();
  ASSERT_EQ(reports_.size(), 2U);
  EXPECT_TRUE(reports_[0].in_time);
  EXPECT_TRUE(reports_[1].in_time);
  EXPECT_TRUE(ask());
  desk_.look();
  EXPECT_EQ(begun_, 2);
}

TEST_F(NatDeskTest, BeginsWhenTheServerIsThere) {
  has_server_ = false;
  EXPECT_TRUE(ask());
  desk_.look();
  EXPECT_EQ(begun_, 0);
  has_server_ = true;
  desk_.look();
  EXPECT_EQ(begun_, 1);
  EXPECT_TRUE(reports_.empty());
}

TEST_F(NatDeskTest, TurnsAwayWhoIsTooMuch) {
  for (std::size_t i = 0; i < NatDesk::kMostWaiting; ++i) EXPECT_TRUE(ask());
  EXPECT_FALSE(ask());
  desk_.look();
  runs_ = false;
  desk_.look();
  EXPECT_EQ(reports_.size(), NatDesk::kMostWaiting);
  EXPECT_TRUE(ask());
}

TEST_F(NatDeskTest, NobodyWaitsForEver) {
  NatDesk hasty(loop_.io, checker_, 1ms);
  has_server_ = false;
  bool answered = false;
  EXPECT_TRUE(hasty.ask([&](const NatCheckReport& report) {
    answered = true;
    EXPECT_FALSE(report.in_time);
    EXPECT_FALSE(report.server.connected);
  }));
  hasty.look();
  EXPECT_TRUE(loop_.run_until([&] { return answered; }));
}

TEST_F(NatDeskTest, AfterItsCloseNobodyIsCalled) {
  EXPECT_TRUE(ask());
  desk_.look();
  desk_.close();
  runs_ = false;
  desk_.look();
  loop_.turn();
  EXPECT_TRUE(reports_.empty());
}

}  // namespace
}  // namespace wormhole
