#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>

#include "unit/config/temporary_directory.hpp"
#include "wormhole/state/state_files.hpp"

namespace wormhole {
namespace {

using namespace test;

constexpr auto kNoDirectory = "; expected a directory that this user may write to, with space left";

ClientIdentity identity_of(Rng& rng) {
  ClientIdentity identity;
  identity.id = "drone3";
  identity.keys = KeyPair::generate(rng);
  identity.server_name = "relay.example.org";
  identity.addresses = {*Endpoint::parse("192.0.2.1:7700"), *Endpoint::parse("[2001:db8::1]:7700")};
  rng.fill(identity.network.network);
  rng.fill(identity.network.knock);
  identity.network.server_key = KeyPair::generate(rng).public_key;
  identity.network.signing_key = SigningKey::generate(rng).public_key;
  return identity;
}

TEST(ClientIdentityFile, ReadsWhatItWrote) {
  const TemporaryDirectory temporary;
  const auto dir = temporary.file("a/b");
  SeededRng rng(1);
  const auto identity = identity_of(rng);
  ASSERT_TRUE(save_client_identity(dir, identity));
  EXPECT_EQ(mode_of(dir), 0700U);
  EXPECT_EQ(mode_of(dir + "/identity.json"), 0600U);
  const auto read = load_client_identity(dir);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->id, identity.id);
  EXPECT_EQ(read->keys.public_key, identity.keys.public_key);
  EXPECT_EQ(read->keys.secret.bytes, identity.keys.secret.bytes);
  EXPECT_EQ(read->server_name, identity.server_name);
  EXPECT_EQ(read->addresses, identity.addresses);
  EXPECT_EQ(read->network.network, identity.network.network);
  EXPECT_EQ(read->network.knock, identity.network.knock);
  EXPECT_EQ(read->network.server_key, identity.network.server_key);
  EXPECT_EQ(read->network.signing_key, identity.network.signing_key);
}

TEST(ClientIdentityFile, SaysHowToEnrolWhenThereIsNone) {
  const TemporaryDirectory temporary;
  EXPECT_EQ(load_client_identity(temporary.path()).error().message,
            "this client is not enrolled: there is no " + temporary.file("identity.json") +
                "; run `wormhole enroll` with a code from `wormhole invite`, or name another "
                "--state-dir");
}

TEST(ClientIdentityFile, CutAnywhereIsDamagedAndLeftAlone) {
  const TemporaryDirectory temporary;
  SeededRng rng(1);
  ASSERT_TRUE(save_client_identity(temporary.path(), identity_of(rng)));
  const auto path = temporary.file("identity.json");
  const auto whole = contents(path);
  for (std::size_t length = 0; length + 1 < whole.size(); ++length) {
    overwrite(path, whole.substr(0, length));
    const auto read = load_client_identity(temporary.path());
    ASSERT_FALSE(read) << length;
    ASSERT_EQ(read.error().message.rfind(path + " is damaged (it is not JSON", 0), 0U);
    ASSERT_EQ(contents(path).size(), length);
  }
}

TEST(ClientIdentityFile, NamesTheKeyThatIsWrong) {
  const TemporaryDirectory temporary;
  SeededRng rng(1);
  auto identity = identity_of(rng);
  const auto error_of = [&temporary](const ClientIdentity& bad) {
    EXPECT_TRUE(save_client_identity(temporary.path(), bad));
    const auto read = load_client_identity(temporary.path());
    return read ? "no error" : read.error().message;
  };
  const auto damaged = [&temporary](const std::string& what) {
    return temporary.file("identity.json") + " is damaged (identity.json." + what +
           ") and was left as it is; restore it from a backup, or enrol again with a new code from "
           "`wormhole invite`";
  };
  auto bad = identity;
  bad.id = "drone 3";
  EXPECT_EQ(error_of(bad), damaged("id is not an ID"));
  bad = identity;
  bad.addresses = {Endpoint{}};
  EXPECT_EQ(error_of(bad), damaged("addresses has something that is not IP:PORT"));
  bad = identity;
  bad.addresses.clear();
  EXPECT_EQ(error_of(bad), "no error");
  bad.server_name.clear();
  EXPECT_EQ(error_of(bad), damaged("addresses is empty, and there is no server_name"));
}

TEST(PinsFile, ReadsWhatItWrote) {
  const TemporaryDirectory temporary;
  SeededRng rng(1);
  EXPECT_TRUE(load_pins(temporary.path())->empty());
  const std::map<std::string, PeerPin> pins{
      {"gcs4", {KeyPair::generate(rng).public_key, 0}},
      {"gcs5", {KeyPair::generate(rng).public_key, ~std::uint64_t{0}}}};
  ASSERT_TRUE(save_pins(temporary.path(), pins));
  const auto read = load_pins(temporary.path());
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(*read, pins);
  EXPECT_EQ(mode_of(temporary.file("pins.json")), 0600U);
}

TEST(PinsFile, IsNotForgottenWhenDamaged) {
  const TemporaryDirectory temporary;
  const auto way_out =
      ") and was left as it is; restore it from a backup, or move it away to trust the peers' keys "
      "anew";
  const std::pair<const char*, const char*> cases[] = {
      {"{}", "pins.json.version is missing or not a number from 0 to 1"},
      {"[]", "pins.json is missing or not an object"},
      {"{\"version\":1,\"pins\":{}} x", "it is not JSON from byte 24 on"},
      {"{\"version\":1,\"pins\":{\"g\":{\"key\":\"\",\"serial\":1}}}",
       "pins.json.pins.g.key is not a public key"},
  };
  for (const auto& [text, what] : cases) {
    overwrite(temporary.file("pins.json"), text);
    const auto read = load_pins(temporary.path());
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().message, temporary.file("pins.json") + " is damaged (" + what + way_out);
  }
}

