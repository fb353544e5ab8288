#include "shell/server_resolver.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "loop.hpp"

namespace wormhole {
namespace {

const Endpoint kKnown{IpAddress::v4(198, 51, 100, 10), 7700};

TEST(ParseHostPort, TakesHostAndPortApart) {
  const std::pair<const char*, HostPort> cases[] = {
      {"relay.example", {"relay.example", 7700}},
      {"relay.example:1", {"relay.example", 1}},
      {"10.0.0.1", {"10.0.0.1", 7700}},
      {"10.0.0.1:65535", {"10.0.0.1", 65535}},
      {"2001:db8::1", {"2001:db8::1", 7700}},
      {"[2001:db8::1]", {"2001:db8::1", 7700}},
      {"[2001:db8::1]:80", {"2001:db8::1", 80}},
      // What is no port stays part of the host, which then does not resolve.
      {"relay.example:", {"relay.example:", 7700}},
      {"relay.example:0", {"relay.example:0", 7700}},
      {"relay.example:65536", {"relay.example:65536", 7700}},
      {"relay.example:http", {"relay.example:http", 7700}},
      {"[2001:db8::1]80", {"[2001:db8::1]80", 7700}},
      {"[2001:db8::1", {"[2001:db8::1", 7700}},
      {"", {"", 7700}},
  };
  for (const auto& [text, expected] : cases) {
    const auto got = parse_host_port(text, 7700);
    EXPECT_EQ(got.host, expected.host) << text;
    EXPECT_EQ(got.port, expected.port) << text;
  }
}

class ServerResolverTest : public testing::Test {
 protected:
  ServerResolver make(const char* name, std::vector<Endpoint> known) {
    return {loop.io, parse_host_port(name, 7700), std::move(known),
            [this](std::vector<Endpoint> servers) { answers.push_back(std::move(servers)); }};
  }

  Loop loop;
  std::vector<std::vector<Endpoint>> answers;
};

TEST_F(ServerResolverTest, UsesKnownAddressesAtOnceAndThenTheNames) {
  auto resolver = make("localhost:9", {kKnown});
  resolver.resolve();
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0], std::vector<Endpoint>{kKnown});
  ASSERT_TRUE(loop.run_until([&] { return answers.size() == 2; }));
  EXPECT_TRUE(answers[1].front().address.is_loopback());
  EXPECT_EQ(answers[1].front().port, 9);
  EXPECT_EQ(answers[1].back(), kKnown);
  auto unique = answers[1];
  std::sort(unique.begin(), unique.end());
  EXPECT_EQ(std::adjacent_find(unique.begin(), unique.end()), unique.end());
}

TEST_F(ServerResolverTest, TakesAnAddressForAName) {
  auto resolver = make("[::1]:5", {});
  resolver.resolve();
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0], std::vector<Endpoint>{*Endpoint::parse("[::1]:5")});
}

TEST_F(ServerResolverTest, WithoutANameThereAreOnlyTheKnown) {
  auto resolver = make("", {kKnown});
  resolver.resolve();
  resolver.resolve();
  EXPECT_EQ(answers.size(), 1U);
  loop.io.run();  // nothing is left to wait for
  EXPECT_EQ(answers.size(), 1U);
}

TEST_F(ServerResolverTest, ClosedItAnswersNoMore) {
  auto resolver = make("localhost", {});
  resolver.resolve();
  resolver.close();
  loop.io.run();
  EXPECT_TRUE(answers.empty());
}

}  // namespace
}  // namespace wormhole
