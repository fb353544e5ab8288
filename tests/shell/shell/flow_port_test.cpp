#include "shell/flow_port.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cerrno>

#include "loop.hpp"
#include "shell/port_owner.hpp"
#include "shell/udp_socket.hpp"

namespace wormhole {
namespace {

std::string own_pid() { return "pid " + std::to_string(::getpid()); }

/// An application's socket, with or without address reuse.
FileDescriptor application(const Endpoint& at, bool reuse = false) {
  FileDescriptor fd(::socket(family_of(at.address), SOCK_DGRAM | SOCK_CLOEXEC, 0));
  const int value = reuse ? 1 : 0;
  EXPECT_EQ(::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &value, sizeof value), 0);
  const SocketAddress address(at);
  EXPECT_EQ(::bind(fd.get(), address.data(), address.size()), 0) << at.to_string();
  return fd;
}

void send(const FileDescriptor& from, const Endpoint& to, std::string_view text) {
  const SocketAddress address(to);
  ASSERT_EQ(::sendto(from.get(), text.data(), text.size(), 0, address.data(), address.size()),
            static_cast<ssize_t>(text.size()));
}

class FlowSocketTest : public testing::Test {
 protected:
  struct Got {
    Endpoint from;
    std::string text;
  };

  boost::system::result<FlowSocket, FlowSocket::OpenError> open(const Endpoint& at) {
    return FlowSocket::open(
        loop.io, at, receiver,
        [this](std::span<const AppDatagram> batch) {
          for (const auto& d : batch) got.push_back({d.from, std::string(as_text(Bytes(d.bytes)))});
        },
        [this](const Endpoint& application) { refused.push_back(application); });
  }
  /// A free port at `address`, found by letting the system choose.
  static Endpoint free_port(const IpAddress& address) {
    return local_endpoint(application({address, 0}).get());
  }

