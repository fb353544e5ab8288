#include <gtest/gtest.h>
#include <unistd.h>

#include "unit/config/temporary_directory.hpp"
#include "wormhole/state/state_files.hpp"

namespace wormhole {
namespace {

using namespace test;

constexpr std::uint64_t kNow = 1'800'000'000;
constexpr std::uint64_t kHour = 3600;

Network network_of(const std::vector<std::string>& ids,
                   const std::vector<std::string>& flows = {}) {
  Network network;
  network.server.name = "relay.example.org";
  network.server.addresses = {{*IpAddress::parse("192.0.2.1"), *IpAddress::parse("10.0.0.5")}};
  for (const auto& id : ids) network.clients.push_back({id, std::nullopt});
  for (const auto& name : flows) {
    Flow flow;
    flow.name = name;
    network.flows.push_back(flow);
  }
  return network;
}

class ServerStateTest : public testing::Test {
 protected:
  ServerState open() {
    auto state = ServerState::open(dir_, rng_);
    if (!state) throw std::runtime_error(state.error().message);
    return std::move(*state);
  }
  std::string open_error() {
    const auto state = ServerState::open(dir_, rng_);
    return state ? "no error" : state.error().message;
  }
  InviteCode invite(ServerState& state, const std::string& id, std::uint64_t now = kNow) {
    auto code = state.invite(id, network_, now, kHour, rng_);
    if (!code) throw std::runtime_error(code.error().message);
    return *code;
  }
  /// What a client makes of a code.
  KeyBinding bind(const InviteCode& code) {
    return make_binding(code.invite_seed, code.network.network, code.statement,
                        KeyPair::generate(rng_).public_key);
  }
  /// The network with a key by hand for drone3.
  Network with_key(const PublicKey& key) const {
    auto network = network_;
    network.clients[0].key = key;
    return network;
  }
  /// What peers are told of drone3.
  std::optional<KeyBinding> binding_of(ServerState& state, const Network& network) {
    auto directory = state.directory_for(network, kNow, rng_);
    if (!directory) throw std::runtime_error(directory.error().message);
    return directory->clients.at("drone3").binding;
  }
  std::string file(const std::string& name) const { return dir_ + "/" + name; }

