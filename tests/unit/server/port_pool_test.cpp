#include "server/port_pool.hpp"

#include <gtest/gtest.h>

namespace wormhole {
namespace {

constexpr PortRange kRange{2000, 2002};
const TimePoint kNow{1000s};

PortPool::Member member(std::uint16_t client) { return {ClientNo{client}, FlowNo{1}}; }

TEST(PortPool, GivesPortsInTurnAndNumbersAboveTheAddresses) {
  PortPool pool(SocketNo{2});
  const auto first = pool.take(0, kRange, member(1), kNow);
  const auto second = pool.take(0, kRange, member(2), kNow);
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->port, 2000);
  EXPECT_EQ(second->port, 2001);
  EXPECT_EQ(first->socket, SocketNo{2});
  EXPECT_EQ(second->socket, SocketNo{3});
  EXPECT_TRUE(first->is_new);
  EXPECT_TRUE(pool.give_back(first->socket, member(1)));
  const auto third = pool.take(0, kRange, member(3), kNow);
  EXPECT_EQ(third->port, 2002);  // 2000 rests as long as it can
  EXPECT_EQ(third->socket, SocketNo{2});
  EXPECT_FALSE(pool.owns(SocketNo{1}));
  EXPECT_EQ(pool.open_ports(), 2U);
}

TEST(PortPool, EachAddressHasAllPorts) {
  PortPool pool(SocketNo{2});
  EXPECT_EQ(pool.take(0, kRange, member(1), kNow)->port, 2000);
  EXPECT_EQ(pool.take(1, kRange, member(1), kNow)->port, 2000);
}

TEST(PortPool, SharesWhenTheRangeIsUsedUp) {
  PortPool pool(SocketNo{1});
  std::map<std::uint16_t, int> users;
  for (std::uint16_t client = 1; client <= 9; ++client) {
    const auto lease = pool.take(0, kRange, member(client), kNow);
    ASSERT_TRUE(lease);
    EXPECT_EQ(lease->is_new, client <= 3);
    if (lease->is_new) pool.on_opened(lease->socket);
    EXPECT_EQ(lease->is_open, client > 3);
    ++users[lease->port];
  }
  EXPECT_EQ(users, (std::map<std::uint16_t, int>{{2000, 3}, {2001, 3}, {2002, 3}}));
  EXPECT_EQ(pool.sharing_members(), 9U);
  EXPECT_FALSE(pool.give_back(SocketNo{1}, member(1)));
  EXPECT_FALSE(pool.give_back(SocketNo{1}, member(4)));
  EXPECT_TRUE(pool.give_back(SocketNo{1}, member(7)));
  EXPECT_TRUE(pool.members(SocketNo{1}).empty());
}

TEST(PortPool, TakenPortsArePassedOverForAWhile) {
  PortPool pool(SocketNo{1});
  const auto first = pool.take(0, kRange, member(1), kNow);
  EXPECT_EQ(pool.on_refused(first->socket, true, kNow), std::vector{member(1)});
  EXPECT_EQ(pool.take(0, kRange, member(1), kNow)->port, 2001);
  EXPECT_EQ(pool.take(0, kRange, member(2), kNow)->port, 2002);
  EXPECT_EQ(pool.take(0, kRange, member(3), kNow)->port, 2001);  // shared rather than tried
  EXPECT_EQ(pool.take(0, kRange, member(4), kNow + PortPool::kTakenFor)->port, 2000);
}

TEST(PortPool, HasNothingWhenOthersHoldTheWholeRange) {
  PortPool pool(SocketNo{1});
  for (int i = 0; i < 3; ++i) {
    const auto lease = pool.take(0, kRange, member(1), kNow);
    ASSERT_TRUE(lease);
    pool.on_refused(lease->socket, true, kNow);
  }
  EXPECT_FALSE(pool.take(0, kRange, member(1), kNow));
  EXPECT_EQ(pool.open_ports(), 0U);
}

TEST(PortPool, RunsOutOfSocketNumbersWithoutHarm) {
  PortPool pool(SocketNo{65534});
  EXPECT_EQ(pool.take(0, kRange, member(1), kNow)->socket, SocketNo{65534});
  EXPECT_EQ(pool.take(0, kRange, member(2), kNow)->socket, SocketNo{65535});
  const auto third = pool.take(0, kRange, member(3), kNow);
  ASSERT_TRUE(third);
  EXPECT_FALSE(third->is_new);  // shared
}

}  // namespace
}  // namespace wormhole
