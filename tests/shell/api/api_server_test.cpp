#include <gtest/gtest.h>

#include <optional>

#include "shell/api/raw_caller.hpp"

namespace wormhole::test {
namespace {

using namespace std::chrono_literals;

TEST(ApiServer, AnswersSeveralRequestsOnOneConnection) {
  RunningServer server(echo_path());
  RawCaller caller(server.endpoint());
  caller.send(get("/one?x=1") + get("/two"));
  EXPECT_TRUE(caller.answer().ends_with(R"({"path":"/one"})"));
  EXPECT_TRUE(caller.answer().ends_with(R"({"path":"/two"})"));
}

TEST(ApiServer, AnswersLaterFromTheSameThread) {
  std::optional<boost::asio::io_context*> io;
  RunningServer server([&io](const HttpRequest&, const HttpReply& reply) {
    boost::asio::post(**io, [reply] {
      reply({200, "first", "text/plain", {}});
      reply({200, "second", "text/plain", {}});
    });
  });
  io = &server.io();
  RawCaller caller(server.endpoint());
  caller.send(get("/", "Connection: close\r\n"));
  EXPECT_TRUE(caller.answer().ends_with("first"));
  EXPECT_TRUE(caller.is_closed());
}

TEST(ApiServer, HandlerSeesQueryFieldsAndCaller) {
  std::optional<HttpRequest> seen;
  {
    RunningServer server([&seen](const HttpRequest& request, const HttpReply& reply) {
      seen = request;
      reply({200, "", "text/plain", {{"ETag", "\"x\""}}});
    });
    RawCaller caller(server.endpoint());
    caller.send(get("/a%20b?c=%64&e",
                    "If-Match: \"1\"\r\nIf-None-Match: *\r\nAuthorization: Bearer t\r\n"
                    "Content-Type: application/json\r\n"));
    const std::string answer = caller.answer();
    EXPECT_NE(answer.find("ETag: \"x\"\r\n"), std::string::npos) << answer;
    EXPECT_NE(answer.find("Cache-Control: no-cache\r\n"), std::string::npos) << answer;
  }
  EXPECT_EQ(seen->path, "/a%20b");
  EXPECT_EQ(seen->query, "c=%64&e");
  EXPECT_EQ(seen->if_match, "\"1\"");
  EXPECT_EQ(seen->if_none_match, "*");
  EXPECT_EQ(seen->authorization, "Bearer t");
  EXPECT_EQ(seen->content_type, "application/json");
  EXPECT_EQ(seen->from, IpAddress::v4(127, 0, 0, 1));
}

TEST(ApiServer, AnswersWithoutContentSayNoLength) {
  RunningServer server([](const HttpRequest& request, const HttpReply& reply) {
    reply({request.path == "/304" ? 304U : 204U, ""});
  });
  RawCaller caller(server.endpoint());
  for (const char* path : {"/204", "/304"}) {
    caller.send(get(path));
    const std::string answer = caller.answer();
    EXPECT_EQ(answer.find("Content-Length"), std::string::npos) << answer;
    EXPECT_TRUE(answer.ends_with("\r\n\r\n")) << answer;
  }
}

TEST(ApiServer, HeadIsGetWithoutTheBody) {
  RunningServer server(echo_path());
  RawCaller caller(server.endpoint());
  caller.send("HEAD /a HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  const std::string answer = caller.head();
  EXPECT_NE(answer.find("Content-Length: 13\r\n"), std::string::npos) << answer;
  EXPECT_TRUE(caller.is_closed());
}

TEST(ApiServer, CallerThatStopsInTheHeaderGets408) {
  RunningServer server(echo_path(), {.request_time = 50ms});
  RawCaller caller(server.endpoint());
  caller.send("GET / HTTP/1.1\r\nHost: ");
  EXPECT_EQ(status_of(caller.answer()), "HTTP/1.1 408");
  EXPECT_TRUE(caller.is_closed());
}

TEST(ApiServer, CallerThatStopsInTheBodyGets408) {
  RunningServer server(echo_path(), {.request_time = 50ms});
  RawCaller caller(server.endpoint());
  caller.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n12345");
  EXPECT_EQ(status_of(caller.answer()), "HTTP/1.1 408");
}

TEST(ApiServer, IdleConnectionIsClosedWithoutAnAnswer) {
  RunningServer server(echo_path(), {.request_time = 50ms});
  RawCaller caller(server.endpoint());
  EXPECT_TRUE(caller.is_closed());
}

TEST(ApiServer, HandlerThatNeverAnswersGives503) {
  RunningServer server([](const HttpRequest&, const HttpReply&) {}, {.request_time = 50ms});
  RawCaller caller(server.endpoint());
  caller.send(get("/"));
  EXPECT_EQ(status_of(caller.answer()), "HTTP/1.1 503");
  EXPECT_TRUE(caller.is_closed());
}

TEST(ApiServer, BodyAtTheLimitPassesAndOneByteMoreGets413) {
  RunningServer server(echo_path());
  const std::size_t limit = HttpLimits{}.body_bytes;
  for (const auto& [size, status] :
       {std::pair{limit, "HTTP/1.1 200"}, std::pair{limit + 1, "HTTP/1.1 413"}}) {
    RawCaller caller(server.endpoint());
    caller.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: " + std::to_string(size) +
                "\r\n\r\n" + std::string(size, 'x'));
    EXPECT_EQ(status_of(caller.answer()), status) << size;
  }
}

TEST(ApiServer, ChunkedBodyBeyondTheLimitGets413) {
  RunningServer server(echo_path(), {.body_bytes = 1000});
  RawCaller caller(server.endpoint());
  caller.send("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n");
  caller.send(std::string(1001, 'x'));
  caller.send("\r\n0\r\n\r\n");
  EXPECT_EQ(status_of(caller.answer()), "HTTP/1.1 413");
}

TEST(ApiServer, HugeHeaderGets431) {
  RunningServer server(echo_path());
  RawCaller caller(server.endpoint());
  caller.send("GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ");
  caller.send(std::string(8 << 10, 'x'));
  EXPECT_EQ(status_of(caller.answer()), "HTTP/1.1 431");
  EXPECT_TRUE(caller.is_closed());
}

TEST(ApiServer, GarbageBehindARequestGets400AfterItsAnswer) {
  RunningServer server(echo_path());
  RawCaller caller(server.endpoint());
  caller.send(get("/ok") + "\x16\x03\x01 garbage\r\n\r\n" + get("/never"));
  EXPECT_EQ(status_of(caller.answer()), "HTTP/1.1 200");
  EXPECT_EQ(status_of(caller.answer()), "HTTP/1.1 400");
  EXPECT_TRUE(caller.is_closed());
}

TEST(ApiServer, ForeignHostAndOriginAreRefused) {
  RunningServer server(echo_path());
  RawCaller caller(server.endpoint());
  caller.send("GET / HTTP/1.1\r\nHost: evil.example:7781\r\n\r\n");
  const std::string rebinding = caller.answer();
  EXPECT_EQ(status_of(rebinding), "HTTP/1.1 403");
  EXPECT_NE(rebinding.find("DNS rebinding"), std::string::npos) << rebinding;
  EXPECT_NE(rebinding.find("application/problem+json"), std::string::npos) << rebinding;
  caller.send(get("/", "Origin: http://127.0.0.1\r\n"));
  EXPECT_EQ(status_of(caller.answer()), "HTTP/1.1 403");
  caller.send("GET / HTTP/1.1\r\n\r\n");
  EXPECT_EQ(status_of(caller.answer()), "HTTP/1.1 400");
}

TEST(ApiServer, Connection65IsTurnedAwayUntilOneLeaves) {
  RunningServer server(echo_path());
  std::vector<std::unique_ptr<RawCaller>> callers;
  const auto call = [&server] {
    auto caller = std::make_unique<RawCaller>(server.endpoint());
    caller->send(get("/"));
    return caller;
  };
  for (int i = 0; i < 64; ++i) {
    callers.push_back(call());
    ASSERT_EQ(status_of(callers.back()->answer()), "HTTP/1.1 200") << i;
  }
  EXPECT_EQ(status_of(call()->answer()), "HTTP/1.1 503");
  callers.back()->send(get("/", "Connection: close\r\n"));
  EXPECT_EQ(status_of(callers.back()->answer()), "HTTP/1.1 200");
  EXPECT_TRUE(callers.back()->is_closed());
  callers.pop_back();
  // The place is free once the server has seen our close; until then it says 503.
  std::string status;
  do status = status_of(call()->answer());
  while (status == "HTTP/1.1 503");
  EXPECT_EQ(status, "HTTP/1.1 200");
}

TEST(ApiServer, MoreCallersAtOnceThanOneTurnTakesAreAllServed) {
  RunningServer server(echo_path());
  std::vector<std::unique_ptr<RawCaller>> callers;
  for (int i = 0; i < 40; ++i) callers.push_back(std::make_unique<RawCaller>(server.endpoint()));
  std::string requests;
  for (int i = 0; i < 20; ++i) requests += get("/");
  for (auto& caller : callers) caller->send(requests);
  for (auto& caller : callers) {
    for (int i = 0; i < 20; ++i) ASSERT_EQ(status_of(caller->answer()), "HTTP/1.1 200");
  }
}

TEST(ApiServer, PortInUseNamesTheProcess) {
  RunningServer server(echo_path());
  boost::asio::io_context io;
  HttpServer second(io, echo_path());
  const Result<void> listening = second.listen(server.endpoint());
  ASSERT_FALSE(listening);
  const std::string expected = "(by shell_tests, process " + std::to_string(::getpid()) + ")";
  EXPECT_NE(listening.error().message.find(expected), std::string::npos)
      << listening.error().message;
  EXPECT_NE(listening.error().message.find(server.endpoint().to_string()), std::string::npos);
}

TEST(ApiServer, StopWithRequestsUnderWayLeavesNoWork) {
  RunningServer server([](const HttpRequest&, const HttpReply&) {});
  RawCaller idle(server.endpoint());
  RawCaller waiting(server.endpoint());
  waiting.send(get("/"));
  RawCaller half(server.endpoint());
  half.send("GET / HT");
}  // ~RunningServer would hang if anything stayed

}  // namespace
}  // namespace wormhole::test
