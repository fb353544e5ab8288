#include "api/rest_access.hpp"

#include <gtest/gtest.h>

#include "api/rest_status.hpp"
#include "shell/api/rest_caller.hpp"

namespace wormhole::test {
namespace {

constexpr auto kStart = TimePoint(1h);

class RestTokens : public RestTest {
 protected:
  std::string add(const std::string& name, TokenScope scope) {
    return *tokens.add(name, scope, 0, rng_);
  }
  HttpResponse with(const std::string& authorization, const std::string& method = "GET",
                    const std::string& path = "/v1/groups/ground") {
    return call({method, path, R"(["gcs4"])", "", "application/json", authorization});
  }

  SeededRng rng_{1};
};

TEST_F(RestTokens, LoopbackIsOpenUntilThereIsAToken) {
  EXPECT_EQ(with("").status, 200U);
  add("ci", TokenScope::kRead);
  const HttpResponse refused = with("");
  EXPECT_EQ(refused.status, 401U);
  EXPECT_EQ(refused.field("WWW-Authenticate"), "Bearer realm=\"wormhole\"");
  EXPECT_EQ(with("", "GET", "/nothing").status, 401U);
}

TEST_F(RestTokens, BeyondLoopbackNothingIsOpen) {
  const HttpHandler closed =
      rest_api(routes.admin(), {[this]() -> const TokenList& { return tokens; }, false});
  unsigned status = 0;
  closed({"GET", "/v1", ""}, [&status](const HttpResponse& answer) { status = answer.status; });
  EXPECT_EQ(status, 401U);
}

TEST_F(RestTokens, ScopesIncludeTheSmallerOnes) {
  const std::string read = "Bearer " + add("dashboard", TokenScope::kRead);
  const std::string edit = "bearer " + add("ci", TokenScope::kEdit);
  const std::string admin = "Bearer " + add("boss", TokenScope::kAdmin);
  for (const std::string& token : {read, edit, admin}) EXPECT_EQ(with(token).status, 200U);
  EXPECT_EQ(with(edit, "PUT").status, 200U);
  EXPECT_EQ(with(admin, "PUT").status, 200U);
  for (const char* method : {"PUT", "PATCH", "POST", "DELETE"}) {
    const HttpResponse refused = with(read, method);
    EXPECT_EQ(refused.status, 403U) << method;
    EXPECT_NE(refused.field("WWW-Authenticate").find("insufficient_scope"), std::string::npos);
  }
}

TEST_F(RestTokens, WrongOnesAreRefused) {
  const std::string token = add("ci", TokenScope::kEdit);
  for (const std::string& wrong :
       {std::string("Bearer"), "Bearer " + token + "x", "Basic " + token, token}) {
    const HttpResponse refused = with(wrong);
    EXPECT_EQ(refused.status, 401U) << wrong;
    EXPECT_NE(refused.field("WWW-Authenticate").find("invalid_token"), std::string::npos);
    EXPECT_EQ(refused.body.find(token), std::string::npos);
  }
}

TEST_F(RestTokens, ManyWrongOnesAreThrottledAndCounted) {
  const std::string right = "Bearer " + add("ci", TokenScope::kRead);
  RestAccess access([this]() -> const TokenList& { return tokens; }, true);
  HttpRequest guess{"GET", "/v1", ""};
  guess.authorization = "Bearer wht1_x";
  guess.from = *IpAddress::parse("192.0.2.1");
  for (int i = 0; i < 5; ++i) EXPECT_EQ(access.refuse(guess, kStart)->status, 401U);
  const auto throttled = access.refuse(guess, kStart + 999ms);
  EXPECT_EQ(throttled->status, 429U);
  EXPECT_EQ(throttled->field("Retry-After"), "1");
  HttpRequest genuine = guess;
  genuine.authorization = right;
  EXPECT_FALSE(access.refuse(genuine, kStart + 999ms));
  EXPECT_EQ(access.refuse(guess, kStart + 1s)->status, 401U);
  EXPECT_EQ(access.unauthorized(), 6U);
  EXPECT_EQ(access.throttled(), 1U);
}

TEST(RestLoginLimit, AddressesOfOneNetworkCountTogether) {
  LoginLimit limit;
  for (int i = 0; i < 5; ++i) {
    EXPECT_FALSE(limit.exceeded(*IpAddress::parse("2001:db8::" + std::to_string(i)), kStart));
  }
  EXPECT_TRUE(limit.exceeded(*IpAddress::parse("2001:db8::99"), kStart));
  EXPECT_FALSE(limit.exceeded(*IpAddress::parse("2001:db8:0:1::1"), kStart));
}

TEST(RestLoginLimit, TableIsBounded) {
  LoginLimit limit;
  const auto address = [](std::size_t i) {
    return IpAddress::v4(10, 0, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i));
  };
  for (std::size_t i = 0; i < LoginLimit::kMaxAddresses; ++i) {
    EXPECT_FALSE(limit.exceeded(address(i), kStart));
  }
  EXPECT_TRUE(limit.exceeded(address(LoginLimit::kMaxAddresses), kStart));
  EXPECT_FALSE(limit.exceeded(address(0), kStart));
  EXPECT_FALSE(limit.exceeded(address(LoginLimit::kMaxAddresses), kStart + 1s));
}

TEST(RestStatusCache, AsksTenTimesASecondAtMost) {
  int asked = 0;
  StatusCache cache([&asked] {
    ServerStatus status;
    status.counters = {{"asked", static_cast<std::uint64_t>(++asked)}};
    return status;
  });
  EXPECT_TRUE(
      cache.whole(kStart).starts_with(R"({"age_ms":0,"clients":[],"counters":{"asked":1},)"));
  EXPECT_TRUE(cache.whole(kStart + 99ms)
                  .starts_with(R"({"age_ms":99,"clients":[],"counters":{"asked":1},)"));
  EXPECT_EQ(cache.client("drone3", kStart + 99ms), std::nullopt);
  EXPECT_TRUE(cache.whole(kStart + 100ms)
                  .starts_with(R"({"age_ms":0,"clients":[],"counters":{"asked":2},)"));
}

TEST(RestHosts, AreAllNamesOfTheServer) {
  ServerSettings server;
  server.name = "relay.example.org";
  server.addresses = {{*IpAddress::parse("198.51.100.10"), *IpAddress::parse("0.0.0.0")},
                      {*IpAddress::parse("2001:db8::10"), *IpAddress::parse("2001:db8::11")}};
  server.rest.hosts = {"ops.example.org"};
  server.rest.listen = *Endpoint::parse("10.0.0.5:7780");
  EXPECT_EQ(rest_hosts(server),
            (std::vector<std::string>{"ops.example.org", "relay.example.org", "10.0.0.5",
                                      "198.51.100.10", "2001:db8::10", "2001:db8::11"}));
}

TEST(RestHosts, BeyondLoopbackNeedsAToken) {
  RestSettings rest;
  TokenList tokens;
  EXPECT_TRUE(check_rest_listen(rest, tokens));
  EXPECT_TRUE(is_open_without_tokens(rest));
  rest.listen = *Endpoint::parse("0.0.0.0:7780");
  EXPECT_FALSE(is_open_without_tokens(rest));
  const auto refused = check_rest_listen(rest, tokens);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("wormhole token add"), std::string::npos);
  SeededRng rng(1);
  ASSERT_TRUE(tokens.add("ci", TokenScope::kEdit, 0, rng));
  EXPECT_TRUE(check_rest_listen(rest, tokens));
}

}  // namespace
}  // namespace wormhole::test
