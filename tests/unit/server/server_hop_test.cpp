#include <gtest/gtest.h>

#include "unit/server/hop_line.hpp"

namespace wormhole {
namespace {

using testing::HopLine;

Flow between(const std::string& name, Members first, Members second) {
  Flow flow;
  flow.name = name;
  flow.port = 14550;
  flow.routes = {{Route::Kind::kBetween, std::move(first), std::move(second)}};
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

}  // namespace
}  // namespace wormhole
