#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <filesystem>

#include "shell/api/raw_caller.hpp"
#include "wormhole/api/endpoints.hpp"
#include "wormhole/api/http_client.hpp"

namespace wormhole::test {
namespace {

using namespace std::chrono_literals;

/// The control socket of a server that makes "code-for-ID" and knows only drone3.
class ControlTest : public testing::Test {
 protected:
  ControlTest() {
    const Result<void> listening = server_.listen_unix(control_socket_path(dir_));
    EXPECT_TRUE(listening) << listening.error().message;
    thread_ = std::thread([this] { io_.run(); });
  }
  ~ControlTest() override {
    boost::asio::post(io_, [this] { server_.stop(); });
    thread_.join();
    std::filesystem::remove_all(dir_);
  }

  HttpAnswer invite(const std::string& body) { return call("POST", "/v1/invites", body); }
  HttpAnswer call(const char* method, const char* path, const std::string& body = "") {
    const auto outcome = http_request(UnixPath{control_socket_path(dir_)}, method, path, body);
    if (const auto* failure = std::get_if<HttpFailure>(&outcome)) return {0, failure->message};
    return std::get<HttpAnswer>(outcome);
  }

  static std::string make_dir() {
    char dir[] = "/tmp/wormhole-api-XXXXXX";
    return ::mkdtemp(dir);
  }

