// Clients that ask the server for their turn to punch.
#include <gtest/gtest.h>

#include "unit/server/hop_line.hpp"

namespace wormhole {
namespace {

using testing::HopLine;
using testing::Link;
using Answer = CampaignTurn::Answer;

Flow between(const char* name, std::uint16_t port, Members members) {
  Flow flow;
  flow.name = name;
  flow.port = port;
  flow.routes.push_back({Route::Kind::kMesh, std::move(members), {}});
  return flow;
}

class ServerCampaigns : public ::testing::Test {
 protected:
  ServerCampaigns() { talk(); }

  void talk() {
    for (int i = 0; i < 8; ++i) {
      for (auto* link : all()) line.deliver(link->at, link->take(), all());
    }
  }
  std::vector<Link*> all() const { return {drone.get(), gcs.get(), boat.get(), base.get()}; }
  void say(Link& link, std::uint16_t peer, bool begin, std::uint32_t turn = 0) {
    link.hop.send_message(CampaignAsk{ClientNo{peer}, begin, turn}, line.now, link.out);
    talk();
  }
  static std::optional<CampaignTurn> last(const Link& link) {
    std::optional<CampaignTurn> found;
    for (const auto& event : link.events) {
      const auto* message = std::get_if<StreamMessage>(&event);
      const auto* turn = message != nullptr ? std::get_if<CampaignTurn>(message) : nullptr;
      if (turn != nullptr) found = *turn;
    }
    return found;
  }
  static std::optional<Answer> answer(const Link& link) {
    const auto turn = last(link);
    return turn ? std::optional(turn->answer) : std::nullopt;
  }

  HopLine line{
      {"drone3", "gcs4", "boat5", "base6"},
      {between("radio", 5000, {"drone3", "gcs4"}), between("helm", 5001, {"boat5", "base6"})}};
  // drone3 and boat5 are behind one NAT.
  std::unique_ptr<Link> drone = line.link("drone3", 1, "203.0.113.3:4000");
  std::unique_ptr<Link> gcs = line.link("gcs4", 2, "203.0.113.4:4000");
  std::unique_ptr<Link> boat = line.link("boat5", 3, "203.0.113.3:5000");
  std::unique_ptr<Link> base = line.link("base6", 4, "203.0.113.6:4000");
};

TEST_F(ServerCampaigns, TwoClientsBehindOneAddressPunchOneAfterTheOther) {
  say(*drone, 2, true);
  EXPECT_EQ(answer(*drone), Answer::kGranted);
  EXPECT_EQ(answer(*gcs), Answer::kGranted);
  say(*base, 3, true);
  EXPECT_EQ(answer(*base), Answer::kBusyThere);
  EXPECT_EQ(answer(*boat), Answer::kBusyHere);
  EXPECT_EQ(line.counter("campaigns_waiting"), 1U);
  const auto turn = last(*drone)->turn;
  say(*drone, 2, false, turn);
  say(*gcs, 1, false, turn);
  EXPECT_EQ(answer(*base), Answer::kGranted);
  EXPECT_EQ(answer(*boat), Answer::kGranted);
  EXPECT_EQ(line.counter("campaigns_granted"), 2U);
}

TEST_F(ServerCampaigns, OnlyPeersThatAreThereCanBePunchedWith) {
  say(*drone, 3, true);  // shares no flow with it
  EXPECT_EQ(answer(*drone), Answer::kRefused);
  EXPECT_FALSE(answer(*boat));
  say(*drone, 1, true);
  say(*drone, 999, true);
  gcs->hop.close(line.now, gcs->out);
  talk();
  say(*drone, 2, true);
  EXPECT_EQ(answer(*drone), Answer::kRefused);
  EXPECT_EQ(line.counter("campaigns_refused"), 4U);
  EXPECT_EQ(line.counter("campaigns_held"), 0U);
}

TEST_F(ServerCampaigns, WhoStopsLeavesItsTurnToTheNext) {
  say(*drone, 2, true);
  say(*base, 3, true);
  drone->hop.close(line.now, drone->out);
  talk();
  EXPECT_EQ(answer(*base), Answer::kBusyThere);
  line.now += 1s;  // for gcs4, which may still be sending
  EXPECT_LE(line.server->next_deadline(), line.now);
  line.server->on_timeout(line.now, line.server_out);
  line.deliver(base->at, {}, all());
  EXPECT_EQ(answer(*base), Answer::kGranted);
}

TEST_F(ServerCampaigns, ANewProcessDoesNotInheritTheTurn) {
  say(*drone, 2, true);
  const auto restarted = line.link("drone3", 77, "203.0.113.3:4100");
  line.talk(*restarted);
  const auto turn = last(*drone)->turn;
  say(*gcs, 1, false, turn);
  EXPECT_EQ(line.counter("campaigns_held"), 0U);
}

TEST_F(ServerCampaigns, QuestionsAreFewOrRefused) {
  for (int i = 0; i < 12; ++i) {
    say(*drone, 2, true);
    say(*drone, 2, false);
    say(*gcs, 1, false, last(*gcs)->turn);
  }
  EXPECT_EQ(line.counter("campaigns_granted"), 10U);
  EXPECT_EQ(line.counter("campaigns_refused"), 2U);
  line.now += 200ms;
  say(*drone, 2, true);
  EXPECT_EQ(answer(*drone), Answer::kGranted);
}

TEST_F(ServerCampaigns, NobodyElseEndsATurn) {
  say(*drone, 2, true);
  const auto turn = last(*drone)->turn;
  say(*boat, 1, false, turn);
  say(*boat, 2, false, turn);
  EXPECT_EQ(line.counter("campaigns_held"), 1U);
  EXPECT_EQ(line.counter("campaign_ends_ignored"), 2U);
}

}  // namespace
}  // namespace wormhole
