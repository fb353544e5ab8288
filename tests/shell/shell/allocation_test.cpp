// Sockets allocate nothing per datagram: counted over both kinds of them.
#include <gtest/gtest.h>

#include <cstdlib>
#include <new>

#include "loop.hpp"
#include "shell/flow_port.hpp"
#include "shell/udp_socket.hpp"

namespace {
thread_local std::size_t allocations =
    0;  // of the loop's thread: a test before may have left another
}  // namespace

// Not inlined: g++ would otherwise see malloc and operator delete meet, and warn.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  std::abort();
}
// std::stable_sort asks for memory like this; AddressSanitizer has one of its own otherwise.
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(size);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace wormhole {
namespace {

constexpr std::size_t kPerRound = 24;
constexpr std::size_t kWarmUp = 50;
constexpr std::size_t kRounds = 500;

/// Throws batches to and fro between a network socket and a flow port, within one run of the loop
/// (Asio keeps handlers' memory for the next ones as long as it runs).
struct PingPong {
  Loop loop;
  NetReceiver net_receiver;
  AppReceiver app_receiver;
  BatchSender sender;
  std::vector<std::uint8_t> payload = std::vector<std::uint8_t>(1200);
  std::size_t returned = 0;
  std::size_t rounds = 0;
  std::size_t after_warm_up = 0;
  UdpSocket net = *UdpSocket::open(loop.io, {IpAddress::v4(127, 0, 0, 1), 0}, net_receiver,
                                   [this](auto batch) { on_net(batch.size()); });
  FlowSocket app = *FlowSocket::open(
      loop.io, {IpAddress::v4(127, 1, 0, 9), 20'404}, app_receiver,
      [this](std::span<const AppDatagram> batch) {
        for (const auto& datagram : batch) sender.add(app.sender(), datagram.from, datagram.bytes);
        sender.flush();
      },
      [](const Endpoint&) {});

  void serve() {
    returned = 0;
    for (std::size_t i = 0; i < kPerRound; ++i) {
      sender.add(net.sender(), local_endpoint(app.sender().fd), payload);
    }
    sender.flush();
  }
  void on_net(std::size_t count) {
    returned += count;
    if (returned < kPerRound) return;
    if (++rounds == kWarmUp) after_warm_up = allocations;
    if (rounds == kRounds) return loop.io.stop();
    serve();
  }
};

TEST(ShellAllocation, ADatagramCostsNoneFromSocketToSocketAndBack) {
  PingPong game;
  boost::asio::steady_timer limit(game.loop.io, std::chrono::seconds(30));
  limit.async_wait([&](const boost::system::error_code&) { game.loop.io.stop(); });
  game.serve();
  game.loop.io.run();
  ASSERT_EQ(game.rounds, kRounds);
  EXPECT_EQ(allocations - game.after_warm_up, 0U);
}

}  // namespace
}  // namespace wormhole
