#include "wormhole/api/congestion.hpp"

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <future>

#include "shell/api/raw_caller.hpp"
#include "shell/api/rest_caller.hpp"
#include "wormhole/api/endpoints.hpp"
#include "wormhole/api/http_feed.hpp"

namespace wormhole::test {
namespace {

using namespace std::chrono_literals;
using What = LinkChange::What;

LinkState full() {
  LinkState state;
  state.verdict = LinkVerdict::kLimit;
  state.age = 4200ms;
  state.confidence = 0.9;
  state.capacity_bps = 2'950'000.4;
  state.offered_bps = 6e6;
  state.sent_bps = 3.1e6;
  state.delivered_bps = 2.9e6;
  state.queue_delay = 81'250us;
  state.loss = 0.0123;
  state.rtt = 142'125us;
  return state;
}
constexpr auto kFull =
    R"("state":"limit","age_s":4.2,"confidence":0.9,"capacity_bps":2950000,)"
    R"("offered_bps":6000000,"sent_bps":3100000,"delivered_bps":2900000,"queue_ms":81.25,)"
    R"("loss":0.012,"rtt_ms":142.125)";

LinkChange link() { return {What::kLink, "gcs4", "", PathKind::kRelay, PathKind::kNone, full()}; }
LinkChange flow() { return {What::kFlow, "", "video", PathKind::kNone, PathKind::kNone, full()}; }
LinkChange path() { return {What::kPath, "gcs4", "", PathKind::kDirect, PathKind::kRelay, {}}; }

ClientStatus drone() {
  ClientStatus status;
  status.id = "drone3";
  status.links.push_back({"gcs4", ClientNo{2}, PathKind::kRelay, full()});
  status.flows.emplace_back().name = "video";
  status.flows[0].link = full();
  status.flows.emplace_back().name = "quiet";
  return status;
}

TEST(CongestionJson, OneLineForEachChange) {
  EXPECT_EQ(change_json(link()),
            std::string(R"({"event":"link","peer":"gcs4","way":"relay",)") + kFull + "}");
  EXPECT_EQ(change_json(flow()), std::string(R"({"event":"flow","flow":"video",)") + kFull + "}");
  EXPECT_EQ(change_json(path()),
            R"({"event":"path","peer":"gcs4","path":"direct","before":"relay"})");
  EXPECT_EQ(event_text(path()), "event: path\ndata: " + change_json(path()) + "\n\n");
}

TEST(CongestionJson, TheSameInAnEnvironment) {
  EXPECT_EQ(
      change_environment(link()),
      (std::vector<std::string>{
          "WORMHOLE_EVENT=link", "WORMHOLE_PEER=gcs4", "WORMHOLE_WAY=relay", "WORMHOLE_STATE=limit",
          "WORMHOLE_CAPACITY_BPS=2950000", "WORMHOLE_OFFERED_BPS=6000000",
          "WORMHOLE_SENT_BPS=3100000", "WORMHOLE_DELIVERED_BPS=2900000", "WORMHOLE_QUEUE_MS=81.25",
          "WORMHOLE_LOSS=0.012", "WORMHOLE_CONFIDENCE=0.9", "WORMHOLE_RTT_MS=142.125"}));
  EXPECT_EQ(change_environment(path()),
            (std::vector<std::string>{"WORMHOLE_EVENT=path", "WORMHOLE_PEER=gcs4",
                                      "WORMHOLE_PATH=direct", "WORMHOLE_PATH_BEFORE=relay"}));
  EXPECT_EQ(change_environment(flow())[1], "WORMHOLE_FLOW=video");
}

TEST(CongestionJson, SubjectsTellLinksFlowsAndPathsApart) {
  auto other = link();
  other.way = PathKind::kDirect;
  EXPECT_NE(change_subject(link()), change_subject(other));
  EXPECT_NE(change_subject(link()), change_subject(path()));
  EXPECT_NE(change_subject(link()), change_subject(flow()));
}

TEST(CongestionJson, OfAClient) {
  EXPECT_EQ(congestion_json(drone()),
            std::string(R"({"id":"drone3","links":[{"peer":"gcs4","way":"relay",)") + kFull +
                R"(}],"flows":[{"flow":"video",)" + kFull + "}]}");
}

/// The client's API with a feed of its own.
struct Api {
  HttpFeed feed;
  HttpHandler handler = client_api({[] { return drone(); }, {}, {}, &feed});
};

/// Runs `what` on the server's thread.
template <typename F>
auto on_loop(RunningServer& server, F what) {
  std::packaged_task<decltype(what())()> task(std::move(what));
  auto result = task.get_future();
  boost::asio::post(server.io(), [&task] { task(); });
  return result.get();
}

void wait_for_listeners(RunningServer& server, HttpFeed& feed, std::size_t count) {
  while (on_loop(server, [&] { return feed.listeners(); }) != count) std::this_thread::yield();
}

TEST(CongestionEvents, FirstWhatIsThenWhatChanges) {
  Api api;
  RunningServer server(api.handler);
  RawCaller caller(server.endpoint());
  caller.send(get("/v1/congestion/events"));
  const auto head = caller.head();
  EXPECT_EQ(status_of(head), "HTTP/1.1 200");
  EXPECT_NE(head.find("Content-Type: text/event-stream\r\n"), std::string::npos) << head;
  EXPECT_EQ(head.find("Content-Length"), std::string::npos);
  const auto now = event_text(link()) + event_text(flow());
  EXPECT_EQ(caller.bytes(now.size()), now);
  wait_for_listeners(server, api.feed, 1);
  on_loop(server, [&] { return api.feed.publish(event_text(path())), 0; });
  EXPECT_EQ(caller.bytes(event_text(path()).size()), event_text(path()));
}

TEST(CongestionEvents, AHeadHasNoEnd) {
  Api api;
  RunningServer server(api.handler);
  RawCaller caller(server.endpoint());
  caller.send("HEAD /v1/congestion/events HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  EXPECT_EQ(status_of(caller.head()), "HTTP/1.1 200");
  EXPECT_EQ(on_loop(server, [&] { return api.feed.listeners(); }), 0U);
}

TEST(CongestionEvents, WhoLeavesIsForgottenAndTooManyAreRefused) {
  Api api;
  RunningServer server(api.handler);
  {
    std::vector<std::unique_ptr<RawCaller>> callers;
    for (std::size_t i = 0; i < HttpFeed::kMostListeners; ++i) {
      callers.push_back(std::make_unique<RawCaller>(server.endpoint()));
      callers.back()->send(get("/v1/congestion/events"));
      callers.back()->head();
    }
    wait_for_listeners(server, api.feed, HttpFeed::kMostListeners);
    RawCaller late(server.endpoint());
    late.send(get("/v1/congestion/events"));
    EXPECT_EQ(status_of(late.answer()), "HTTP/1.1 503");
    EXPECT_EQ(on_loop(server, [&] { return api.feed.counts().refused; }), 1U);
  }
  wait_for_listeners(server, api.feed, 0);
}

TEST(CongestionEvents, ASlowListenerIsCutAndNobodyWaitsForIt) {
  Api api;
  RunningServer server(api.handler);
  RawCaller slow(server.endpoint());
  slow.send(get("/v1/congestion/events"));
  wait_for_listeners(server, api.feed, 1);
  const std::string text(16'000, 'x');
  // More than sockets hold on both sides: it reads nothing.
  while (on_loop(server, [&] { return api.feed.publish(text), api.feed.counts().cut; }) == 0) {
  }
  wait_for_listeners(server, api.feed, 0);
  RawCaller other(server.endpoint());
  other.send(get("/v1/congestion"));
  EXPECT_EQ(status_of(other.answer()), "HTTP/1.1 200");
}

TEST(CongestionEvents, TheServerMayEndMeanwhile) {
  Api api;
  std::unique_ptr<RawCaller> caller;
  {
    RunningServer server(api.handler);
    caller = std::make_unique<RawCaller>(server.endpoint());
    caller->send(get("/v1/congestion/events"));
    wait_for_listeners(server, api.feed, 1);
  }
  EXPECT_EQ(api.feed.listeners(), 0U);
}

/// The server's REST API with links of one client.
class RestCongestionTest : public RestTest {
 protected:
  RestCongestionTest() {
    auto admin = routes.admin();
    admin.links = [this](const std::string& id, bool history) {
      ClientLinks drone{"drone3", true, {}};
      LinkReport report{"gcs4", "", false, {250ms, full()}, samples, {}};
      if (history) report.history.assign(samples, {1s, full()});
      drone.links = {report, {"", "video", false, {1s, full()}, 0, {}}};
      return id.empty() || id == "drone3" ? std::vector{drone} : std::vector<ClientLinks>{};
    };
    api = rest_api(std::move(admin), {[this]() -> const TokenList& { return tokens; }, true});
  }
  std::size_t samples = 1;
};

TEST_F(RestCongestionTest, EveryClientsLinksAsTheyAre) {
  const auto answer = get("/v1/congestion");
  EXPECT_EQ(answer.status, 200U);
  EXPECT_EQ(answer.body, std::string(R"({"clients":[{"id":"drone3","online":true,"links":[)") +
                             R"({"peer":"gcs4","way":"relay","ago_s":0.25,)" + kFull +
                             R"(},{"flow":"video","ago_s":1,)" + kFull + "}]}]}");
}

TEST_F(RestCongestionTest, WithHistoryWhenAsked) {
  const auto answer = get("/v1/congestion", "history=1&client=drone3");
  EXPECT_EQ(answer.status, 200U);
  EXPECT_NE(answer.body.find(std::string(R"(,"history":[{"ago_s":1,)") + kFull + "}]"),
            std::string::npos)
      << answer.body;
}

TEST_F(RestCongestionTest, OneClientAlone) {
  EXPECT_EQ(get("/v1/congestion", "client=gcs4").body, R"({"clients":[]})");
  EXPECT_EQ(get("/v1/congestion", "client=nobody").status, 404U);
}

TEST_F(RestCongestionTest, WhatIsNoQuestionIs400) {
  for (const auto* query : {"history=2", "history", "client=a%20b", "since=5", "client=%zz"}) {
    EXPECT_EQ(get("/v1/congestion", query).status, 400U) << query;
  }
}

TEST_F(RestCongestionTest, AnAnswerThatWouldKeepTheLoopIsRefused) {
  samples = 20'000;
  const auto answer = get("/v1/congestion", "history=1");
  EXPECT_EQ(answer.status, 400U);
  EXPECT_NE(answer.body.find("?client=ID"), std::string::npos) << answer.body;
  EXPECT_EQ(get("/v1/congestion").status, 200U);
}

}  // namespace
}  // namespace wormhole::test