  TemporaryDirectory temporary_;
  std::string dir_ = temporary_.file("state");
  SeededRng rng_{1};
  Network network_ = network_of({"drone3", "gcs4"}, {"mavlink", "video"});
};

TEST_F(ServerStateTest, KeepsItsKeysOverRestarts) {
  PublicKey key;
  NetworkIdentity network;
  {
    const auto state = open();
    key = state.keys().public_key;
    network = state.network();
    EXPECT_EQ(network.server_key, key);
    EXPECT_FALSE(network.signing_key.is_zero());
  }
  const auto state = open();
  EXPECT_EQ(state.keys().public_key, key);
  EXPECT_EQ(state.network().network, network.network);
  EXPECT_EQ(state.network().knock, network.knock);
  EXPECT_EQ(state.network().signing_key, network.signing_key);
}

TEST_F(ServerStateTest, NobodyElseMayReadIt) {
  auto state = open();
  invite(state, "drone3");
  EXPECT_EQ(mode_of(dir_), 0700U);
  for (const auto* name : {"server.json", "signing.key", "clients.json", "lock"}) {
    EXPECT_EQ(mode_of(file(name)), 0600U) << name;
  }
}

TEST_F(ServerStateTest, OneProcessAtATime) {
  {
    const auto state = open();
    EXPECT_EQ(open_error(), file("lock") + " is held by process " + std::to_string(::getpid()) +
                                ": a server is running there already; `wormhole invite` goes "
                                "through it");
  }
  EXPECT_EQ(open_error(), "no error");
}

TEST_F(ServerStateTest, GivesNumbersOnceAndForEver) {
  {
    auto state = open();
    const auto first = state.directory_for(network_, kNow, rng_);
    ASSERT_TRUE(first);
    EXPECT_EQ(first->clients.at("drone3").number, ClientNo{1});
    EXPECT_EQ(first->clients.at("gcs4").number, ClientNo{2});
    EXPECT_EQ(first->flows.at("video"), FlowNo{2});
    const auto without = state.directory_for(network_of({"drone3", "new"}, {"other"}), kNow, rng_);
    EXPECT_EQ(without->clients.at("new").number, ClientNo{3});
    EXPECT_EQ(without->flows.at("other"), FlowNo{3});
    EXPECT_EQ(without->clients.count("gcs4"), 0U);
  }
  auto state = open();
  const auto again = state.directory_for(network_, kNow, rng_);
  EXPECT_EQ(again->clients.at("gcs4").number, ClientNo{2});
  EXPECT_EQ(again->flows.at("mavlink"), FlowNo{1});
}

TEST_F(ServerStateTest, RunsOutOfNumbersWithAWord) {
  {
    auto state = open();
    ASSERT_TRUE(state.directory_for(network_of({"a"}), kNow, rng_));
  }
  auto text = contents(file("clients.json"));
  const std::string number = "\"number\":1";
  text.replace(text.find(number), number.size(), "\"number\":65535");
  overwrite(file("clients.json"), text);
  auto state = open();
  EXPECT_EQ(state.directory_for(network_of({"a"}), kNow, rng_)->clients.at("a").number,
            ClientNo{65535});
  EXPECT_EQ(
      state.directory_for(network_of({"a", "b"}), kNow, rng_).error().message,
      "no number is left for client b: all 65535 have been given, also to some that are gone; "
      "begin a new network in another state_dir");
}

TEST_F(ServerStateTest, ACodeCarriesWhatAClientNeeds) {
  auto state = open();
  const auto code = invite(state, "drone3");
  EXPECT_EQ(code.server_name, "relay.example.org");
  ASSERT_EQ(code.addresses.size(), 1U);
  EXPECT_EQ(code.addresses[0].to_string(), "192.0.2.1:7700");
  EXPECT_EQ(code.network.server_key, state.keys().public_key);
  EXPECT_EQ(code.statement.id, "drone3");
  EXPECT_EQ(code.statement.expires_s, kNow + kHour);
  EXPECT_TRUE(decode_invite(encode_invite(code)));
}

TEST_F(ServerStateTest, ACodeWorksOnceInAHundredTries) {
  auto state = open();
  const auto code = invite(state, "drone3");
  int done = 0;
  int used = 0;
  for (int i = 0; i < 100; ++i) {
    const auto result = state.enrol(bind(code), kNow);
    done += result == EnrolResult::kDone ? 1 : 0;
    used += result == EnrolResult::kUsed ? 1 : 0;
  }
  EXPECT_EQ(done, 1);
  EXPECT_EQ(used, 99);
}

TEST_F(ServerStateTest, BindingAndBurntCodeSurviveARestart) {
  std::optional<InviteCode> code;
  PublicKey key;
  {
    auto state = open();
    code = invite(state, "drone3");
    const auto binding = bind(*code);
    key = binding.key;
    ASSERT_EQ(state.enrol(binding, kNow), EnrolResult::kDone);
  }
  auto state = open();
  const auto directory = state.directory_for(network_, kNow, rng_);
  const auto& binding = directory->clients.at("drone3").binding;
  ASSERT_TRUE(binding);
  EXPECT_EQ(binding->key, key);
  EXPECT_TRUE(verify_binding(*binding, state.network().signing_key, state.network().network));
  EXPECT_FALSE(directory->clients.at("gcs4").binding);
  EXPECT_EQ(state.enrol(bind(*code), kNow), EnrolResult::kUsed);
}

TEST_F(ServerStateTest, TellsCodesApart) {
  auto state = open();
  const auto replaced = invite(state, "drone3");
  const auto code = invite(state, "drone3");
  EXPECT_GT(code.statement.serial, replaced.statement.serial);
  EXPECT_EQ(state.enrol(bind(replaced), kNow), EnrolResult::kUnknown);
  EXPECT_EQ(state.enrol(bind(code), kNow + kHour + 1), EnrolResult::kExpired);
  EXPECT_EQ(state.enrol(bind(code), kNow + kHour), EnrolResult::kDone);
  EXPECT_EQ(state.enrol(bind(code), kNow), EnrolResult::kUsed);

  // Genuine by its signature, but this state never made it.
  const auto signing =
      SigningKey::from_seed(*parse_secret_key(contents(file("signing.key")).substr(0, 46)));
  auto foreign = code;
  const auto once = SigningKey::generate(rng_);
  foreign.invite_seed = once.seed;
  foreign.statement =
      make_statement(signing, code.network.network, "drone3", once.public_key, 99, kNow + kHour);
  EXPECT_EQ(state.enrol(bind(foreign), kNow), EnrolResult::kUnknown);

  auto forged = bind(invite(state, "drone3"));
  forged.key = KeyPair::generate(rng_).public_key;
  EXPECT_EQ(state.enrol(forged, kNow), EnrolResult::kNotGenuine);
  EXPECT_EQ(state.enrol({"drone3", forged.key, std::nullopt}, kNow), EnrolResult::kNotGenuine);
}

TEST_F(ServerStateTest, ANewCodeReplacesTheKey) {
  auto state = open();
  ASSERT_EQ(state.enrol(bind(invite(state, "drone3")), kNow), EnrolResult::kDone);
  const auto first = state.directory_for(network_, kNow, rng_)->clients.at("drone3").binding;
  ASSERT_EQ(state.enrol(bind(invite(state, "drone3")), kNow), EnrolResult::kDone);
  const auto second = state.directory_for(network_, kNow, rng_)->clients.at("drone3").binding;
  EXPECT_NE(first->key, second->key);
  EXPECT_GT(second->serial(), first->serial());
}

TEST_F(ServerStateTest, SerialsGrowThoughTheClockGoesBackOrTheStateIsOld) {
  auto state = open();
  const auto late = invite(state, "drone3", kNow);
  const auto early = invite(state, "drone3", 5);
  EXPECT_EQ(early.statement.serial, late.statement.serial + 1);
  EXPECT_EQ(invite(state, "gcs4", kNow + 50).statement.serial, kNow + 50);
}

TEST_F(ServerStateTest, RemovingAnIdNeitherRevivesItsCodeNorGivesItsNumberAway) {
  auto state = open();
  const auto code = invite(state, "gcs4");
  ASSERT_EQ(state.enrol(bind(code), kNow), EnrolResult::kDone);
  const auto number = state.directory_for(network_, kNow, rng_)->clients.at("gcs4").number;
  ASSERT_TRUE(state.directory_for(network_of({"drone3"}), kNow, rng_));
  EXPECT_EQ(state.enrol(bind(code), kNow), EnrolResult::kNotConfigured);
  EXPECT_EQ(state.directory_for(network_, kNow, rng_)->clients.at("gcs4").number, number);
  EXPECT_EQ(state.enrol(bind(code), kNow), EnrolResult::kUsed);
}

TEST_F(ServerStateTest, WhoUsedACodeMayAskAgain) {
  auto state = open();
  const auto code = invite(state, "drone3");
  const auto binding = bind(code);
  ASSERT_EQ(state.enrol(binding, kNow), EnrolResult::kDone);
  EXPECT_EQ(state.enrol(binding, kNow), EnrolResult::kDone);
  EXPECT_EQ(state.enrol(bind(code), kNow), EnrolResult::kUsed);
  EXPECT_EQ(state.directory_for(network_, kNow, rng_)->clients.at("drone3").binding->key,
            binding.key);
}

TEST_F(ServerStateTest, AKeyByHandWinsAndTakesNoInvite) {
  auto state = open();
  ASSERT_EQ(state.enrol(bind(invite(state, "drone3")), kNow), EnrolResult::kDone);
  const auto enrolled = *binding_of(state, network_);
  const auto by_hand = with_key(KeyPair::generate(rng_).public_key);
  const auto binding = binding_of(state, by_hand);
  EXPECT_EQ(binding->key, *by_hand.clients[0].key);
  EXPECT_GT(binding->serial(), enrolled.serial());
  EXPECT_EQ(state.invite("drone3", by_hand, kNow, kHour, rng_).error().message,
            "drone3 has a key by hand in routes.yaml; remove clients.drone3.key to let it enrol");
  // Out of the file means out of the network: peers would take the enrolled key for an old one.
  EXPECT_FALSE(binding_of(state, network_));
  ASSERT_EQ(state.enrol(bind(invite(state, "drone3")), kNow), EnrolResult::kDone);
  EXPECT_GT(binding_of(state, network_)->serial(), binding->serial());
}

TEST_F(ServerStateTest, SignsAKeyByHandOnce) {
  const auto by_hand = with_key(KeyPair::generate(rng_).public_key);
  std::optional<KeyBinding> first;
  {
    auto state = open();
    first = binding_of(state, by_hand);
    EXPECT_EQ(first->key, *by_hand.clients[0].key);
    EXPECT_TRUE(verify_binding(*first, state.network().signing_key, state.network().network));
    EXPECT_EQ(first->serial(), kNow);
  }
  std::filesystem::remove(file("signing.key"));  // stored, so not needed again
  auto state = open();
  const auto again = binding_of(state, by_hand);
  EXPECT_EQ(again->serial(), first->serial());
  EXPECT_TRUE(verify_binding(*again, state.network().signing_key, state.network().network));
}

TEST_F(ServerStateTest, AnotherKeyByHandGetsAHigherSerial) {
  auto state = open();
  const auto one = with_key(KeyPair::generate(rng_).public_key);
  const auto two = with_key(KeyPair::generate(rng_).public_key);
  std::uint64_t serial = 0;
  for (const auto& network : {one, two, one}) {
    const auto binding = binding_of(state, network);
    EXPECT_EQ(binding->key, *network.clients[0].key);
    EXPECT_TRUE(verify_binding(*binding, state.network().signing_key, state.network().network));
    EXPECT_GT(binding->serial(), serial);
    serial = binding->serial();
  }
}

TEST_F(ServerStateTest, AnEnrolledKeyThatIsWrittenDownStaysEnrolled) {
  auto state = open();
  ASSERT_EQ(state.enrol(bind(invite(state, "drone3")), kNow), EnrolResult::kDone);
  const auto enrolled = *binding_of(state, network_);
  EXPECT_EQ(binding_of(state, with_key(enrolled.key))->serial(), enrolled.serial());
  EXPECT_EQ(binding_of(state, network_)->serial(), enrolled.serial());
}

TEST_F(ServerStateTest, SigningAKeyByHandWithdrawsAnOpenCode) {
  auto state = open();
  const auto code = invite(state, "drone3");
  ASSERT_TRUE(binding_of(state, with_key(KeyPair::generate(rng_).public_key)));
  EXPECT_EQ(state.enrol(bind(code), kNow), EnrolResult::kUnknown);
}

TEST_F(ServerStateTest, AKeyByHandStaysUnsignedUntilTheSigningKeyIsBack) {
  auto state = open();
  const auto by_hand = with_key(KeyPair::generate(rng_).public_key);
  const auto signing = contents(file("signing.key"));
  std::filesystem::remove(file("signing.key"));
  const auto without = binding_of(state, by_hand);
  EXPECT_EQ(without->key, *by_hand.clients[0].key);
  EXPECT_FALSE(without->chain);
  overwrite(file("signing.key"), to_text(SigningKey::generate(rng_).seed) + "\n");
  EXPECT_EQ(state.directory_for(by_hand, kNow, rng_).error().message,
            file("signing.key") + " is the key of another network; copy this network's back, " +
                fingerprint(state.network().signing_key));
  overwrite(file("signing.key"), signing);
  EXPECT_TRUE(verify_binding(*binding_of(state, by_hand), state.network().signing_key,
                             state.network().network));
}

TEST_F(ServerStateTest, RefusesToInviteAStranger) {
  auto state = open();
  EXPECT_EQ(state.invite("droen3", network_, kNow, kHour, rng_).error().message,
            "no client \"droen3\" in routes.yaml (did you mean drone3?); add it under clients "
            "first");
}

TEST_F(ServerStateTest, WorksWithoutItsSigningKeyButMakesNoCodes) {
  auto state = open();
  const auto code = invite(state, "drone3");
  const auto key = contents(file("signing.key"));
  std::filesystem::remove(file("signing.key"));
  EXPECT_EQ(state.invite("gcs4", network_, kNow, kHour, rng_).error().message,
            file("signing.key") +
                " is not here, so no code can be made; copy it back from where it "
                "is kept and remove it again after");
  EXPECT_EQ(state.enrol(bind(code), kNow), EnrolResult::kDone);

  overwrite(file("signing.key"), to_text(SigningKey::generate(rng_).seed) + "\n");
  const auto other = state.invite("gcs4", network_, kNow, kHour, rng_).error().message;
  EXPECT_EQ(other, file("signing.key") +
                       " is the key of another network; copy this network's "
                       "back, " +
                       fingerprint(state.network().signing_key));
  overwrite(file("signing.key"), "nonsense\n");
  EXPECT_EQ(state.invite("gcs4", network_, kNow, kHour, rng_).error().message,
            file("signing.key") +
                " is damaged (it is not one line with a secret key) and was left "
                "as it is; restore it from a backup");
  overwrite(file("signing.key"), key);
  EXPECT_TRUE(state.invite("gcs4", network_, kNow, kHour, rng_));
}

TEST_F(ServerStateTest, AWriteThatFailsChangesNothing) {
  auto state = open();
  const auto code = invite(state, "drone3");
  const auto before = contents(file("clients.json"));
  // A directory where the temporary file has to go: fails for root too.
  std::filesystem::create_directory(file("clients.json.tmp"));
  EXPECT_EQ(state.enrol(bind(code), kNow), EnrolResult::kStoreFailed);
  EXPECT_EQ(state.invite("gcs4", network_, kNow, kHour, rng_).error().message,
            "can't write " + file("clients.json") +
                ": Is a directory; expected a directory that this user may write to, with space "
                "left");
  EXPECT_EQ(contents(file("clients.json")), before);
  std::filesystem::remove(file("clients.json.tmp"));
  EXPECT_EQ(state.enrol(bind(code), kNow), EnrolResult::kDone);
}

TEST_F(ServerStateTest, ATemporaryFileThatACrashLeftIsNoState) {
  {
    auto state = open();
    ASSERT_TRUE(state.directory_for(network_, kNow, rng_));
  }
  overwrite(file("clients.json.tmp"), "{\"version\":1,\"cli");
  auto state = open();
  EXPECT_EQ(state.directory_for(network_, kNow, rng_)->clients.at("gcs4").number, ClientNo{2});
  invite(state, "gcs4");
  EXPECT_FALSE(std::filesystem::exists(file("clients.json.tmp")));
}

TEST_F(ServerStateTest, ACrashWhileTheKeysWereMadeIsMended) {
  PublicKey signing;
  {
    const auto state = open();
    signing = state.network().signing_key;
  }
  std::filesystem::remove(file("server.json"));
  EXPECT_EQ(open().network().signing_key, signing);
}

TEST_F(ServerStateTest, LeavesDamagedFilesAlone) {
  {
    auto state = open();
    ASSERT_EQ(state.enrol(bind(invite(state, "drone3")), kNow), EnrolResult::kDone);
  }
  for (const auto* name : {"server.json", "clients.json"}) {
    const auto whole = contents(file(name));
    for (std::size_t length = 0; length + 1 < whole.size(); ++length) {
      overwrite(file(name), whole.substr(0, length));
      const auto error = open_error();
      ASSERT_EQ(error.rfind(file(name) + " is damaged (it is not JSON from byte ", 0), 0U) << error;
      ASSERT_EQ(contents(file(name)), whole.substr(0, length));
    }
    overwrite(file(name), whole);
    ASSERT_EQ(open_error(), "no error");
  }
}

TEST_F(ServerStateTest, NamesWhatIsWrongInAHandEditedFile) {
  {
    auto state = open();
    ASSERT_EQ(state.enrol(bind(invite(state, "drone3")), kNow), EnrolResult::kDone);
  }
  struct Edit {
    const char* file;
    const char* from;
    const char* to;
    const char* what;
  };
  const Edit edits[] = {
      {"clients.json", "\"version\":1", "\"version\":2", "version is not 1"},
      {"clients.json", "\"number\":1", "\"number\":0",
       "clients.json.clients.drone3 has the number of another, or 0"},
      {"clients.json", "\"number\":1", "\"number\":2",
       "clients.json.clients.gcs4 has the number of another, or 0"},
      {"clients.json", "\"number\":1", "\"number\":70000",
       "clients.json.clients.drone3.number is missing or not a number from 0 to 65535"},
      {"clients.json", "\"number\":1", "\"numbr\":1",
       "clients.json.clients.drone3.numbr is not a key of this version"},
      {"clients.json", "\"used\"", "\"burnt\"",
       "clients.json.clients.drone3.invites.state is not open, used or withdrawn"},
      {"clients.json", "\"invites\":[{", "\"by_hand\":2,\"invites\":[{",
       "clients.json.clients.drone3.by_hand is missing or not a number from 0 to 1"},
      {"clients.json", "\"drone3\"", "\"drone 3\"", "clients.json.clients.drone 3 is not a name"},
      {"clients.json", "\"proof\":\"", "\"proof\":\"A",
       "clients.json.clients.drone3.binding.proof is not 64 bytes in base64url"},
      {"server.json", "\"secret_key\":\"wh1", "\"secret_key\":\"wh2",
       "server.json.secret_key is not a secret key"},
      {"server.json", "\"knock_key\"", "\"knok_key\"",
       "server.json.knok_key is not a key of this version"},
  };
  for (const auto& edit : edits) {
    const auto whole = contents(file(edit.file));
    auto text = whole;
    const auto at = text.find(edit.from);
    ASSERT_NE(at, std::string::npos) << edit.from;
    overwrite(file(edit.file), text.replace(at, std::string(edit.from).size(), edit.to));
    EXPECT_EQ(open_error(),
              file(edit.file) + " is damaged (" + edit.what +
                  ") and was left as it is; restore it from a backup, or move the whole directory "
                  "away to begin a new network, in which every client must enrol again");
    EXPECT_EQ(contents(file(edit.file)), text);
    overwrite(file(edit.file), whole);
  }
  std::filesystem::remove(file("server.json"));
  EXPECT_EQ(open_error(),
            file("server.json") + " is missing, but " + file("clients.json") +
                " is there; restore it from a backup, or move the whole directory away to begin a "
                "new network, in which every client must enrol again");
}

TEST_F(ServerStateTest, SaysWhereItCannotWrite) {
  overwrite(temporary_.file("plain"), "");
  dir_ = temporary_.file("plain/state");
  EXPECT_EQ(open_error(), "can't make " + dir_ +
                              ": Not a directory; expected a directory that this user may write "
                              "to, with space left");
  dir_ = temporary_.file("plain");
  EXPECT_EQ(open_error(), "can't open " + dir_ +
                              ": Not a directory; expected a directory that this user may write "
                              "to, with space left");
}

}  // namespace
}  // namespace wormhole