  Loop loop;
  AppReceiver receiver;
  std::vector<Got> got;
  std::vector<Endpoint> refused;
};

TEST_F(FlowSocketTest, ReceivesWholeDatagramsUpToTheLargest) {
  const auto at = free_port(IpAddress::v4(127, 1, 0, 1));
  const auto port = open(at);
  ASSERT_TRUE(port);
  const auto app = application({IpAddress::v4(127, 0, 0, 1), 0});
  const std::string largest(65'507, 'L');
  send(app, at, "small");
  send(app, at, "");
  send(app, at, largest);
  ASSERT_TRUE(loop.run_until([&] { return got.size() == 3; }));
  EXPECT_EQ(got[0].text, "small");
  EXPECT_EQ(got[0].from, local_endpoint(app.get()));
  EXPECT_EQ(got[1].text, "");
  EXPECT_EQ(got[2].text, largest);
}

TEST_F(FlowSocketTest, LeavesRoomAroundEachDatagram) {
  const auto at = free_port(IpAddress::v4(127, 1, 0, 1));
  std::vector<std::string> seen;
  const auto port = FlowSocket::open(
      loop.io, at, receiver,
      [&](std::span<const AppDatagram> batch) {
        // What a frame writes in front and behind must not reach the neighbours.
        for (const auto& d : batch) {
          std::fill_n(d.bytes.data() - kHeadroom, kHeadroom, std::uint8_t{0xaa});
          std::fill_n(d.bytes.data() + d.bytes.size(), kTailroom, std::uint8_t{0xbb});
        }
        for (const auto& d : batch) seen.emplace_back(as_text(Bytes(d.bytes)));
      },
      [](const Endpoint&) {});
  ASSERT_TRUE(port);
  const auto app = application({IpAddress::v4(127, 0, 0, 1), 0});
  std::vector<std::string> sent;
  for (int i = 0; i < 40; ++i) {
    sent.push_back(std::string(i % 2 == 0 ? 65'507 : 10, static_cast<char>('A' + i)));
    send(app, at, sent.back());
  }
  ASSERT_TRUE(loop.run_until([&] { return seen.size() == sent.size(); })) << seen.size();
  EXPECT_EQ(seen, sent);
}

TEST_F(FlowSocketTest, ReportsDestinationsThatRefuse) {
  for (const auto* text : {"127.1.0.1", "::1"}) {
    refused.clear();
    const auto address = *IpAddress::parse(text);
    auto port = open(free_port(address));
    ASSERT_TRUE(port) << text;
    const auto nobody = free_port(address);
    BatchSender sender;
    sender.add(port->sender(), nobody, as_bytes("anybody?"));
    sender.flush();
    ASSERT_TRUE(loop.run_until([&] { return !refused.empty(); })) << text;
    EXPECT_EQ(refused.front(), nobody);
  }
}

TEST_F(FlowSocketTest, AnEarlierRefusalStopsNoDatagram) {
  auto port = open(free_port(IpAddress::v4(127, 1, 0, 1)));
  ASSERT_TRUE(port);
  const auto nobody = free_port(IpAddress::v4(127, 0, 0, 1));
  const auto app = application({IpAddress::v4(127, 0, 0, 1), 0});
  BatchSender sender;
  for (int i = 0; i < 10; ++i) {
    sender.add(port->sender(), nobody, as_bytes("refused"));
    sender.flush();  // the answer waits on the socket for whoever comes next
    sender.add(port->sender(), local_endpoint(app.get()), as_bytes("wanted"));
    sender.flush();
  }
  char text[16];
  for (int i = 0; i < 10; ++i) {
    ASSERT_EQ(::recv(app.get(), text, sizeof text, MSG_DONTWAIT), 6) << i;
  }
}

TEST_F(FlowSocketTest, StartsBesideAnApplicationWithAddressReuse) {
  const auto at = free_port(IpAddress::v4(127, 1, 0, 1));
  const auto app = application({IpAddress::v4(0, 0, 0, 0), at.port}, true);
  EXPECT_TRUE(open(at));
}

TEST_F(FlowSocketTest, NamesTheApplicationThatHasThePort) {
  const auto at = free_port(IpAddress::v4(127, 1, 0, 1));
  const auto app = application({IpAddress::v4(0, 0, 0, 0), at.port});
  const auto port = open(at);
  ASSERT_FALSE(port);
  EXPECT_EQ(port.error().error, EADDRINUSE);
  EXPECT_FALSE(port.error().held_by_client);
  const auto text = explain(port.error(), "video");
  for (const auto& part :
       {std::string("video"), at.to_string(), own_pid(), "0.0.0.0:" + std::to_string(at.port)}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << " in: " << text;
  }
}

TEST_F(FlowSocketTest, RefusesASecondClientOnTheSameAddressAndNamesTheFirst) {
  const auto at = free_port(IpAddress::v4(127, 1, 0, 1));
  {
    const auto first = open(at);
    ASSERT_TRUE(first);
    const auto second = open(at);
    ASSERT_FALSE(second);
    EXPECT_TRUE(second.error().held_by_client);
    const auto text = explain(second.error(), "video");
    EXPECT_NE(text.find("another wormhole client"), std::string::npos) << text;
    EXPECT_NE(text.find(own_pid()), std::string::npos) << text;
    EXPECT_NE(text.find("--bind"), std::string::npos) << text;
    EXPECT_TRUE(open({IpAddress::v4(127, 1, 0, 2), at.port})) << "another address is free";
  }
  EXPECT_TRUE(open(at)) << "the lock goes with its owner";
}

TEST_F(FlowSocketTest, ADestroyedPortCallsBackNoMore) {
  const auto at = free_port(IpAddress::v4(127, 1, 0, 1));
  auto port = std::make_unique<FlowSocket>(std::move(*open(at)));
  const auto app = application({IpAddress::v4(127, 0, 0, 1), 0});
  send(app, at, "too late");
  loop.turn();  // the wait is armed
  got.clear();
  send(app, at, "too late");
  port.reset();
  loop.turn();
  EXPECT_TRUE(got.empty());
}

TEST(PortOwner, FindsSocketsOfBothFamiliesAndWildcards) {
  for (const auto* text : {"127.0.0.1", "::1", "0.0.0.0", "::"}) {
    const auto app = application({*IpAddress::parse(text), 0});
    const auto bound = local_endpoint(app.get());
    const auto owner = who_has_port(Protocol::kUdp, bound);
    ASSERT_TRUE(owner) << text;
    EXPECT_EQ(owner->bound, bound);
    EXPECT_EQ(owner->user, ::getuid());
    ASSERT_TRUE(owner->process) << text;
    EXPECT_EQ(owner->process->pid, ::getpid());
  }
}

TEST(PortOwner, PrefersTheSameAddressAndPassesOverOthers) {
  const auto any = application({IpAddress::v4(0, 0, 0, 0), 0}, true);
  const auto port = local_endpoint(any.get()).port;
  const auto exact = application({IpAddress::v4(127, 0, 0, 1), port}, true);
  EXPECT_EQ(who_has_port(Protocol::kUdp, {IpAddress::v4(127, 0, 0, 1), port})->bound.address,
            IpAddress::v4(127, 0, 0, 1));
  EXPECT_EQ(who_has_port(Protocol::kUdp, {IpAddress::v4(127, 0, 0, 2), port})->bound.address,
            IpAddress::v4(0, 0, 0, 0));
  const auto other = application({IpAddress::v4(127, 0, 0, 3), 0});
  EXPECT_FALSE(who_has_port(Protocol::kUdp,
                            {IpAddress::v4(127, 0, 0, 2), local_endpoint(other.get()).port}));
}

}  // namespace
}  // namespace wormhole
