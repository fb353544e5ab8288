// What clients say of their links reaches operators, and outlives sessions and processes.
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
  flow.routes.push_back({Route::Kind::kMesh, {"drone3", "gcs4"}, {}, {}});
  return flow;
}

LinkNews full(std::uint64_t capacity) {
  LinkNews news;
  news.peer = ClientNo{2};
  news.way = 1;
  news.verdict = 2;
  news.queue_us = 81'000;
  news.capacity_bps = capacity;
  return news;
}

class ServerLinks : public ::testing::Test {
 protected:
  ServerLinks() { line.talk(*drone); }
  void tell(const LinkNews& news, Duration later = 2s) {
    line.now += later;
    drone->hop.send_message(news, line.now, drone->out);
    line.talk(*drone);
  }
  std::vector<ClientLinks> links(bool history = true, const std::string& id = "") {
    return line.server->links(id, history, line.now);
  }

  HopLine line{{"drone3", "gcs4"}, {radio()}};
  std::unique_ptr<Link> drone = line.link("drone3", 1, "203.0.113.3:4000");
};

TEST_F(ServerLinks, AreNamedAndHaveTheirHistory) {
  EXPECT_TRUE(links().empty());
  tell(full(3'000'000));
  tell(full(2'000'000));
  LinkNews flow = full(1'000'000);
  flow.peer = ClientNo{0};
  flow.way = 0;
  flow.flow = FlowNo{1};
  tell(flow);
  line.now += 250ms;
  const auto all = links();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].id, "drone3");
  EXPECT_TRUE(all[0].online);
  ASSERT_EQ(all[0].links.size(), 2U);
  EXPECT_EQ(all[0].links[0].flow, "radio");
  EXPECT_EQ(all[0].links[0].peer, "");
  const auto& link = all[0].links[1];
  EXPECT_EQ(link.peer, "gcs4");
  EXPECT_TRUE(link.direct);
  EXPECT_EQ(link.newest.ago, 2250ms);
  EXPECT_EQ(link.newest.state.verdict, LinkVerdict::kLimit);
  EXPECT_EQ(link.newest.state.queue_delay, 81ms);
  ASSERT_EQ(link.history.size(), 2U);
  EXPECT_EQ(link.history[0].state.capacity_bps, 3e6);
  EXPECT_EQ(link.history[1].state.capacity_bps, 2e6);
  EXPECT_TRUE(links(false)[0].links[1].history.empty());
  EXPECT_EQ(links(false)[0].links[1].samples, 2U);
}

TEST_F(ServerLinks, OfOneClientAlone) {
  tell(full(3'000'000));
  EXPECT_EQ(links(true, "drone3").size(), 1U);
  EXPECT_TRUE(links(true, "gcs4").empty());
}

TEST_F(ServerLinks, OutliveTheProcessThatSpokeOfThem) {
  tell(full(3'000'000));
  drone = line.link("drone3", 5, "203.0.113.3:4001");  // a restart
  line.talk(*drone);
  tell(full(2'000'000));
  const auto all = links();
  ASSERT_EQ(all.size(), 1U);
  ASSERT_EQ(all[0].links.size(), 1U);
  EXPECT_EQ(all[0].links[0].history.size(), 2U);
  EXPECT_EQ(line.counter("links"), 1U);
  EXPECT_EQ(line.counter("link_samples"), 2U);
  EXPECT_EQ(line.counter("link_news"), 2U);
}

TEST_F(ServerLinks, AreForgottenTenMinutesLater) {
  tell(full(3'000'000));
  line.now += 615s;
  line.server->on_timeout(line.now, line.server_out);
  EXPECT_TRUE(links().empty());
  EXPECT_EQ(line.counter("link_samples"), 0U);
}

}  // namespace
}  // namespace wormhole
