#include "wormhole/client/client.hpp"

#include <gtest/gtest.h>

#include "unit/client/trio.hpp"

namespace wormhole {
namespace {

using testing::Trio;

TEST(Client, AFlowCrossesBothWaysThroughTheRelay) {
  Trio trio;
  trio.run(10ms);
  trio.app_send(0, Trio::kMavlink, "heartbeat");
  trio.app_send(1, Trio::kMavlink, "command");
  trio.run(10ms);
  // Each side delivers to 127.0.0.1:port and to its application, which has sent: one copy per
  // address.
  ASSERT_EQ(trio.delivered.size(), 4U);
  const auto deliver_to = *Endpoint::parse("127.0.0.1:14550");
  for (std::size_t i = 0; i < 4; ++i) {
    const auto& item = trio.delivered[i];
    EXPECT_EQ(item.text, item.who == 1 ? "heartbeat" : "command");
    EXPECT_EQ(item.to, i % 2 == 0 ? deliver_to : testing::kAppAt);
  }
}

TEST(Client, APacketSentBeforeTheSessionWaitsForIt) {
  Trio trio;
  // Ports open when the flow is known; the peers' handshake is under way then.
  while (trio.commands[0].empty()) trio.run(1us);
  trio.app_send(0, Trio::kVideo, "first");
  trio.run(100ms);
  ASSERT_FALSE(trio.delivered.empty());
  EXPECT_EQ(trio.delivered[0].text, "first");
}

TEST(Client, NothingGoesAgainstAFlowsDirection) {
  Trio trio;
  trio.run(10ms);
  trio.app_send(1, Trio::kVideo, "backwards");
  trio.run(10ms);
  EXPECT_TRUE(trio.delivered.empty());
  const auto status = trio.clients[1]->status(trio.now);
  ASSERT_EQ(status.flows[1].drops.size(), 1U);
  EXPECT_EQ(status.flows[1].drops[0].cause, "no_peer");
}

std::string pattern(std::size_t size) {
  std::string text(size, 0);
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 31 + i / 251);
  return text;
}

TEST(Client, DatagramsOfEverySizeKeepTheirBoundaries) {
  Trio trio;
  trio.run(10ms);
  const std::size_t sizes[] = {1, 1200, 1201, 1440, 1441, 2864, 2865, 9000, 65507};
  for (const auto size : sizes) trio.app_send(0, Trio::kVideo, pattern(size));
  trio.run(10ms);
  ASSERT_EQ(trio.delivered.size(), std::size(sizes));
  for (std::size_t i = 0; i < std::size(sizes); ++i) {
    EXPECT_EQ(trio.delivered[i].text, pattern(sizes[i])) << sizes[i];
  }
}

TEST(Client, ADatagramThatNoUdpCarriesIsCounted) {
  Trio trio;
  trio.run(10ms);
  trio.app_send(0, Trio::kVideo, std::string(65508, 'y'));
  trio.run(10ms);
  EXPECT_TRUE(trio.delivered.empty());
  EXPECT_EQ(trio.clients[0]->status(trio.now).flows[1].drops[0].cause, "too_large");
}

TEST(Client, AnEmptyDatagramIsADatagram) {
  Trio trio;
  trio.run(10ms);
  trio.app_send(0, Trio::kVideo, "");
  trio.run(10ms);
  ASSERT_EQ(trio.delivered.size(), 1U);
  EXPECT_EQ(trio.delivered[0].text, "");
}

TEST(Client, StatusNamesServerPeersAndFlows) {
  Trio trio;
  trio.run(3s);
  trio.app_send(0, Trio::kMavlink, "heartbeat");
  trio.run(2s);
  const auto status = trio.clients[1]->status(trio.now);
  EXPECT_EQ(status.id, "gcs4");
  EXPECT_TRUE(status.server.connected);
  EXPECT_EQ(status.server.address, testing::kServerAt);
  EXPECT_EQ(status.server.observed, testing::kClientAt[1]);
  ASSERT_EQ(status.peers.size(), 1U);
  EXPECT_EQ(status.peers[0].path, PathKind::kRelay);
  ASSERT_EQ(status.flows.size(), 2U);
  EXPECT_EQ(status.flows[0].rx_packets, 1U);
  EXPECT_EQ(status.flows[0].direction, "both");
  EXPECT_EQ(status.flows[1].direction, "receive");
  EXPECT_EQ(status.flows[0].app, AppState::kListening);
  EXPECT_EQ(status.flows[1].app, AppState::kUnknown);
  EXPECT_TRUE(status.drops.empty());
}

TEST(Client, APeerThatWasTakenAwayAndGivenBackIsReachedAtOnce) {
  for (std::size_t away = 0; away < 2; ++away) {
    Trio trio;
    trio.run(30min);  // some renewals: their attempt numbers are known at the other end
    // The other end is away while the server takes the peers from each other and gives them back,
    // so that only one of the two begins anew.
    trio.cut[away] = true;
    trio.run(10s);
    auto none = trio.network;
    none.flows.clear();
    trio.server->set_plan(plan_network(none, trio.directory, nullptr), trio.now, trio.server_out);
    trio.run(100ms);
    trio.server->set_plan(plan_network(trio.network, trio.directory, nullptr), trio.now,
                          trio.server_out);
    trio.run(100ms);
    trio.cut[away] = false;
    trio.run(2s);
    trio.app_send(1 - away, Trio::kMavlink, "hello");
    trio.run(2s);
    ASSERT_EQ(trio.delivered.size(), 1U) << "away: " << away;
    EXPECT_EQ(trio.delivered[0].text, "hello");
  }
}

TEST(Client, ARefusingApplicationRestsForASecond) {
  Trio trio;
  trio.run(10ms);
  trio.app_send(0, Trio::kVideo, "1");
  trio.run(1ms);
  trio.clients[1]->on_app_refused({Trio::kVideo, ClientNo{}}, *Endpoint::parse("127.0.0.1:5600"),
                                  trio.now);
  EXPECT_EQ(trio.clients[1]->status(trio.now).flows[1].app, AppState::kNotListening);
  trio.app_send(0, Trio::kVideo, "2");
  trio.run(999ms);
  EXPECT_EQ(trio.delivered.size(), 1U);
  trio.run(1ms);
  trio.app_send(0, Trio::kVideo, "3");
  trio.run(1ms);
  ASSERT_EQ(trio.delivered.size(), 2U);
  EXPECT_EQ(trio.delivered[1].text, "3");
}

TEST(Client, DeliversToAnotherMachineOnlyWhereItsOwnerAllowsThat) {
  Trio trio;
  trio.run(10ms);
  auto network = trio.network;
  network.flows[1].deliver = {Deliver::Kind::kEndpoint, *Endpoint::parse("192.0.2.66:5600")};
  trio.reload(network);
  trio.app_send(0, Trio::kVideo, "picture");
  trio.run(10ms);
  EXPECT_TRUE(trio.delivered.empty());
  EXPECT_EQ(trio.clients[1]->status(trio.now).flows[1].drops[0].cause, "no_application");
}

TEST(Client, SaysOnceThatTheServerIsSilentAndTriesOn) {
  crypto_init();
  SeededRng rng(3);
  ClientConfig config;
  config.id = "drone3";
  config.keys = KeyPair::generate(rng);
  config.network.server_key = KeyPair::generate(rng).public_key;
  config.boot_id = 1;
  Client client(config, rng);
  ClientOutbox out;
  TimePoint now{1000s};
  std::vector<LogLine> lines;
  std::size_t inits = 0;
  client.set_servers({testing::kServerAt}, now, out);
  for (const auto until = now + 60s; now < until; now = std::max(now, client.next_deadline())) {
    client.on_timeout(now, out);
    lines.insert(lines.end(), out.log_lines().begin(), out.log_lines().end());
    inits += out.net_sends().size();
    out.clear();
  }
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_NE(lines[0].text.find("no answer from the server"), std::string::npos);
  EXPECT_NE(lines[0].text.find("198.51.100.10:7700"), std::string::npos);
  EXPECT_GT(inits, 50U);  // one a second, with up to 20 % of jitter
  EXPECT_LT(inits, 70U);
}

}  // namespace
}  // namespace wormhole
