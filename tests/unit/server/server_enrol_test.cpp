#include <gtest/gtest.h>

#include "unit/server/hop_line.hpp"

namespace wormhole {
namespace {

using testing::HopLine;
using testing::Link;

/// A machine that becomes drone3 by an invite.
struct Machine {
  explicit Machine(HopLine& of) : line(of) { line.keys["drone3"] = KeyPair::generate(line.rng); }

  /// Connects in order to enrol and asks; the server's command is the line's newest.
  std::unique_ptr<Link> ask(std::uint64_t boot_id) {
    auto link = line.link("drone3", boot_id, "203.0.113.8:1001", invite_hash(code.public_key));
    line.talk(*link);
    const auto statement =
        make_statement(line.signing, line.identity.network, "drone3", code.public_key, 1, 0);
    const auto binding =
        make_binding(code.seed, line.identity.network, statement, line.keys["drone3"].public_key);
    link->hop.send_message(EnrolRequest{binding}, line.now, link->out);
    line.talk(*link);
    return link;
  }
  std::uint64_t ticket() const { return std::get<StoreEnrolment>(line.commands.back()).ticket; }

  HopLine& line;
  SigningKey code = SigningKey::generate(line.rng);
};

TEST(ServerEnrol, AKeyThatWasStoredIsGoodThoughItsOwnerGaveUpMeanwhile) {
  HopLine line({"drone3"}, {});
  Machine machine(line);
  const auto enrolling = machine.ask(1);
  ASSERT_EQ(line.commands.size(), 1U);
  line.now += 60s;  // a slow disk
  line.server->on_timeout(line.now, line.server_out);
  line.server->on_enrolled(machine.ticket(), EnrolResult::kDone, line.now, line.server_out);
  line.server_out.clear();
  const auto enrolled = line.link("drone3", 2, "203.0.113.8:1002");
  line.talk(*enrolled);
  EXPECT_TRUE(enrolled->hop.is_connected());
}

}  // namespace
}  // namespace wormhole