TEST(WriteFileDurably, ReplacesTheFileAndItsMode) {
  const TemporaryDirectory temporary;
  const auto path = temporary.file("x");
  overwrite(path, "an older and longer content");
  std::filesystem::permissions(path, std::filesystem::perms::all);
  ASSERT_TRUE(write_file_durably(path, "new"));
  EXPECT_EQ(contents(path), "new");
  EXPECT_EQ(mode_of(path), 0600U);
  EXPECT_FALSE(std::filesystem::exists(path + ".tmp"));
}

TEST(WriteFileDurably, NamesPathAndCause) {
  EXPECT_EQ(write_file_durably("/dev/null/x", "").error().message,
            std::string("can't write /dev/null/x: Not a directory") + kNoDirectory);
  EXPECT_EQ(write_file_durably("/proc/x", "").error().message.rfind("can't write /proc/x: ", 0),
            0U);
}

TEST(WriteFileDurably, AWriteThatIsCutShortLeavesTheOldFile) {
  const TemporaryDirectory temporary;
  const auto path = temporary.file("x");
  ASSERT_TRUE(write_file_durably(path, "old"));
  // A limit on the size of files stands for the full disk: the write ends in the middle.
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  struct rlimit limit {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &limit), 0);
  const struct rlimit low { 10, limit.rlim_max };
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &low), 0);
  const auto written = write_file_durably(path, std::string(100, 'x'));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &limit), 0);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(written.error().message, "can't write " + path + ": File too large" + kNoDirectory);
  EXPECT_EQ(contents(path), "old");
  EXPECT_FALSE(std::filesystem::exists(path + ".tmp"));
}

TEST(WriteFileDurably, NeedsAWritableDirectory) {
  if (::geteuid() == 0) GTEST_SKIP() << "root writes everywhere";
  const TemporaryDirectory temporary;
  std::filesystem::permissions(temporary.path(), std::filesystem::perms(0500));
  EXPECT_EQ(write_file_durably(temporary.file("x"), "").error().message,
            "can't write " + temporary.file("x") + ": Permission denied" + kNoDirectory);
  std::filesystem::permissions(temporary.path(), std::filesystem::perms(0700));
}

TEST(FileLock, ExcludesUntilItIsGoneAndMoves) {
  const TemporaryDirectory temporary;
  const auto path = temporary.file("lock");
  {
    auto lock = FileLock::acquire(path);
    ASSERT_TRUE(lock);
    const FileLock moved = std::move(*lock);
    EXPECT_EQ(FileLock::acquire(path).error().message,
              path + " is held by process " + std::to_string(::getpid()));
  }
  EXPECT_TRUE(FileLock::acquire(path));
}

}  // namespace
}  // namespace wormhole
