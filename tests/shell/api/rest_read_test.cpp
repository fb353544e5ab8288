#include <gtest/gtest.h>

#include "shell/api/rest_caller.hpp"

namespace wormhole::test {
namespace {

class RestRead : public RestTest {};

TEST_F(RestRead, ShowsWhatTheFileSays) {
  EXPECT_EQ(get("/v1/clients/drone3").body, "{}");  // `drone3:` is short for it
  EXPECT_EQ(get("/v1/groups").body, R"({"ground":["gcs4","gcs5"]})");
  EXPECT_EQ(get("/v1/groups/ground").body, R"(["gcs4","gcs5"])");
  EXPECT_EQ(get("/v1/flows/video").body,
            R"({"protocol":"udp","port":5600,"from":["drone3"],"to":["ground","gcs6"]})");
  EXPECT_NE(get("/v1/config").body.find(R"("addresses":["198.51.100.10"])"), std::string::npos);
  EXPECT_EQ(get("/v1").status, 200U);
}

TEST_F(RestRead, EveryPathOfTheIndexIsThere) {
  const auto index = boost::json::parse(get("/v1").body);
  for (const auto& path : index.at("paths").as_array()) {
    HttpRequest request{"OPTIONS", "", ""};
    bool open = false;  // within a place such as {name}, which becomes x
    for (const char c : path.as_string()) {
      open = c == '{' || (open && c != '}');
      if (!open) request.path += c == '}' ? 'x' : c;
    }
    EXPECT_EQ(call(request).status, 405U) << request.path;
  }
}

TEST_F(RestRead, SectionThatIsMissingIsEmpty) {
  routes.now =
      document_of(std::string("server: {addresses: [198.51.100.10]}\nclients: {}\nflows: {}\n"));
  EXPECT_EQ(get("/v1/groups").body, "{}");
}

TEST_F(RestRead, UnknownPathsAndNames) {
  for (const char* path :
       {"/v1/clients/drone9", "/v1/groups/x", "/v1/flows/x/routes", "/v1/flows/video/routes/1",
        "/v1/flows/video/routes/x", "/v1/flows/video/routes/00", "/v1/flows/x/members",
        "/v1/nothing", "/v1/clients/", "/v1/flows/video/members/drone7", "/",
        "/v1/clients/drone9/status"}) {
    EXPECT_EQ(get(path).status, 404U) << path;
  }
  for (const char* path : {"/v1/clients/a%20b", "/v1/flows/a%2Fb", "/v1/flows/%", "/v1/flows/%g0",
                           "v1", "/v1/clients/%00"}) {
    EXPECT_EQ(get(path).status, 400U) << path;
  }
  EXPECT_EQ(get("/v1/%63lients/drone%33").status, 200U);
}

TEST_F(RestRead, RoutesOfBothKindsOfFlows) {
  EXPECT_EQ(get("/v1/flows/video/routes").body, R"([{"from":["drone3"],"to":["ground","gcs6"]}])");
  EXPECT_EQ(get("/v1/flows/video/routes/0").body, R"({"from":["drone3"],"to":["ground","gcs6"]})");
  EXPECT_EQ(get("/v1/flows/telemetry/routes/1").body, R"({"from":"drone*","to":"ground"})");
}

TEST_F(RestRead, MembersSayWhatPutsThemThere) {
  EXPECT_EQ(get("/v1/flows/video/members").body,
            R"([{"id":"drone3","side":"from"},{"id":"gcs4","side":"to","via":"ground"},)"
            R"({"id":"gcs5","side":"to","via":"ground"},{"id":"gcs6","side":"to"}])");
  EXPECT_EQ(get("/v1/flows/telemetry/members/drone3").body,
            R"([{"id":"drone3","side":"mesh","via":"drone*","route":0},)"
            R"({"id":"drone3","side":"from","via":"drone*","route":1}])");
}

TEST_F(RestRead, MembersOfBetween) {
  EXPECT_EQ(send("PUT", "/v1/flows/mavlink",
                 R"({"protocol":"udp","port":14550,"between":["drone3",["gcs4","gcs5"]]})")
                .status,
            201U);
  EXPECT_EQ(get("/v1/flows/mavlink/members").body,
            R"([{"id":"drone3","side":"first"},{"id":"gcs4","side":"second"},)"
            R"({"id":"gcs5","side":"second"}])");
}

TEST_F(RestRead, TagsAndConditionalReads) {
  const HttpResponse first = get("/v1/flows/video");
  ASSERT_FALSE(etag(first).empty());
  HttpRequest again{"GET", "/v1/flows/video", ""};
  for (const std::string& tags : {etag(first), "\"x\", W/" + etag(first), std::string("*")}) {
    again.if_none_match = tags;
    const HttpResponse second = call(again);
    EXPECT_EQ(second.status, 304U) << tags;
    EXPECT_EQ(etag(second), etag(first));
    EXPECT_TRUE(second.body.empty());
  }
  for (const char* tags : {"\"other\"", "garbage", "\"open", "W/"}) {
    again.if_none_match = tags;
    EXPECT_EQ(call(again).status, 200U) << tags;
  }
  EXPECT_NE(etag(get("/v1/flows/telemetry")), etag(first));
}

TEST_F(RestRead, CachedReadsSeeTheNextDocument) {
  const std::string before = get("/v1/groups").body;
  EXPECT_EQ(send("PUT", "/v1/groups/air", R"(["drone3"])").status, 201U);
  EXPECT_NE(get("/v1/groups").body, before);
}

TEST_F(RestRead, MethodsThatAPathDoesNotTake) {
  const HttpResponse response = send("POST", "/v1/flows", "{}");
  EXPECT_EQ(response.status, 405U);
  EXPECT_EQ(response.field("Allow"), "GET");
  EXPECT_EQ(send("PUT", "/v1/flows/video/members/gcs4", "{}").field("Allow"), "GET, DELETE");
}

TEST_F(RestRead, PairsInPages) {
  EXPECT_EQ(get("/v1/routes", "flow=video").body,
            R"({"more":false,"routes":[{"flow":"video","from":"drone3","to":"gcs4"},)"
            R"({"flow":"video","from":"drone3","to":"gcs5"},)"
            R"({"flow":"video","from":"drone3","to":"gcs6"}]})");
  const auto whole = boost::json::parse(get("/v1/routes").body).at("routes").as_array();
  EXPECT_EQ(whole.size(), 3U + 2U + 4U);
  for (const char* limit : {"1", "2", "4", "9"}) {
    boost::json::array pages;
    std::string query = std::string("limit=") + limit;
    for (bool more = true; more;) {
      const auto page = boost::json::parse(get("/v1/routes", query).body).as_object();
      more = page.at("more").as_bool();
      for (const auto& pair : page.at("routes").as_array()) pages.push_back(pair);
      if (more) query = page.at("next").as_string().c_str() + std::string("/v1/routes?").size();
    }
    EXPECT_EQ(pages, whole) << limit;
  }
}

TEST_F(RestRead, PairsOfOneId) {
  EXPECT_EQ(get("/v1/routes", "id=drone7").body,
            R"({"more":false,"routes":[{"flow":"telemetry","from":"drone3","to":"drone7"},)"
            R"({"flow":"telemetry","from":"drone7","to":"drone3"},)"
            R"({"flow":"telemetry","from":"drone7","to":"gcs4"},)"
            R"({"flow":"telemetry","from":"drone7","to":"gcs5"}]})");
  EXPECT_EQ(get("/v1/routes", "id=drone7&flow=video").body, R"({"more":false,"routes":[]})");
  EXPECT_EQ(get("/v1/routes", "id=drone7&after=telemetry,drone7,gcs4").body,
            R"({"more":false,"routes":[{"flow":"telemetry","from":"drone7","to":"gcs5"}]})");
}

TEST_F(RestRead, QueriesThatAreNotUnderstood) {
  for (const char* query : {"limit=0", "limit=5001", "limit=x", "flow=", "flow=a%20b", "id=*",
                            "after=video", "after=a,b", "side=to", "flow=video&flow=video", "%"}) {
    EXPECT_EQ(get("/v1/routes", query).status, 400U) << query;
  }
  EXPECT_EQ(get("/v1/routes", "after=gone,a,b").status, 404U);
}

TEST_F(RestRead, StatusIsLiveAndSaysItsAge) {
  routes.status.clients.push_back({"drone3", true, *Endpoint::parse("192.0.2.1:5"), 61s, 7, 900});
  routes.status.counters = {{"bad_mac1", 5}};
  const auto whole = boost::json::parse(get("/v1/status").body);
  EXPECT_LT(whole.at("age_ms").as_int64(), 100);
  EXPECT_EQ(whole.at("counters").at("bad_mac1"), 5);
  EXPECT_EQ(whole.at("counters").at("rest_unauthorized"), 0);
  const auto row = boost::json::parse(get("/v1/clients/drone3/status").body);
  EXPECT_EQ(row.at("relayed").at("bytes"), 900);
}

}  // namespace
}  // namespace wormhole::test