  std::string dir_ = make_dir();
  std::uint64_t valid_s_ = 0;
  boost::asio::io_context io_{1};
  TokenKeeper tokens_{io_, dir_, {}};
  HttpServer server_{io_,
                     server_control({[] { return ServerStatus{}; },
                                     [this](const std::string& id, std::uint64_t valid_s,
                                            const ServerControl::OnCode& done) {
                                       valid_s_ = valid_s;
                                       boost::asio::post(io_, [id, done] {
                                         if (id != "drone3") return done(Error{"not known"});
                                         done({boost::system::in_place_value, "code-for-" + id});
                                       });
                                     },
                                     [](bool confirmed, const ServerRunner::OnReload& done) {
                                       using What = ReloadReport::What;
                                       done({confirmed ? What::kInForce : What::kHeld, {"line"}});
                                     }},
                                    tokens_)};
  std::thread thread_;
};

TEST_F(ControlTest, InvitesOverTheUnixSocket) {
  const HttpAnswer answer = invite(R"({"id":"drone3","valid_s":86400})");
  EXPECT_EQ(answer.status, 201U);
  EXPECT_EQ(answer.body, R"({"code":"code-for-drone3"})");
  EXPECT_EQ(valid_s_, 86400U);
  EXPECT_EQ(invite(R"({"id":"drone3"})").status, 201U);
  EXPECT_EQ(valid_s_, 7U * 86400);
}

TEST_F(ControlTest, ReloadsAndSaysHowItWent) {
  const auto held = call("POST", "/v1/reload", R"({"confirm":false})");
  EXPECT_EQ(held.body, R"({"result":"held","lines":["line"]})");
  const auto done = call("POST", "/v1/reload", R"({"confirm":true})");
  EXPECT_EQ(done.body, R"({"result":"in force","lines":["line"]})");
  for (const char* body : {"", "{}", "[]", R"({"confirm":1})", R"({"confirm":true,"x":1})"}) {
    EXPECT_EQ(call("POST", "/v1/reload", body).status, 400U) << body;
  }
}

TEST_F(ControlTest, RefusalCarriesTheReason) {
  const HttpAnswer answer = invite(R"({"id":"drone9"})");
  EXPECT_EQ(answer.status, 409U);
  EXPECT_NE(answer.body.find("\"detail\":\"not known\""), std::string::npos) << answer.body;
}

TEST_F(ControlTest, MalformedInvitesAre400) {
  for (const char* body :
       {"", "[]", "{", R"({"id":3})", R"({"id":"a b"})", R"({"id":"a","valid_s":0})",
        R"({"id":"a","valid_s":-1})", R"({"id":"a","valid_s":31622401})",
        R"({"id":"a","valid_s":"7d"})", R"({"id":"a","extra":1})", R"({"valid_s":5})"}) {
    EXPECT_EQ(invite(body).status, 400U) << body;
  }
}

TEST_F(ControlTest, TokensAreMadeListedAndRemoved) {
  const HttpAnswer made = call("POST", "/v1/tokens", R"({"name":"ci","scope":"edit"})");
  EXPECT_EQ(made.status, 201U);
  const std::string token = boost::json::parse(made.body).at("token").as_string().c_str();
  const auto stored = load_tokens(dir_);
  ASSERT_TRUE(stored && stored->find(token) != nullptr);
  EXPECT_EQ(stored->find(token)->scope, TokenScope::kEdit);
  EXPECT_EQ(call("POST", "/v1/tokens", R"({"name":"ci","scope":"read"})").status, 409U);
  const HttpAnswer list = call("GET", "/v1/tokens");
  EXPECT_NE(list.body.find(R"({"name":"ci","scope":"edit","created_s":)"), std::string::npos);
  EXPECT_EQ(list.body.find(token), std::string::npos);
  EXPECT_EQ(call("DELETE", "/v1/tokens/ci").status, 204U);
  EXPECT_EQ(call("DELETE", "/v1/tokens/ci").status, 409U);
  EXPECT_EQ(call("GET", "/v1/tokens").body, R"({"tokens":[]})");
}

TEST_F(ControlTest, MalformedTokenRequestsAre400) {
  for (const char* body : {"", "[]", R"({"name":"ci"})", R"({"name":"ci","scope":"root"})",
                           R"({"name":"a b","scope":"read"})", R"({"name":1,"scope":"read"})",
                           R"({"name":"ci","scope":"read","more":1})"}) {
    EXPECT_EQ(call("POST", "/v1/tokens", body).status, 400U) << body;
  }
}

TEST_F(ControlTest, SocketIsForThisUserOnlyAndGoesAway) {
  const std::string path = control_socket_path(dir_);
  struct stat info {};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  boost::asio::io_context io;
  {
    HttpServer other(io, echo_path());
    ASSERT_TRUE(other.listen_unix(dir_ + "/other.sock"));
    EXPECT_TRUE(std::filesystem::exists(dir_ + "/other.sock"));
  }
  EXPECT_FALSE(std::filesystem::exists(dir_ + "/other.sock"));
}

TEST_F(ControlTest, SocketLeftByADeadServerIsReplaced) {
  const std::string path = dir_ + "/stale.sock";
  boost::asio::io_context io;
  boost::asio::local::stream_protocol::acceptor stale(io, path);
  stale.close();
  ASSERT_TRUE(std::filesystem::exists(path));
  HttpServer server(io, echo_path());
  EXPECT_TRUE(server.listen_unix(path));
}

TEST(ApiClient, ServesItsStatus) {
  ClientStatus status;
  status.id = "drone3";
  RunningServer server(client_api({[&status] { return status; }, nullptr}), client_api_limits());
  const auto outcome = http_request(server.endpoint(), "GET", "/v1/status");
  const auto* answer = std::get_if<HttpAnswer>(&outcome);
  ASSERT_NE(answer, nullptr);
  EXPECT_EQ(answer->status, 200U);
  EXPECT_TRUE(answer->body.starts_with(R"({"id":"drone3",)")) << answer->body;
  const auto post = http_request(server.endpoint(), "POST", "/v1/status", "{}");
  EXPECT_EQ(std::get<HttpAnswer>(post).status, 405U);
}

TEST(ApiClient, JoinsAndLeaves) {
  std::vector<MembershipChange> asked;
  ClientControl control;
  control.change_membership = [&asked](const MembershipChange& change,
                                       const ClientControl::OnAnswer& done) {
    asked.push_back(change);
    if (change.join) return done(std::nullopt);
    done("routes.yaml says no");
  };
  RunningServer server(client_api(control), client_api_limits());
  const auto post = [&](const char* path, const std::string& body) {
    return std::get<HttpAnswer>(http_request(server.endpoint(), "POST", path, body));
  };
  EXPECT_EQ(post("/v1/join", R"({"flow":"video","side":"to"})").status, 204U);
  const auto refused = post("/v1/leave", R"({"flow":"video"})");
  EXPECT_EQ(refused.status, 409U);
  EXPECT_NE(refused.body.find("routes.yaml says no"), std::string::npos) << refused.body;
  ASSERT_EQ(asked.size(), 2U);
  EXPECT_EQ(asked[0].flow, "video");
  EXPECT_EQ(asked[0].side, Side::kTo);
  EXPECT_TRUE(asked[0].join);
  EXPECT_EQ(asked[1].side, std::nullopt);
  EXPECT_FALSE(asked[1].join);
  for (const char* body : {"", "{}", R"({"flow":7})", R"({"flow":"../x"})",
                           R"({"flow":"video","side":"up"})", R"({"flow":"video","x":"y"})"}) {
    EXPECT_EQ(post("/v1/join", body).status, 400U) << body;
  }
  EXPECT_EQ(asked.size(), 2U);
}

TEST(ApiClient, ChecksTheNatWhenAsked) {
  bool has_room = true;
  ClientControl control;
  control.check_nat = [&has_room](const ClientControl::OnNatCheck& done) {
    if (!has_room) return false;
    NatCheckReport report;
    report.server.connected = report.in_time = report.nat.mapping_known = true;
    done(report);
    return true;
  };
  RunningServer server(client_api(control), client_api_limits());
  const auto post = [&] {
    return std::get<HttpAnswer>(http_request(server.endpoint(), "POST", "/v1/netcheck"));
  };
  const auto found = post();
  EXPECT_EQ(found.status, 200U);
  EXPECT_NE(found.body.find(R"("udp_passes":true)"), std::string::npos) << found.body;
  EXPECT_NE(found.body.find(R"("problem":null)"), std::string::npos) << found.body;
  has_room = false;
  EXPECT_EQ(post().status, 503U);
  const auto get = http_request(server.endpoint(), "GET", "/v1/netcheck");
  EXPECT_EQ(std::get<HttpAnswer>(get).status, 405U);
}

TEST(ApiHttpClient, TellsNobodyFromSilence) {
  boost::asio::io_context io;
  boost::asio::ip::tcp::acceptor silent(io, {boost::asio::ip::make_address("127.0.0.1"), 0});
  const Endpoint at{IpAddress::v4(127, 0, 0, 1), silent.local_endpoint().port()};
  const auto slow = http_request(at, "GET", "/", "", 30ms);
  EXPECT_FALSE(std::get<HttpFailure>(slow).nobody_listens);
  EXPECT_NE(std::get<HttpFailure>(slow).message.find("within 30 ms"), std::string::npos);
  silent.close();
  EXPECT_TRUE(std::get<HttpFailure>(http_request(at, "GET", "/")).nobody_listens);
  const auto no_socket = http_request(UnixPath{"/nonexistent/control.sock"}, "GET", "/");
  EXPECT_TRUE(std::get<HttpFailure>(no_socket).nobody_listens);
  const auto long_path = http_request(UnixPath{std::string(200, 'x')}, "GET", "/");
  EXPECT_TRUE(std::get<HttpFailure>(long_path).nobody_listens);
}

}  // namespace
}  // namespace wormhole::test
