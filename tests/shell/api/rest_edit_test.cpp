#include <gtest/gtest.h>

#include "shell/api/rest_caller.hpp"

namespace wormhole::test {
namespace {

constexpr auto kAudio = R"({"protocol":"udp","port":5700,"from":["drone7"],"to":["gcs4"]})";

class RestEdits : public RestTest {};

TEST_F(RestEdits, PutMakesAndReplaces) {
  const HttpResponse made = send("PUT", "/v1/flows/audio", kAudio);
  EXPECT_EQ(made.status, 201U) << made.body;
  EXPECT_EQ(made.field("Location"), "/v1/flows/audio");
  EXPECT_EQ(made.body, kAudio);
  EXPECT_EQ(etag(made), etag(get("/v1/flows/audio")));
  const HttpResponse replaced =
      send("PUT", "/v1/flows/audio",
           R"({"protocol":"udp","port":5701,"from":["drone7"],"to":["gcs5"]})");
  EXPECT_EQ(replaced.status, 200U);
  EXPECT_EQ(replaced.field("Location"), "");
  EXPECT_NE(etag(replaced), etag(made));
}

TEST_F(RestEdits, WhatGetGivesPutTakesWithoutAWrite) {
  for (const char* path : {"/v1/clients/drone3", "/v1/clients/drone7", "/v1/groups/ground",
                           "/v1/flows/video", "/v1/flows/telemetry/routes/0"}) {
    const HttpResponse before = get(path);
    const HttpResponse after = send("PUT", path, before.body);
    EXPECT_EQ(after.status, 200U) << path;
    EXPECT_EQ(after.body, before.body);
    EXPECT_EQ(etag(after), etag(before));
  }
  EXPECT_EQ(routes.edits, 0);
}

TEST_F(RestEdits, PatchIsMergePatch) {
  const HttpResponse response = call({"PATCH", "/v1/flows/video", R"({"port":5602,"to":["gcs6"]})",
                                      "", "application/merge-patch+json; charset=utf-8"});
  EXPECT_EQ(response.status, 200U) << response.body;
  EXPECT_EQ(response.body, R"({"protocol":"udp","port":5602,"from":["drone3"],"to":["gcs6"]})");
  EXPECT_EQ(send("PATCH", "/v1/flows/nothing", "{}").status, 404U);
}

TEST_F(RestEdits, DeleteAnswers204) {
  const HttpResponse response = send("DELETE", "/v1/flows/telemetry", "");
  EXPECT_EQ(response.status, 204U);
  EXPECT_TRUE(response.body.empty());
  EXPECT_EQ(get("/v1/flows/telemetry").status, 404U);
  EXPECT_EQ(send("DELETE", "/v1/flows/telemetry", "").status, 404U);
}

TEST_F(RestEdits, InvalidOnesNameFieldAndExpectation) {
  const HttpResponse response = send("PATCH", "/v1/flows/video", R"({"port":70000,"frm":"x"})");
  EXPECT_EQ(response.status, 422U);
  EXPECT_EQ(response.content_type, "application/problem+json");
  const auto body = boost::json::parse(response.body);
  EXPECT_EQ(body.at("title"), "Unprocessable Entity");
  std::string fields;
  for (const auto& error : body.at("errors").as_array()) {
    fields += std::string(error.at("field").as_string()) + " ";
    EXPECT_NE(error.at("detail").as_string().find("expected"), std::string::npos);
  }
  EXPECT_NE(fields.find("flows.video.port "), std::string::npos) << fields;
  EXPECT_NE(fields.find("flows.video.frm "), std::string::npos) << fields;
  EXPECT_EQ(get("/v1/flows/video").body.find("70000"), std::string::npos);
}

TEST_F(RestEdits, BodiesThatAreNoJson) {
  for (const auto& [body, where] :
       {std::pair{"", "line 1, column 1"}, std::pair{"{", "ends too early"},
        std::pair{"{\n \"port\": 1,\n x}", "line 3, column 2"},
        std::pair{R"({"a":1,"b":{"c":1,"c":2}})", "\"c\" comes twice"},
        std::pair{R"({"a":1,"\u0061":2})", "\"a\" comes twice"},
        std::pair{R"({"a":1} {)", "line 1, column 9"},
        std::pair{"[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]", "deeper than 16"},
        std::pair{"{\"a\":\"\xff\"}", "line 1, column 7"}, std::pair{"{'a':1}", "column 2"}}) {
    const HttpResponse response = send("PUT", "/v1/flows/video", body);
    EXPECT_EQ(response.status, 400U) << body;
    EXPECT_NE(boost::json::parse(response.body).at("detail").as_string().find(where),
              std::string::npos)
        << response.body;
  }
  EXPECT_EQ(routes.edits, 0);
}

TEST_F(RestEdits, EveryCutOfABodyIs400) {
  const std::string whole = kAudio;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_EQ(send("PUT", "/v1/flows/audio", whole.substr(0, size)).status, 400U) << size;
  }
}

TEST_F(RestEdits, OtherTypesOfBodies) {
  for (const char* type : {"", "text/plain", "application/x-www-form-urlencoded",
                           "application/jsonx", "application/merge-patch+json"}) {
    EXPECT_EQ(call({"PUT", "/v1/flows/audio", kAudio, "", type}).status, 415U) << type;
  }
  EXPECT_EQ(call({"PUT", "/v1/flows/audio", kAudio, "", "Application/JSON;charset=utf-8"}).status,
            201U);
}

TEST_F(RestEdits, IfMatchGuardsAgainstOthers) {
  const std::string seen = etag(get("/v1/groups/ground"));
  EXPECT_EQ(send("PUT", "/v1/groups/ground", R"(["gcs6"])", seen).status, 200U);
  const HttpResponse stale = send("PUT", "/v1/groups/ground", R"(["gcs4"])", seen);
  EXPECT_EQ(stale.status, 412U);
  EXPECT_EQ(get("/v1/groups/ground").body, R"(["gcs6"])");
  EXPECT_EQ(send("DELETE", "/v1/flows/video", "", "\"x\"").status, 412U);
  EXPECT_EQ(send("PUT", "/v1/groups/air", R"(["drone3"])", "*").status, 412U);
  EXPECT_EQ(send("PUT", "/v1/groups/ground", R"(["gcs4"])", "*").status, 200U);
}

TEST_F(RestEdits, IfMatchIsAskedOfTheDiskToo) {
  const std::string seen = etag(get("/v1/groups/ground"));
  auto json = routes.now->json;
  json.at("groups").at("ground") = boost::json::array{"gcs6"};
  routes.on_disk = document_of(json);
  EXPECT_EQ(send("PUT", "/v1/groups/ground", R"(["gcs4"])", seen).status, 412U);
  EXPECT_EQ(routes.edits, 1);
}

TEST_F(RestEdits, IfMatchOfAPostIsAboutTheList) {
  const std::string members = etag(get("/v1/flows/video/members"));
  const std::string list = etag(get("/v1/flows/video/routes"));
  constexpr auto kMember = R"({"id":"drone7","side":"from"})";
  EXPECT_EQ(send("POST", "/v1/flows/video/members", kMember, members).status, 201U);
  EXPECT_EQ(send("POST", "/v1/flows/video/members", kMember, members).status, 412U);
  constexpr auto kRoute = R"({"from":"gcs4","to":"gcs5"})";
  EXPECT_EQ(send("POST", "/v1/flows/video/routes", kRoute, list).status, 412U);
  EXPECT_EQ(
      send("POST", "/v1/flows/video/routes", kRoute, etag(get("/v1/flows/video/routes"))).status,
      201U);
}

TEST_F(RestEdits, IfNoneMatchOnlyCreates) {
  EXPECT_EQ(send("PUT", "/v1/flows/video", kAudio, "", "*").status, 412U);
  EXPECT_EQ(send("PUT", "/v1/flows/audio", kAudio, "", "*").status, 201U);
}

TEST_F(RestEdits, RefusalsOfTheFileHaveTheirStatus) {
  using Why = EditRefusal::Why;
  for (const auto& [why, message, status] :
       {std::tuple{Why::kConflict, "an editor was faster", 409U}, std::tuple{Why::kStale, "", 409U},
        std::tuple{Why::kStorage, "read-only", 500U},
        std::tuple{Why::kStorage, "can't write: No space left on device; …", 507U}}) {
    routes.refusal = EditRefusal{why, message, {}};
    const HttpResponse response = send("PUT", "/v1/groups/air", R"(["drone3"])");
    EXPECT_EQ(response.status, status) << message;
    EXPECT_EQ(get("/v1/groups/air").status, 404U);
  }
}

TEST_F(RestEdits, SecondRouteTurnsAFlowIntoAList) {
  const HttpResponse posted =
      send("POST", "/v1/flows/video/routes", R"({"from":"gcs4","to":"drone3"})");
  EXPECT_EQ(posted.status, 201U) << posted.body;
  EXPECT_EQ(posted.field("Location"), "/v1/flows/video/routes/1");
  EXPECT_EQ(get("/v1/flows/video").body,
            R"({"protocol":"udp","port":5600,"routes":[{"from":["drone3"],"to":["ground","gcs6"]},)"
            R"({"from":"gcs4","to":"drone3"}]})");
  EXPECT_EQ(send("POST", "/v1/flows/video/routes", R"({"mesh":["gcs5","gcs6"]})").field("Location"),
            "/v1/flows/video/routes/2");
  EXPECT_EQ(send("DELETE", "/v1/flows/video/routes/0", "").status, 204U);
  EXPECT_EQ(get("/v1/flows/video/routes/0").body, R"({"from":"gcs4","to":"drone3"})");
}

TEST_F(RestEdits, RouteInTheFlowItselfIsChangedThere) {
  EXPECT_EQ(send("PUT", "/v1/flows/video/routes/0", R"({"between":["drone3","gcs4"]})").status,
            200U);
  EXPECT_EQ(get("/v1/flows/video").body,
            R"({"protocol":"udp","port":5600,"between":["drone3","gcs4"]})");
  EXPECT_EQ(send("DELETE", "/v1/flows/video/routes/0", "").status, 409U);
  EXPECT_EQ(send("PUT", "/v1/flows/video/routes/1", R"({"mesh":"drone*"})").status, 404U);
}

TEST_F(RestEdits, RouteHoldsNothingElse) {
  const HttpResponse response = send("PUT", "/v1/flows/video/routes/0", R"({"port":1})");
  EXPECT_EQ(response.status, 422U);
  EXPECT_EQ(boost::json::parse(response.body).at("errors").at(0).at("field"),
            "flows.video.routes[0].port");
  EXPECT_EQ(send("POST", "/v1/flows/video/routes", "[]").status, 422U);
}

TEST_F(RestEdits, PositionsAreOfTheListThatWasRead) {
  auto json = routes.now->json;
  auto& list = json.at("flows").at("telemetry").at("routes").as_array();
  list.insert(list.begin(), boost::json::object{{"mesh", "gcs*"}});
  routes.on_disk = document_of(json);
  EXPECT_EQ(send("DELETE", "/v1/flows/telemetry/routes/0", "").status, 409U);
}

TEST_F(RestEdits, MembersJoinAndLeave) {
  const HttpResponse joined =
      send("POST", "/v1/flows/video/members", R"({"id":"drone7","side":"from"})");
  EXPECT_EQ(joined.status, 201U) << joined.body;
  EXPECT_EQ(joined.field("Location"), "/v1/flows/video/members/drone7");
  EXPECT_EQ(joined.body, R"([{"id":"drone7","side":"from"}])");
  EXPECT_EQ(send("POST", "/v1/flows/video/members", R"({"id":"drone7","side":"from"})").status,
            409U);
  EXPECT_EQ(send("POST", "/v1/flows/video/members", R"({"id":"drone9","side":"from"})").status,
            422U);
  EXPECT_EQ(send("DELETE", "/v1/flows/video/members/gcs4", "").status, 409U);  // by its group
  HttpRequest leave{"DELETE", "/v1/flows/video/members/drone7", "", "side=from"};
  EXPECT_EQ(call(leave).status, 204U);
  EXPECT_EQ(call(leave).status, 404U);
}

TEST_F(RestEdits, MemberBodiesAreChecked) {
  for (const auto& [body, field] :
       {std::pair{R"({"id":"gcs5","side":"two"})", "side"}, std::pair{R"({"side":"to"})", "id"},
        std::pair{R"({"id":"a b"})", "id"}, std::pair{R"({"id":5})", "id"},
        std::pair{R"({"id":"gcs5","route":-1})", "route"},
        std::pair{R"({"id":"gcs5","more":1})", "more"}}) {
    const HttpResponse response = send("POST", "/v1/flows/video/members", body);
    EXPECT_EQ(response.status, 422U) << body;
    EXPECT_EQ(boost::json::parse(response.body).at("errors").at(0).at("field"), field);
  }
  EXPECT_EQ(send("POST", "/v1/flows/video/members", "[]").status, 422U);
  EXPECT_EQ(call({"DELETE", "/v1/flows/video/members/gcs6", "", "side=two"}).status, 400U);
  EXPECT_EQ(routes.edits, 0);
}

/// What routes.yaml says about direct paths, in all three places.
class RestP2p : public RestTest {
 protected:
  RestP2p()
      : RestTest(R"(server: {addresses: [198.51.100.10]}
p2p: {preset: polite, campaigns_per_address: 4, strategies: {forbid: [birthday]}}
clients:
  drone3: {p2p: off}
  gcs4: {}
flows:
  video: {protocol: udp, port: 5600, from: drone3, to: gcs4, p2p: off}
)") {}
  Network network() const { return routes.now->network; }
};

TEST_F(RestP2p, GetShowsIt) {
  const auto config = boost::json::parse(get("/v1/config").body);
  EXPECT_EQ(
      boost::json::serialize(config.at("p2p")),
      R"({"preset":"polite","campaigns_per_address":"4","strategies":{"forbid":["birthday"]}})");
  EXPECT_EQ(get("/v1/clients/drone3").body, R"({"p2p":"off"})");
  EXPECT_NE(get("/v1/flows/video").body.find(R"("p2p":"off")"), std::string::npos);
}

TEST_F(RestP2p, WhatWasReadAndIsWrittenBackStaysOff) {
  for (const char* path : {"/v1/flows/video", "/v1/clients/drone3"}) {
    const auto before = get(path).body;
    EXPECT_EQ(send("PUT", path, before).status, 200U);
    EXPECT_EQ(get(path).body, before);
  }
  auto flow = boost::json::parse(get("/v1/flows/video").body);
  flow.as_object()["port"] = 5601;
  EXPECT_EQ(send("PUT", "/v1/flows/video", boost::json::serialize(flow)).status, 200U);
  EXPECT_EQ(network().flows.at(0).port, 5601);
  EXPECT_FALSE(network().flows.at(0).p2p);
  EXPECT_FALSE(network().clients.at(0).p2p);
  EXPECT_EQ(network().p2p.campaigns_per_address, 4);
}

TEST_F(RestP2p, PatchSwitchesIt) {
  EXPECT_EQ(send("PATCH", "/v1/flows/video", R"({"p2p":"on"})").status, 200U);
  EXPECT_TRUE(network().flows.at(0).p2p);
  EXPECT_EQ(send("PATCH", "/v1/flows/video", R"({"p2p":"off"})").status, 200U);
  EXPECT_FALSE(network().flows.at(0).p2p);
  EXPECT_EQ(send("PATCH", "/v1/clients/drone3", R"({"p2p":null})").status, 200U);
  EXPECT_TRUE(network().clients.at(0).p2p);
  EXPECT_EQ(send("PATCH", "/v1/flows/video", R"({"p2p":"never"})").status, 422U);
}

}  // namespace
}  // namespace wormhole::test
