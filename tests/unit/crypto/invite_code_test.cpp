#include <gtest/gtest.h>

#include "unit/crypto/support.hpp"
#include "wormhole/crypto/identity.hpp"

namespace wormhole {
namespace {

using namespace test;

constexpr std::string_view kPrefix = "wormhole-invite-1.";

InviteCode example() {
  const NetworkId network{9, 8, 7};
  const auto signing = SigningKey::from_seed(SecretKey(counting(3)));
  const auto invite = SigningKey::from_seed(SecretKey(counting(4)));
  InviteCode code;
  code.server_name = "relay.example.org";
  code.addresses = {Endpoint::parse("192.0.2.1:7700").value(),
                    Endpoint::parse("[2001:db8::1]:7700").value()};
  code.network = {network, key_pair(5).public_key, counting(6), signing.public_key};
  code.statement = make_statement(signing, network, "drone-1", invite.public_key, 1, 1800000000);
  code.invite_seed = invite.seed;
  return code;
}

void expect_same(const InviteCode& a, const InviteCode& b) {
  EXPECT_EQ(a.server_name, b.server_name);
  EXPECT_EQ(a.addresses, b.addresses);
  EXPECT_EQ(a.network.network, b.network.network);
  EXPECT_EQ(a.network.server_key, b.network.server_key);
  EXPECT_EQ(a.network.knock, b.network.knock);
  EXPECT_EQ(a.network.signing_key, b.network.signing_key);
  EXPECT_EQ(a.statement.id, b.statement.id);
  EXPECT_EQ(a.statement.invite_key, b.statement.invite_key);
  EXPECT_EQ(a.statement.serial, b.statement.serial);
  EXPECT_EQ(a.statement.expires_s, b.statement.expires_s);
  EXPECT_EQ(a.statement.signature, b.statement.signature);
  EXPECT_EQ(a.invite_seed.bytes, b.invite_seed.bytes);
}

/// The sentence that a person reads; empty when the code was taken.
std::string complaint(std::string_view text) {
  const auto result = decode_invite(text);
  return result ? std::string() : result.error().message;
}

bool says(std::string_view text, std::string_view what) {
  return complaint(text).find(what) != std::string::npos;
}

/// A code with a right checksum around any body.
std::string code_around(std::vector<std::uint8_t> body) {
  Array<32> hash{};
  blake2b(hash, {}, {body});
  body.insert(body.end(), hash.begin(), hash.begin() + 8);
  return std::string(kPrefix) + base64url_encode(body);
}

std::vector<std::uint8_t> body_of(const std::string& code) {
  const auto bytes = base64url_decode(std::string_view(code).substr(kPrefix.size())).value();
  return {bytes.begin(), bytes.end() - 8};
}

TEST(InviteCode, GoesRound) {
  auto code = example();
  expect_same(decode_invite(encode_invite(code)).value(), code);
  code.server_name.clear();
  code.addresses.assign(8, code.addresses[1]);
  expect_same(decode_invite(encode_invite(code)).value(), code);
  EXPECT_EQ(encode_invite(code).find_first_of(" \n=+/"), std::string::npos);
}

TEST(InviteCode, EnrolsAsItsStatementSays) {
  const auto code = decode_invite(encode_invite(example())).value();
  const auto binding = make_binding(code.invite_seed, code.network.network, code.statement,
                                    key_pair(0x30).public_key);
  EXPECT_TRUE(verify_binding(binding, code.network.signing_key, code.network.network));
}

TEST(InviteCode, WhitespaceOfMailProgramsIsIgnored) {
  const auto text = encode_invite(example());
  std::string wrapped = "\r\n  ";
  for (std::size_t i = 0; i < text.size(); ++i) {
    wrapped += text[i];
    if (i % 5 == 2) wrapped += i % 2 == 0 ? "\r\n" : "\t ";
  }
  expect_same(decode_invite(wrapped + " \n").value(), example());
}

TEST(InviteCode, CutAnywhereItSaysSo) {
  const auto text = encode_invite(example());
  for (std::size_t n = 0; n < text.size(); ++n) {
    const bool knows_the_family = n >= kPrefix.size() - 2;
    EXPECT_TRUE(
        says(text.substr(0, n), knows_the_family ? "cut short or mistyped" : "not an invite code"))
        << n;
    EXPECT_EQ(complaint(text.substr(n)).empty(), n == 0) << n;
  }
}

TEST(InviteCode, MistypedAnywhereItIsRefused) {
  const auto text = encode_invite(example());
  for (std::size_t i = kPrefix.size(); i < text.size(); ++i) {
    auto other = text;
    other[i] = other[i] == 'Q' ? 'R' : 'Q';
    EXPECT_TRUE(says(other, "cut short or mistyped")) << i;
    if (i + 1 == text.size()) break;
    auto swapped = text;
    std::swap(swapped[i], swapped[i + 1]);
    EXPECT_EQ(says(swapped, "cut short or mistyped"), swapped != text) << i;
  }
  for (std::size_t i = 0; i < kPrefix.size(); ++i) {
    auto other = text;
    other[i] = '!';
    EXPECT_FALSE(complaint(other).empty()) << i;
  }
}

TEST(InviteCode, SaysWhatElseIsWrong) {
  const auto text = encode_invite(example());
  const auto tail = text.substr(kPrefix.size());
  EXPECT_TRUE(says("wormhole-invite-2." + tail, "newer version"));
  EXPECT_TRUE(says("wormhole-invite-10.anything", "newer version"));
  EXPECT_TRUE(says("wormhole-invite-0." + tail, "cut short or mistyped"));
  EXPECT_TRUE(says("wormhole-invite-." + tail, "cut short or mistyped"));
  EXPECT_TRUE(says("wormhole-invite-x." + tail, "cut short or mistyped"));
  EXPECT_TRUE(says("", "not an invite code"));
  EXPECT_TRUE(says("ssh-ed25519 AAAA", "not an invite code"));
  EXPECT_TRUE(says(to_text(PublicKey{counting(1)}), "not an invite code"));
}

TEST(InviteCode, ABodyThatIsNoCodeIsRefusedThoughItsChecksumIsRight) {
  const auto body = body_of(encode_invite(example()));
  ASSERT_TRUE(decode_invite(code_around(body)));
  for (std::size_t n = 0; n < body.size(); ++n) {
    EXPECT_FALSE(decode_invite(code_around({body.begin(), body.begin() + static_cast<long>(n)})));
  }
  auto longer = body;
  longer.push_back(0);
  EXPECT_FALSE(decode_invite(code_around(longer)));

  const auto with = [&](std::size_t at, std::uint8_t value) {
    auto changed = body;
    changed[at] = value;
    return decode_invite(code_around(changed)).has_value();
  };
  const std::size_t count_at = 1 + example().server_name.size();
  EXPECT_FALSE(with(1, '\x1b'));        // a terminal escape in the server's name
  EXPECT_FALSE(with(1, ' '));           // a space
  EXPECT_FALSE(with(count_at, 0));      // no address
  EXPECT_FALSE(with(count_at, 255));    // more than there are
  EXPECT_FALSE(with(count_at + 1, 6));  // IPv6 says the family, IPv4 the address
  EXPECT_FALSE(with(count_at + 1, 0));  // none
}

TEST(InviteCode, AnyBytesAreSafe) {
  SeededRng rng(8);
  for (std::size_t n = 0; n < 800; ++n) {
    std::vector<std::uint8_t> junk(n);
    rng.fill(junk);
    if (n > 0) junk[0] %= 4;
    EXPECT_FALSE(decode_invite(code_around(junk))) << n;
    EXPECT_FALSE(decode_invite(as_text(junk))) << n;
  }
}

}  // namespace
}  // namespace wormhole
