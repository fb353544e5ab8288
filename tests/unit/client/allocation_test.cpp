// The data path allocates nothing: counted over the sender, the relay and the receiver.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>

#include "unit/client/trio.hpp"
#include "wormhole/congestion/send_history.hpp"

namespace {
std::size_t allocations = 0;
}  // namespace

// Not inlined: g++ would otherwise see malloc and operator delete meet, and warn.
[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  std::abort();
}
// std::stable_sort takes its buffer by this form, and gives it back by operator delete.
[[gnu::noinline]] void* operator new(std::size_t size, const std::nothrow_t&) noexcept {
  ++allocations;
  return std::malloc(size);
}
[[gnu::noinline]] void operator delete(void* memory) noexcept { std::free(memory); }
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }

namespace wormhole {
namespace {

using testing::Trio;

/// Takes the only send out of a tray, by copy into memory that is there already.
std::size_t take(Outbox& out, MutBytes into) {
  EXPECT_EQ(out.net_sends().size(), 1U);
  const auto bytes = out.net_sends().at(0).bytes;
  copy_bytes(bytes, into);
  return bytes.size();
}

/// As many packets as the senders' memory of them holds: until then it grows.
constexpr std::size_t kWarmUp = SendHistory::kMost;
constexpr std::size_t kMeasured = 1000;

/// A thousand packets of a flow, from application to application.
void expect_none(Trio& trio, bool by_ports) {
  trio.run(2s);
  trio.app_send(0, Trio::kVideo, "warm up: keys of the flow are made");
  trio.run(1500ms);
  ASSERT_EQ(trio.delivered.size(), 1U);
  const auto port = trio.clients[0]->status(trio.now).flows.at(1).relay_port;
  EXPECT_EQ(port != 0, by_ports);
  const auto at_server =
      trio.server_socket({testing::kServerAt.address, by_ports ? port : testing::kServerAt.port});
  std::vector<std::uint8_t> memory(kHeadroom + 1200 + kTailroom);
  std::vector<std::uint8_t> wire(2000);
  std::vector<std::uint8_t> relayed(2000);
  std::size_t arrived = 0;
  auto before = allocations;
  for (std::size_t i = 0; i < kWarmUp + kMeasured; ++i) {
    if (i == kWarmUp) before = allocations;
    trio.now += 2us;  // as the flow's own limit asks
    const AppDatagram app{testing::kAppAt, MutBytes(memory).subspan(kHeadroom, 1200)};
    trio.clients[0]->on_app_datagrams({Trio::kVideo, ClientNo{}}, {&app, 1}, trio.now,
                                      trio.client_out[0]);
    const auto up = take(trio.client_out[0], wire);
    trio.client_out[0].clear();
    const NetDatagram to_server{testing::kClientAt[0], MutBytes(wire).first(up)};
    trio.server->on_net_datagrams(*at_server, {&to_server, 1}, trio.now, trio.server_out);
    EXPECT_EQ(trio.server_out.net_sends().at(0).socket.value != 0, by_ports);
    const auto down = take(trio.server_out, relayed);
    trio.server_out.clear();
    const NetDatagram to_client{testing::kServerAt, MutBytes(relayed).first(down)};
    trio.clients[1]->on_net_datagrams(SocketNo{0}, {&to_client, 1}, trio.now, trio.client_out[1]);
    arrived += trio.client_out[1].app_sends().size();
    trio.client_out[1].clear();
    ASSERT_EQ(up, 1200U + 32U);  // the overheads that docs/protocol.md states
    ASSERT_EQ(down, 1200U + 28U);
  }
  EXPECT_EQ(allocations, before);
  EXPECT_EQ(arrived, kWarmUp + kMeasured);
}

TEST(Allocation, APacketCostsNoneFromApplicationToApplication) {
  Trio trio;
  trio.only_shared_port = true;
  expect_none(trio, false);
}

TEST(Allocation, NorWhereItGoesThroughTheQueueOfTheUplink) {
  Trio trio;
  trio.only_shared_port = true;
  trio.run(2s);
  auto limited = trio.network;
  limited.flows[1].rate_kbps = 10'000'000;
  trio.reload(limited);
  expect_none(trio, false);
}

/// Delayed, doubled and altered on purpose, on the sender's side.
TEST(Allocation, NorWhereItIsImpaired) {
  Trio trio;
  trio.only_shared_port = true;
  trio.run(2s);
  ImpairProfile profile;
  profile.delay_us = 100;
  profile.jitter_us = 50;
  profile.duplicate.share = kWhole / 10;
  profile.corrupt.share = kWhole / 10;
  auto impaired = trio.network;
  impaired.flows[1].impair.forward = std::make_shared<const ImpairProfile>(profile);
  trio.reload(impaired);
  trio.run(2s);
  std::vector<std::uint8_t> memory(kHeadroom + 1200 + kTailroom);
  auto& client = *trio.clients[0];
  auto& out = trio.client_out[0];
  std::size_t left = 0;
  auto before = allocations;
  for (std::size_t i = 0; i < kWarmUp + kMeasured; ++i) {
    if (i == kWarmUp) {
      before = allocations;
      left = 0;
    }
    trio.now += 2us;
    if (client.next_deadline() <= trio.now) client.on_timeout(trio.now, out);
    const AppDatagram app{testing::kAppAt, MutBytes(memory).subspan(kHeadroom, 1200)};
    client.on_app_datagrams({Trio::kVideo, ClientNo{}}, {&app, 1}, trio.now, out);
    left += out.net_sends().size();
    out.clear();
  }
  EXPECT_EQ(allocations, before);
  EXPECT_NEAR(static_cast<double>(left), 1.1 * kMeasured, 0.1 * kMeasured);
  const auto status = client.status(trio.now).flows.at(1).impair;
  ASSERT_TRUE(status);
  EXPECT_EQ(status->offered, kWarmUp + kMeasured);
  EXPECT_GT(status->duplicated, 0U);
  EXPECT_GT(status->corrupted, 0U);
}

TEST(Allocation, NorByRelayPorts) {
  Trio trio;
  expect_none(trio, true);
}

/// One upload for three receivers, a thousand times.
TEST(Allocation, NorByOneUploadForSeveral) {
  Trio trio(false, 3);
  trio.only_shared_port = true;
  trio.warm_up_group();
  std::vector<std::uint8_t> memory(kHeadroom + 1200 + kTailroom);
  std::vector<std::uint8_t> wire(2000);
  std::vector<std::uint8_t> relayed(2000);
  std::size_t arrived = 0;
  auto before = allocations;
  for (std::size_t i = 0; i < kWarmUp + kMeasured; ++i) {
    if (i == kWarmUp) before = allocations;
    const AppDatagram app{testing::kAppAt, MutBytes(memory).subspan(kHeadroom, 1200)};
    trio.clients[0]->on_app_datagrams({Trio::kVideo, ClientNo{}}, {&app, 1}, trio.now,
                                      trio.client_out[0]);
    const auto up = take(trio.client_out[0], wire);
    trio.client_out[0].clear();
    const NetDatagram to_server{testing::kClientAt[0], MutBytes(wire).first(up)};
    trio.server->on_net_datagrams(SocketNo{0}, {&to_server, 1}, trio.now, trio.server_out);
    for (const auto& send : trio.server_out.net_sends()) {
      copy_bytes(send.bytes, relayed);
      copy_bytes(send.tail, MutBytes(relayed).subspan(send.bytes.size()));
      const NetDatagram to_client{testing::kServerAt, MutBytes(relayed).first(send.size())};
      const auto who = static_cast<std::size_t>(
          std::find(testing::kClientAt, testing::kClientAt + trio.count, send.to) -
          testing::kClientAt);
      ASSERT_LT(who, trio.count);
      trio.clients[who]->on_net_datagrams(SocketNo{0}, {&to_client, 1}, trio.now,
                                          trio.client_out[who]);
      arrived += trio.client_out[who].app_sends().size();
      trio.client_out[who].clear();
    }
    trio.server_out.clear();
    ASSERT_EQ(up, 1200U + 32U + 3 * 8U);
  }
  EXPECT_EQ(allocations, before);
  EXPECT_EQ(arrived, 3 * (kWarmUp + kMeasured));
}

}  // namespace
}  // namespace wormhole
