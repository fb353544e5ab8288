#include "wormhole/state/tokens.hpp"

#include <gtest/gtest.h>

#include "unit/config/temporary_directory.hpp"

namespace wormhole {
namespace {

using namespace test;

class TokensTest : public testing::Test {
 protected:
  std::string add(TokenList& tokens, const std::string& name, TokenScope scope) {
    const auto token = tokens.add(name, scope, 1'800'000'000, rng_);
    EXPECT_TRUE(token);
    return token ? *token : "";
  }
  void write(const std::string& text) { overwrite(file_, text); }
  std::string load_error() {
    const auto tokens = load_tokens(dir_.path());
    return tokens ? "no error" : tokens.error().message;
  }

  TemporaryDirectory dir_;
  std::string file_ = dir_.file("tokens.json");
  SeededRng rng_{1};
};

TEST_F(TokensTest, FindsWhatItHasMade) {
  TokenList tokens;
  const std::string read = add(tokens, "dashboard", TokenScope::kRead);
  const std::string edit = add(tokens, "ci", TokenScope::kEdit);
  EXPECT_TRUE(read.starts_with("wht1_"));
  EXPECT_EQ(read.size(), 5U + 43);
  ASSERT_NE(tokens.find(edit), nullptr);
  EXPECT_EQ(tokens.find(edit)->name, "ci");
  EXPECT_EQ(tokens.find(read)->scope, TokenScope::kRead);
  EXPECT_EQ(tokens.find(""), nullptr);
  EXPECT_EQ(tokens.find(edit + "A"), nullptr);
  EXPECT_EQ(tokens.find(edit.substr(0, edit.size() - 1)), nullptr);
  ASSERT_TRUE(tokens.remove("ci"));
  EXPECT_EQ(tokens.find(edit), nullptr);
  EXPECT_FALSE(tokens.remove("ci"));
}

TEST_F(TokensTest, NamesAreTakenOnceAndTheListIsBounded) {
  TokenList tokens;
  for (std::size_t i = 0; i < kMaxTokens; ++i) {
    add(tokens, std::to_string(i), TokenScope::kRead);
  }
  const auto full = tokens.add("more", TokenScope::kRead, 0, rng_);
  ASSERT_FALSE(full);
  EXPECT_NE(full.error().message.find("256"), std::string::npos);
  const auto twice = tokens.add("0", TokenScope::kRead, 0, rng_);
  ASSERT_FALSE(twice);
  EXPECT_NE(twice.error().message.find("wormhole token remove 0"), std::string::npos);
}

TEST_F(TokensTest, FileHoldsHashesOnlyAndIsTheOwners) {
  TokenList tokens;
  const std::string token = add(tokens, "ci", TokenScope::kAdmin);
  ASSERT_TRUE(save_tokens(dir_.path(), tokens));
  EXPECT_EQ(mode_of(file_), 0600U);
  EXPECT_EQ(contents(file_).find(token), std::string::npos);
  const auto loaded = load_tokens(dir_.path());
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->records(), tokens.records());
  EXPECT_NE(loaded->find(token), nullptr);
}

TEST_F(TokensTest, NoFileIsNoTokensAndADamagedOneIsAnError) {
  const auto none = load_tokens(dir_.path());
  ASSERT_TRUE(none);
  EXPECT_TRUE(none->empty());
  TokenList tokens;
  add(tokens, "ci", TokenScope::kEdit);
  ASSERT_TRUE(save_tokens(dir_.path(), tokens));
  const std::string text = contents(file_);
  for (std::size_t size = 0; size + 1 < text.size();
       ++size) {  // without its last newline it is whole
    write(text.substr(0, size));
    EXPECT_NE(load_error().find("is damaged"), std::string::npos) << size;
  }
  for (const char* bad :
       {"[]", "{}", R"({"tokens":{}})", R"({"tokens":[1]})", R"({"tokens":[],"more":1})",
        R"({"tokens":[{"name":"a","scope":"root","blake2b":"x","created_s":1}]})"}) {
    write(bad);
    EXPECT_NE(load_error().find("is damaged"), std::string::npos) << bad;
  }
}

TEST_F(TokensTest, LockSaysWhoHasTheDirectory) {
  const auto lock = lock_state_directory(dir_.file("new"));
  ASSERT_TRUE(lock);
  const auto second = lock_state_directory(dir_.file("new"));
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message.find("is held by process"), std::string::npos);
}

}  // namespace
}  // namespace wormhole
