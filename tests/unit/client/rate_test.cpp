// A flow with a limit of its own (`rate`): its datagrams wait in the client.
#include <gtest/gtest.h>

#include <string>

#include "unit/client/trio.hpp"

namespace wormhole {
namespace {

using testing::Trio;

/// video at 80 kbit/s, whose datagrams may wait for so long.
Network limited(const Trio& trio, std::uint16_t max_age_ms) {
  auto network = trio.network;
  network.flows[1].rate_kbps = 80;
  network.flows[1].max_age_ms = max_age_ms;
  return network;
}

std::string numbered(int number) {
  auto text = std::to_string(number);
  text.resize(940, '.');  // with headers 1,000 bytes on the uplink
  return text;
}

std::uint64_t drops(const FlowStatus& flow, const std::string& cause) {
  for (const auto& drop : flow.drops) {
    if (drop.cause == cause) return drop.count;
  }
  return 0;
}

TEST(Rate, DatagramsLeaveAtTheFlowsRateInOrderAndOthersDoNotWait) {
  Trio trio;
  trio.only_shared_port = true;
  trio.run(2s);
  trio.reload(limited(trio, 10'000));
  for (int i = 0; i < 6; ++i) trio.app_send(0, Trio::kVideo, numbered(i));
  trio.run(0s);
  EXPECT_EQ(trio.delivered.size(), 2U);
  const auto waiting = trio.clients[0]->status(trio.now).flows.at(1);
  EXPECT_EQ(waiting.queue.packets, 4U);
  EXPECT_EQ(waiting.tx_packets, 6U);  // what the application has sent
  EXPECT_FALSE(trio.clients[0]->status(trio.now).uplink.shaping);
  trio.app_send(0, Trio::kMavlink, "at once");
  trio.run(0s);
  EXPECT_EQ(trio.delivered.back().text, "at once");
  trio.delivered.pop_back();
  trio.run(200ms);
  EXPECT_EQ(trio.delivered.size(), 4U);
  trio.run(300ms);
  ASSERT_EQ(trio.delivered.size(), 6U);
  for (int i = 0; i < 6; ++i) {
    EXPECT_EQ(trio.delivered[static_cast<std::size_t>(i)].text, numbered(i));
  }
}

TEST(Rate, WhatWaitsTooLongIsDroppedAndCounted) {
  Trio trio;
  trio.run(2s);
  trio.reload(limited(trio, 300));
  for (int i = 0; i < 20; ++i) trio.app_send(0, Trio::kVideo, numbered(i));
  trio.run(3s);
  const auto flow = trio.clients[0]->status(trio.now).flows.at(1);
  EXPECT_LT(trio.delivered.size(), 8U);
  EXPECT_EQ(trio.delivered.size() + drops(flow, "queue_rate"), 20U);
  EXPECT_EQ(flow.queue.packets, 0U);
}

TEST(Rate, ALimitThatRoutesYamlTakesAwayIsGone) {
  Trio trio;
  trio.run(2s);
  trio.reload(limited(trio, 10'000));
  trio.reload(trio.network);
  for (int i = 0; i < 20; ++i) trio.app_send(0, Trio::kVideo, numbered(i));
  trio.run(0s);
  EXPECT_EQ(trio.delivered.size(), 20U);
}

TEST(Rate, AFlowThatIsRemovedTakesAlongWhatWaits) {
  Trio trio;
  trio.run(2s);
  trio.reload(limited(trio, 10'000));
  for (int i = 0; i < 20; ++i) trio.app_send(0, Trio::kVideo, numbered(i));
  trio.run(0s);
  const auto before = trio.delivered.size();
  auto without = trio.network;
  without.flows.pop_back();
  trio.reload(without);
  trio.run(3s);
  EXPECT_LE(trio.delivered.size(), before + 1);
  EXPECT_EQ(trio.clients[0]->status(trio.now).uplink.backlog, 0U);
}

}  // namespace
}  // namespace wormhole
