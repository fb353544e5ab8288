#include "shell/network_watch.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/rtnetlink.h>
#include <sched.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "loop.hpp"
#include "shell/file_descriptor.hpp"
#include "shell/local_addresses.hpp"

namespace wormhole {
namespace {

/// Each test in a network namespace of its own with two ends of a cable, up and without addresses.
class NetworkWatchTest : public testing::Test {
 protected:
  void SetUp() override {
    home.reset(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
    if (std::system("ip -V >/dev/null 2>&1") != 0) GTEST_SKIP() << "needs iproute2";
    if (::unshare(CLONE_NEWNET) != 0)
      GTEST_SKIP() << "needs the right to make a network namespace (root)";
    away = true;
    ip({"link add v0 type veth peer name v1", "link set lo up", "link set v0 up",
        "link set v1 up"});
  }
  void TearDown() override {
    if (!away) return;
    EXPECT_EQ(::setns(home.get(), CLONE_NEWNET), 0);
  }

  /// One process for them all.
  static void ip(const std::vector<std::string>& commands) {
    FILE* pipe = ::popen("ip -batch -", "w");
    ASSERT_NE(pipe, nullptr);
    for (const auto& command : commands) std::fprintf(pipe, "%s\n", command.c_str());
    ASSERT_EQ(::pclose(pipe), 0);
  }
  bool has(const char* address) const {
    const auto& all = watch.attachment().addresses;
    return std::count(all.begin(), all.end(), IpAddress::parse(address)) == 1;
  }
  /// What was done before this has been looked at by then: a change of our own comes after it.
  void expect_nothing_but_this_is_told(const std::vector<std::string>& commands) {
    const auto before = told;
    const auto attachment = watch.attachment();
    ip({"addr add 198.51.100.77/32 dev v0"});
    ASSERT_TRUE(loop.run_until([&] { return has("198.51.100.77"); }));
    ASSERT_EQ(told, before + 1);
    ip(commands);
    ip({"addr del 198.51.100.77/32 dev v0"});
    ASSERT_TRUE(loop.run_until([&] { return !has("198.51.100.77"); }));
    EXPECT_EQ(told, before + 2);
    EXPECT_TRUE(watch.attachment() == attachment);
  }

  Loop loop;
  int told = 0;
  NetworkWatch watch{loop.io, [this] { ++told; }};
  FileDescriptor home;
  bool away = false;
};

TEST_F(NetworkWatchTest, TellsOfAnAddressThatComesAndGoes) {
  ASSERT_TRUE(watch.start());
  EXPECT_TRUE(watch.attachment().addresses.empty());
  ip({"addr add 192.168.7.2/24 dev v0"});
  ASSERT_TRUE(loop.run_until([&] { return told == 1; }));
  EXPECT_TRUE(has("192.168.7.2"));
  ip({"addr del 192.168.7.2/24 dev v0"});
  ASSERT_TRUE(loop.run_until([&] { return told == 2; }));
  EXPECT_TRUE(watch.attachment().addresses.empty());
}

TEST_F(NetworkWatchTest, StartsWithWhatIsThere) {
  ip({"addr add 192.168.7.2/24 dev v0", "route add default via 192.168.7.1"});
  ASSERT_TRUE(watch.start());
  EXPECT_TRUE(has("192.168.7.2"));
  ASSERT_TRUE(watch.attachment().v4);
  EXPECT_EQ(watch.attachment().v4->gateway, IpAddress::v4(192, 168, 7, 1));
  EXPECT_EQ(watch.attachment().v4->source, IpAddress::v4(192, 168, 7, 2));
  EXPECT_FALSE(watch.attachment().v6);
}

TEST_F(NetworkWatchTest, TellsOfADefaultRouteThatMoves) {
  ip({"addr add 192.168.7.2/24 dev v0", "addr add 192.168.8.2/24 dev v1",
      "route add default via 192.168.7.1 metric 100"});
  ASSERT_TRUE(watch.start());
  const auto device = watch.attachment().v4->device;
  ip({"route add default via 192.168.8.1 metric 50"});
  ASSERT_TRUE(loop.run_until([&] { return told == 1; }));
  EXPECT_EQ(watch.attachment().v4->gateway, IpAddress::v4(192, 168, 8, 1));
  EXPECT_NE(watch.attachment().v4->device, device);
  ip({"route del default metric 50", "route del default metric 100"});
  ASSERT_TRUE(loop.run_until([&] { return !watch.attachment().v4; }));
}

TEST_F(NetworkWatchTest, KnowsTheWayOutByIpv6) {
  ASSERT_TRUE(watch.start());
  ip({"addr add 2001:db8:7::2/64 dev v0 nodad", "route add default via 2001:db8:7::1"});
  ASSERT_TRUE(loop.run_until([&] { return watch.attachment().v6.has_value(); }));
  EXPECT_EQ(watch.attachment().v6->gateway, IpAddress::parse("2001:db8:7::1"));
  EXPECT_EQ(watch.attachment().v6->source, IpAddress::parse("2001:db8:7::2"));
  EXPECT_TRUE(has("2001:db8:7::2"));
}

TEST_F(NetworkWatchTest, TakesAnAddressWithoutCarrierForGone) {
  ip({"addr add 192.168.7.2/24 dev v0"});
  ASSERT_TRUE(watch.start());
  ip({"link set v1 down"});
  ASSERT_TRUE(loop.run_until([&] { return told == 1; }));
  EXPECT_TRUE(watch.attachment().addresses.empty());
  ip({"link set v1 up"});
  ASSERT_TRUE(loop.run_until([&] { return has("192.168.7.2"); }));
}

TEST_F(NetworkWatchTest, TellsNothingOfWhatDoesNotMatter) {
  ip({"addr add 192.168.7.2/24 dev v0", "route add default via 192.168.7.1"});
  ASSERT_TRUE(watch.start());
  expect_nothing_but_this_is_told({"neigh add 192.168.7.9 lladdr 02:00:00:00:00:09 dev v0"});
  expect_nothing_but_this_is_told({"addr add 169.254.3.4/16 dev v0"});
  expect_nothing_but_this_is_told({"addr add fe80::77/64 dev v0 nodad"});
  expect_nothing_but_this_is_told({"route add 10.9.0.0/16 via 192.168.7.1"});
  expect_nothing_but_this_is_told({"route add default via 192.168.7.254 metric 900"});
  expect_nothing_but_this_is_told({"link add spare type veth peer name spare1"});
}

TEST_F(NetworkWatchTest, TellsAFewTimesOfManyChangesAndKnowsTheLast) {
  ip({"addr add 192.168.7.2/24 dev v0", "route add default via 192.168.7.1"});
  ASSERT_TRUE(watch.start());
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 50; ++i) {
    ip({"addr add 10.1.0." + std::to_string(i + 1) + "/32 dev v1"});
    loop.turn();
  }
  ASSERT_TRUE(loop.run_until([&] { return has("10.1.0.50"); }));
  EXPECT_EQ(watch.attachment().addresses.size(), 51U);
  EXPECT_EQ(watch.attachment().addresses, local_addresses());
  const auto pauses = (std::chrono::steady_clock::now() - start) / NetworkWatch::kPause;
  EXPECT_LE(told, pauses + 2);
}

TEST_F(NetworkWatchTest, LooksWhenTheKernelHasDroppedEvents) {
  ASSERT_TRUE(watch.start());
  // More than the socket's buffer holds, all before it is read once; each is undone but the last.
  std::vector<std::string> commands;
  for (int i = 0; i < 1000; ++i) {
    commands.emplace_back("addr add 10.1.0.1/32 dev v1");
    commands.emplace_back("addr del 10.1.0.1/32 dev v1");
  }
  commands.emplace_back("addr add 10.1.0.2/32 dev v1");
  ip(commands);
  ASSERT_TRUE(loop.run_until([&] { return has("10.1.0.2"); }));
  EXPECT_EQ(told, 1);
}

TEST_F(NetworkWatchTest, ClosedItTellsNothing) {
  ASSERT_TRUE(watch.start());
  ip({"addr add 192.168.7.2/24 dev v0"});
  watch.close();
  loop.io.restart();
  loop.io.run();  // nothing is left to wait for
  EXPECT_EQ(told, 0);
}

TEST_F(NetworkWatchTest, MayBeClosedFromInsideTheCallback) {
  NetworkWatch* own = nullptr;
  NetworkWatch closing(loop.io, [&] {
    ++told;
    own->close();
  });
  own = &closing;
  ASSERT_TRUE(closing.start());
  ip({"addr add 192.168.7.2/24 dev v0"});
  ASSERT_TRUE(loop.run_until([&] { return told == 1; }));
  ip({"addr add 192.168.7.3/24 dev v0"});
  loop.io.restart();
  loop.io.run();
  EXPECT_EQ(told, 1);
}

}  // namespace
}  // namespace wormhole
