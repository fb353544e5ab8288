// Whose key a client accepts: what the network's signing key vouches for, and what its operator
// trusts. The server's word alone is nothing.
#include <gtest/gtest.h>

#include "unit/client/trio.hpp"

namespace wormhole {
namespace {

using testing::Trio;

/// gcs4's genuine key, but nobody has signed it.
KeyBinding unsigned_gcs(const Trio& trio) {
  return {"gcs4", trio.keys[1].public_key, std::nullopt};
}

std::vector<PeerPin> pins_of_gcs(const Trio& trio) {
  std::vector<PeerPin> pins;
  for (const auto& command : trio.commands[0]) {
    if (const auto* pin = std::get_if<SavePin>(&command)) pins.push_back(pin->pin);
  }
  return pins;
}

/// Both send on mavlink; true when both arrived, false when neither did.
bool exchange(Trio& trio) {
  trio.delivered.clear();
  trio.app_send(0, Trio::kMavlink, "heartbeat");
  trio.app_send(1, Trio::kMavlink, "command");
  trio.run(2s);
  bool at[2] = {};
  for (const auto& item : trio.delivered) at[item.who] = true;
  EXPECT_EQ(at[0], at[1]);
  return at[0] && at[1];
}

PeerStatus gcs_seen_by_drone(const Trio& trio) {
  const auto status = trio.clients[0]->status(trio.now);
  EXPECT_EQ(status.peers.size(), 1U);
  return status.peers.at(0);
}

TEST(ClientTrust, ASignedKeyIsAcceptedAndPinned) {
  Trio trio;
  trio.run(2s);
  EXPECT_TRUE(exchange(trio));
  EXPECT_EQ(pins_of_gcs(trio), std::vector<PeerPin>({{trio.keys[1].public_key, 1}}));
}

TEST(ClientTrust, AKeyThatNobodySignedIsRefusedWithTheWayOut) {
  Trio trio;
  trio.announce_gcs(unsigned_gcs(trio));
  trio.run(2s);
  EXPECT_FALSE(exchange(trio));
  EXPECT_TRUE(pins_of_gcs(trio).empty());
  const auto gcs = gcs_seen_by_drone(trio);
  EXPECT_EQ(gcs.id, "gcs4");
  EXPECT_FALSE(gcs.online);
  const auto key = to_text(trio.keys[1].public_key);
  EXPECT_EQ(gcs.reason, "its key is not signed; if its owner confirms " + key +
                            ", stop this client and run: wormhole trust gcs4 " + key +
                            " --id drone3");
}

TEST(ClientTrust, AKeyThatNobodySignedIsAcceptedWhenThatVeryKeyIsTrusted) {
  Trio trio;
  trio.start_client(0, {{"gcs4", {trio.keys[1].public_key, 0}}});
  trio.announce_gcs(unsigned_gcs(trio));
  trio.run(2s);
  EXPECT_TRUE(exchange(trio));
  EXPECT_TRUE(pins_of_gcs(trio).empty());  // nothing has changed
}

TEST(ClientTrust, AnotherTrustedKeyOrAnotherPeersIsNoReason) {
  Trio trio;
  trio.start_client(
      0, {{"gcs4", {trio.keys[0].public_key, 0}}, {"gcs5", {trio.keys[1].public_key, 0}}});
  trio.announce_gcs(unsigned_gcs(trio));
  trio.run(2s);
  EXPECT_FALSE(exchange(trio));
}

TEST(ClientTrust, ASignatureReplacesATrustedKeyAndIsNotTakenBack) {
  Trio trio;
  trio.start_client(0, {{"gcs4", {trio.keys[0].public_key, 0}}});
  trio.run(2s);
  EXPECT_TRUE(exchange(trio));
  EXPECT_EQ(pins_of_gcs(trio), std::vector<PeerPin>({{trio.keys[1].public_key, 1}}));
  trio.announce_gcs({"gcs4", trio.keys[0].public_key, std::nullopt});
  trio.run(2s);
  EXPECT_FALSE(gcs_seen_by_drone(trio).online);
}

TEST(ClientTrust, PinsHaveAnEnd) {
  std::map<std::string, PeerPin> full;
  for (int i = 0; i < 65'535; ++i) full["old" + std::to_string(i)] = {{}, 1};
  Trio trio;
  trio.start_client(0, full);
  trio.run(2s);
  EXPECT_FALSE(exchange(trio));
  EXPECT_TRUE(pins_of_gcs(trio).empty());
  EXPECT_EQ(gcs_seen_by_drone(trio).reason,
            "its key can't be remembered, for there are 65535 peers in pins.json; stop this client "
            "and move that file away");
  const auto status = trio.clients[0]->status(trio.now);
  const auto counted =
      std::find_if(status.drops.begin(), status.drops.end(),
                   [](const DropCount& drop) { return drop.cause == "unreadable_announcement"; });
  ASSERT_NE(counted, status.drops.end());

  full.erase("old7");
  full["gcs4"] = {trio.keys[1].public_key, 0};  // who is known may be renewed
  trio.start_client(0, full);
  trio.run(3s);
  EXPECT_TRUE(exchange(trio));
  EXPECT_EQ(pins_of_gcs(trio), std::vector<PeerPin>({{trio.keys[1].public_key, 1}}));
}

}  // namespace
}  // namespace wormhole
