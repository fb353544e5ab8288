#include <gtest/gtest.h>

#include "unit/server/hop_line.hpp"

namespace wormhole {
namespace {

using testing::HopLine;

Flow between(const std::string& name, Members first, Members second) {
  Flow flow;
  flow.name = name;
  flow.port = 14550;
  flow.routes.push_back({Route::Kind::kBetween, std::move(first), std::move(second), {}});
  return flow;
}

TEST(ServerHop, AReplacedProcessDoesNotComeBackByAHandshakeBegunBefore) {
  HopLine line({"drone3", "gcs4"}, {between("mavlink", {"drone3"}, {"gcs4"})});
  const auto older = line.link("drone3", 1, "203.0.113.8:1001");
  line.talk(*older);
  line.now += kRekeyAfter;
  older->hop.on_timeout(line.now, older->out, older->events);
  line.deliver(older->at, older->take(), {older.get()});
  const auto confirmation = older->take();  // of the renewed session; it is late
  ASSERT_FALSE(confirmation.empty());
  const auto newer = line.link("drone3", 2, "203.0.113.8:1002");
  line.talk(*newer);
  line.deliver(older->at, confirmation, {older.get(), newer.get()});
  EXPECT_FALSE(newer->was_closed());
  EXPECT_EQ(line.server->status(line.now).clients[0].address, newer->at);
}

/// A frame of flow 1 to client `to`, as relay() wants it.
bool relays(HopLine& line, testing::Link& from, ClientNo to) {
  const auto before = line.counter("relayed");
  std::vector<std::uint8_t> memory(100);
  write_header({FrameType::kRelayed, kNoFlags, FlowNo{1}, make_index(to, 0), 1}, memory.data());
  EXPECT_TRUE(from.hop.relay(MutBytes(memory).first(60), from.out));
  line.deliver(from.at, from.take(), {});
  return line.counter("relayed") > before;
}

TEST(ServerHop, AnAddressThatAnotherClientHadIsFoundAgain) {
  HopLine line({"drone3", "gcs4"}, {between("mavlink", {"drone3"}, {"gcs4"})});
  const auto drone = line.link("drone3", 1, "203.0.113.8:1001");
  line.talk(*drone);
  line.now += kRekeyAfter;
  drone->hop.on_timeout(line.now, drone->out, drone->events);
  line.talk(*drone);  // the session before the renewal lingers at this address
  drone->at = *Endpoint::parse("203.0.113.9:2001");
  line.now += HopLink::kIdlePing;
  drone->hop.on_timeout(line.now, drone->out, drone->events);
  line.talk(*drone);
  // A NAT gives the address to the other client while the first moves once more.
  const auto gcs = line.link("gcs4", 2, "203.0.113.8:1001");
  line.talk(*gcs);
  EXPECT_TRUE(relays(line, *gcs, ClientNo{1}));
  drone->at = *Endpoint::parse("203.0.113.9:3001");
  line.now += HopLink::kIdlePing;
  drone->hop.on_timeout(line.now, drone->out, drone->events);
  line.talk(*drone);
  gcs->hop.on_timeout(line.now, gcs->out, gcs->events);
  line.talk(*gcs);
  EXPECT_TRUE(relays(line, *gcs, ClientNo{1}));
}

TEST(ServerHop, AClientWhoseRosterIsTooLargeIsCutOffCleanly) {
  // 15,000 peers with names of 63 characters are 4.1 MiB; told in flows of 4,000 members each.
  std::vector<std::string> ids{"hub"};
  std::vector<Flow> flows;
  for (int i = 0; i < 15000; ++i) {
    auto number = std::to_string(i);
    ids.push_back("xdrone" + std::string(57 - number.size(), '-') + number);
  }
  for (std::size_t first = 1; first < ids.size(); first += 4000) {
    const auto from = ids.begin() + static_cast<std::ptrdiff_t>(first);
    const auto count = static_cast<std::ptrdiff_t>(std::min<std::size_t>(4000, ids.size() - first));
    flows.push_back(between("flow" + std::to_string(first), {"hub"}, {from, from + count}));
  }
  HopLine line(ids, std::move(flows));
  const auto hub = line.link("hub", 1, "203.0.113.8:1001");
  line.deliver(hub->at, hub->take(), {hub.get()});
  line.deliver(hub->at, hub->take(), {hub.get()});
  EXPECT_EQ(line.counter("control_overflow"), 1U);
  for (const auto& row : line.server->status(line.now).clients) EXPECT_FALSE(row.online);
  // What was freed is not used: only an instrumented build can see that; this is what it runs.
  EXPECT_FALSE(relays(line, *hub, ClientNo{2}));
}

}  // namespace
}  // namespace wormhole
