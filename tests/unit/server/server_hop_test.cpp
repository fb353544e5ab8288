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

}  // namespace
}  // namespace wormhole
