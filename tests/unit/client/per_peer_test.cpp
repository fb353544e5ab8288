// addressing: per-peer: each peer has a loopback address of its own.
#include <gtest/gtest.h>

#include <algorithm>

#include "client/local_port.hpp"
#include "unit/client/trio.hpp"

namespace wormhole {
namespace {

using testing::Trio;

const AppPort kShared{Trio::kMavlink, ClientNo{}};

/// The trio with its mavlink flow addressed per peer; the news has travelled.
struct PerPeer : Trio {
  PerPeer() {
    run(10ms);
    auto changed = network;
    changed.flows.at(0).addressing = Addressing::kPerPeer;
    reload(changed);
  }
  /// Where `peer` is, as `who` was told to open it.
  const OpenFlowPort* opened(std::size_t who, const std::string& peer) const {
    const AppPort port{kMavlink, directory.clients.at(peer).number};
    for (const auto& command : commands[who]) {
      const auto* open = std::get_if<OpenFlowPort>(&command);
      if (open != nullptr && open->port == port) return open;
    }
    return nullptr;
  }
  AppPort port_of(const std::string& peer) const {
    return {kMavlink, directory.clients.at(peer).number};
  }
};

TEST(PerPeer, EachPeerHasAStableLoopbackAddress) {
  const auto text = [](const char* bind, std::uint16_t number) {
    const auto address = peer_address(*IpAddress::parse(bind), ClientNo{number});
    return address ? address->to_string() : "none";
  };
  EXPECT_EQ(text("127.1.0.1", 1), "127.1.1.1");
  EXPECT_EQ(text("127.1.0.1", 300), "127.1.2.44");
  EXPECT_EQ(text("127.1.0.2", 1), "127.2.1.1");
  EXPECT_EQ(text("127.1.0.1", 65279), "127.1.255.255");
  EXPECT_EQ(text("127.1.0.1", 65280), "none");
  EXPECT_EQ(text("127.1.0.0", 1), "none");
  EXPECT_EQ(text("127.5.0.1", 1), "none");
  EXPECT_EQ(text("::1", 1), "none");
}

TEST(PerPeer, OpensAPortForThePeerBesideTheFlowsOwn) {
  PerPeer world;
  const auto* open = world.opened(1, "drone3");
  ASSERT_NE(open, nullptr);
  EXPECT_EQ(open->at.port, 14550);
  EXPECT_EQ(open->at.address, peer_address(IpAddress::v4(127, 1, 0, 1), open->port.peer));
  const auto flow = world.clients[1]->status(world.now).flows.at(0);
  ASSERT_EQ(flow.peer_ports.size(), 1U);
  EXPECT_EQ(flow.peer_ports[0].first, "drone3");
  EXPECT_EQ(flow.peer_ports[0].second, open->at);
}

TEST(PerPeer, DatagramsComeFromThePeersAddressAndAnswersGoToItAlone) {
  PerPeer world;
  world.app_send(0, kShared, "heartbeat");
  world.run(10ms);
  ASSERT_EQ(world.delivered.size(), 1U);
  EXPECT_EQ(world.delivered[0].port, world.port_of("drone3"));
  EXPECT_EQ(world.delivered[0].to, *Endpoint::parse("127.0.0.1:14550"));
  world.app_send(1, world.port_of("drone3"), "command");
  world.run(10ms);
  ASSERT_GE(world.delivered.size(), 2U);
  EXPECT_EQ(world.delivered[1].who, 0U);
  EXPECT_EQ(world.delivered[1].text, "command");
}

TEST(PerPeer, AnApplicationThatSentToBothPortsGetsOneCopy) {
  PerPeer world;
  world.app_send(1, kShared, "to all");
  world.app_send(1, world.port_of("drone3"), "to one");
  world.run(10ms);
  world.delivered.clear();
  world.app_send(0, kShared, "heartbeat");
  world.run(10ms);
  const auto to_application = [](const Trio::Delivered& d) { return d.to == testing::kAppAt; };
  EXPECT_EQ(std::count_if(world.delivered.begin(), world.delivered.end(), to_application), 1);
}

TEST(PerPeer, APortThatIsNotOpenFallsBackToTheFlowsOwn) {
  PerPeer world;
  world.clients[1]->on_flow_port(world.port_of("drone3"), "taken", world.now, world.client_out[1]);
  world.app_send(0, kShared, "heartbeat");
  world.run(10ms);
  ASSERT_FALSE(world.delivered.empty());
  EXPECT_EQ(world.delivered[0].port, kShared);
  EXPECT_EQ(world.clients[1]->status(world.now).flows.at(0).port_error, "taken");
}

TEST(PerPeer, GoingBackToSharedClosesThePeersPort) {
  PerPeer world;
  world.commands[1].clear();
  world.reload(world.network);
  ASSERT_EQ(world.commands[1].size(), 1U);
  const auto* closed = std::get_if<CloseFlowPort>(&world.commands[1][0]);
  ASSERT_NE(closed, nullptr);
  EXPECT_EQ(closed->port, world.port_of("drone3"));
  world.app_send(1, world.port_of("drone3"), "nowhere");
  world.run(10ms);
  EXPECT_TRUE(world.delivered.empty());
}

}  // namespace
}  // namespace wormhole
