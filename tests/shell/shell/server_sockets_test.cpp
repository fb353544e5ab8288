#include "shell/server_sockets.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <vector>

#include "loop.hpp"

namespace wormhole {
namespace {

const auto kHere = IpAddress::v4(127, 0, 0, 1);

FileDescriptor bound(std::uint16_t port) {
  FileDescriptor fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const SocketAddress address(Endpoint{kHere, port});
  EXPECT_EQ(::bind(fd.get(), address.data(), address.size()), 0) << port;
  return fd;
}

/// One that nobody has; the kernel gives its choice of them in turn, so it stays free for a while.
std::uint16_t free_port() { return local_endpoint(bound(0).get()).port; }

class ServerSocketsTest : public testing::Test {
 protected:
  ServerSocketsTest() {
    settings.addresses = {{kHere, kHere}};
    settings.port = free_port();
  }

  ServerSettings settings;
  Loop loop;
  std::vector<SocketNo> got;
  ServerSockets sockets{loop.io, [this](SocketNo socket, std::span<const NetDatagram> batch) {
                          got.insert(got.end(), batch.size(), socket);
                        }};
};

TEST_F(ServerSocketsTest, ARelayPortReceivesUnderItsNumberUntilItIsClosed) {
  ASSERT_TRUE(sockets.open(settings));
  const auto port = free_port();
  ASSERT_EQ(sockets.open({SocketNo{5}, 0, port}).what, RelayPortAnswer::kOpen);
  const auto sender = bound(0);
  const SocketAddress to(Endpoint{kHere, port});
  ASSERT_EQ(::sendto(sender.get(), "x", 1, 0, to.data(), to.size()), 1);
  ASSERT_TRUE(loop.run_until([&] { return !got.empty(); }));
  EXPECT_EQ(got, std::vector{SocketNo{5}});
  EXPECT_EQ(local_endpoint(sockets.sender(SocketNo{5}).fd).port, port);
  sockets.close(CloseRelayPort{SocketNo{5}});
  EXPECT_TRUE(bound(port).is_open());  // given back to the system
}

TEST_F(ServerSocketsTest, APortOfAnotherProgramIsTaken) {
  ASSERT_TRUE(sockets.open(settings));
  const auto other = bound(0);
  const auto port = local_endpoint(other.get()).port;
  const auto answer = sockets.open({SocketNo{1}, 0, port});
  EXPECT_EQ(answer.what, RelayPortAnswer::kTaken);
  EXPECT_NE(answer.error.find(std::to_string(port)), std::string::npos) << answer.error;
}

TEST_F(ServerSocketsTest, TheSoftLimitOfDescriptorsIsRaisedToTheHardOne) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  rlimit low = before;
  low.rlim_cur = 70;
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
  ASSERT_TRUE(sockets.open(settings));
  rlimit raised{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &raised), 0);
  EXPECT_EQ(raised.rlim_cur, before.rlim_max);
  EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
}

TEST_F(ServerSocketsTest, AnAddressThatIsNotHereIsNamed) {
  settings.addresses = {{kHere, IpAddress::v4(203, 0, 113, 1)}};
  const auto opened = sockets.open(settings);
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().message.find("203.0.113.1"), std::string::npos);
}

}  // namespace
}  // namespace wormhole
