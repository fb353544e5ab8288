// Probes of NAT checks, and where peers are told that others may be reached.
#include <gtest/gtest.h>

#include "unit/server/hop_line.hpp"

namespace wormhole {
namespace {

using testing::HopLine;
using testing::Link;

Flow radio() {
  Flow flow;
  flow.name = "radio";
  flow.port = 5000;
  flow.routes.push_back({Route::Kind::kMesh, {"drone3", "gcs4"}, {}});
  return flow;
}

std::optional<PeerAddress> last_address(const Link& link) {
  std::optional<PeerAddress> last;
  for (const auto& event : link.events) {
    const auto* message = std::get_if<StreamMessage>(&event);
    const auto* address = message != nullptr ? std::get_if<PeerAddress>(message) : nullptr;
    if (address != nullptr) last = *address;
  }
  return last;
}

class ServerNat : public ::testing::Test {
 protected:
  ServerNat() { talk_both(); }

  void talk_both() {
    for (int i = 0; i < 8; ++i) {
      for (auto* link : {drone.get(), gcs.get()}) {
        line.deliver(link->at, link->take(), {drone.get(), gcs.get()});
      }
    }
  }
  std::vector<HopProbeAnswered> answers() {
    std::vector<HopProbeAnswered> found;
    for (const auto& event : drone->events) {
      if (const auto* answer = std::get_if<HopProbeAnswered>(&event)) found.push_back(*answer);
    }
    return found;
  }

  HopLine line{{"drone3", "gcs4"}, {radio()}};
  std::unique_ptr<Link> drone = line.link("drone3", 1, "203.0.113.3:4000");
  std::unique_ptr<Link> gcs = line.link("gcs4", 2, "203.0.113.4:4000");
};

TEST_F(ServerNat, BothEndsGetTheSameKeyAndWhereTheOtherIsSeen) {
  const auto of_gcs = last_address(*drone);
  const auto of_drone = last_address(*gcs);
  ASSERT_TRUE(of_gcs && of_drone);
  EXPECT_EQ(of_gcs->probe_key, of_drone->probe_key);
  EXPECT_NE(of_gcs->probe_key, ProbeKey{});
  EXPECT_EQ(of_gcs->report.mapped, gcs->at);
  EXPECT_EQ(of_drone->report.mapped, drone->at);
}

TEST_F(ServerNat, NewsOfANatReachThePeersButTheEndpointIsTheServersWord) {
  NatReport report;
  report.mapping = NatMapping::kAddressAndPortDependent;
  report.mapped = *Endpoint::parse("192.0.2.66:66");
  drone->hop.send_message(NatNews{report}, line.now, drone->out);
  talk_both();
  const auto told = last_address(*gcs);
  ASSERT_TRUE(told);
  EXPECT_EQ(told->report.mapping, NatMapping::kAddressAndPortDependent);
  EXPECT_EQ(told->report.mapped, drone->at);
}

TEST_F(ServerNat, AnotherSourceIsTold) {
  const auto before = last_address(*gcs)->probe_key;
  drone->at = *Endpoint::parse("203.0.113.99:1");
  line.now += 3s;
  drone->hop.on_timeout(line.now, drone->out, drone->events);
  talk_both();
  EXPECT_EQ(last_address(*gcs)->report.mapped, drone->at);
  EXPECT_EQ(last_address(*gcs)->probe_key, before);
}

TEST_F(ServerNat, AProbeIsAnsweredToWhereItCameFromAndMovesNothing) {
  const auto elsewhere = *Endpoint::parse("203.0.113.3:7");
  drone->hop.send_probe(SocketNo{0x100}, HopLine::kServer, {42, ProbeFrom::kSame, 0}, line.now,
                        drone->out);
  auto said = drone->take();
  ASSERT_EQ(said.size(), 1U);
  const auto asked = said[0].size();
  const NetDatagram datagram{elsewhere, said[0]};
  line.server->on_net_datagrams(SocketNo{0}, {&datagram, 1}, line.now, line.server_out);
  ASSERT_EQ(line.server_out.net_sends().size(), 1U);
  const auto& send = line.server_out.net_sends()[0];
  EXPECT_EQ(send.to, elsewhere);
  EXPECT_LE(send.bytes.size(), asked);
  std::vector<std::uint8_t> answer(send.bytes.begin(), send.bytes.end());
  line.server_out.clear();
  drone->hop.on_datagram(SocketNo{0x100}, {*Endpoint::parse("192.0.2.200:9"), answer}, line.now,
                         drone->out, drone->events);
  ASSERT_EQ(answers().size(), 1U);
  EXPECT_EQ(answers()[0].answer.token, 42U);
  EXPECT_EQ(answers()[0].answer.observed, elsewhere);
  EXPECT_EQ(answers()[0].socket, SocketNo{0x100});
  EXPECT_EQ(last_address(*gcs)->report.mapped, drone->at);
}

TEST_F(ServerNat, WithoutASecondPortNothingElseAnswers) {
  drone->hop.send_probe(SocketNo{0x100}, HopLine::kServer, {1, ProbeFrom::kOtherPort, 0}, line.now,
                        drone->out);
  drone->hop.send_probe(SocketNo{0x100}, HopLine::kServer, {2, ProbeFrom::kOtherAddress, 0},
                        line.now, drone->out);
  talk_both();
  EXPECT_TRUE(answers().empty());
  EXPECT_EQ(line.counter("nat_probes_refused"), 2U);
}

TEST_F(ServerNat, AFewAnswersMayBeWaitedFor) {
  for (std::uint64_t token = 1; token <= 6; ++token) {
    drone->hop.send_probe(SocketNo{0x100}, HopLine::kServer, {token, ProbeFrom::kSame, 30},
                          line.now, drone->out);
  }
  drone->hop.send_probe(SocketNo{0x100}, HopLine::kServer, {9, ProbeFrom::kSame, 301}, line.now,
                        drone->out);
  talk_both();
  EXPECT_EQ(line.counter("nat_probes_refused"), 3U);
  EXPECT_EQ(line.counter("nat_probes_delayed"), 4U);
  EXPECT_TRUE(answers().empty());
  line.now += 30s;
  EXPECT_LE(line.server->next_deadline(), line.now);
  line.server->on_timeout(line.now, line.server_out);
  line.deliver(drone->at, {}, {drone.get()});
  EXPECT_EQ(answers().size(), 4U);
  EXPECT_EQ(line.counter("nat_probes_delayed"), 0U);
}

}  // namespace
}  // namespace wormhole
