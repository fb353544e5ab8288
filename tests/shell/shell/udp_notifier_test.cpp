#include "wormhole/shell/udp_notifier.hpp"

#include <gtest/gtest.h>

#include <boost/asio.hpp>

namespace wormhole {
namespace {

using boost::asio::ip::udp;

TEST(UdpNotifier, SendsEachLineToEach) {
  boost::asio::io_context io;
  const auto loopback = boost::asio::ip::address_v4::loopback();
  udp::socket first(io, udp::endpoint(loopback, 0));
  udp::socket second(io, udp::endpoint(loopback, 0));
  const auto at = [](const udp::socket& socket) {
    return Endpoint{IpAddress::v4(127, 0, 0, 1), socket.local_endpoint().port()};
  };
  UdpNotifier notifier(io, {at(first), at(second)});
  notifier.send("{\"state\":\"limit\"}\n");
  for (auto* socket : {&first, &second}) {
    std::string text(100, ' ');
    text.resize(socket->receive(boost::asio::buffer(text)));
    EXPECT_EQ(text, "{\"state\":\"limit\"}\n");
  }
  for (const auto& target : notifier.targets()) {
    EXPECT_EQ(target.sent, 1U);
    EXPECT_EQ(target.failed, 0U);
  }
}

TEST(UdpNotifier, CountsWhatTheSystemDoesNotTake) {
  boost::asio::io_context io;
  UdpNotifier notifier(io, {{IpAddress::v4(255, 255, 255, 255), 9}});  // no broadcasts
  notifier.send("x");
  EXPECT_EQ(notifier.targets()[0].failed, 1U);
  EXPECT_EQ(notifier.targets()[0].sent, 0U);
}

}  // namespace
}  // namespace wormhole
