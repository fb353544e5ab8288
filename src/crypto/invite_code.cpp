// The text of an invite code (docs/protocol.md 1, Enrolment).
#include <algorithm>

#include "crypto/byte_reader.hpp"
#include "crypto/byte_writer.hpp"
#include "crypto/secret_array.hpp"
#include "wormhole/base/ids.hpp"
#include "wormhole/crypto/identity.hpp"

namespace wormhole {
namespace {

constexpr std::string_view kFamily = "wormhole-invite-";
constexpr std::string_view kVersion = "1";

/// Chance 2^-64 that a mistyped code passes; more would only make the line longer.
constexpr std::size_t kChecksumSize = 8;

/// A server with several interfaces and both families has a handful; the code stays one line.
constexpr std::size_t kMaxAddresses = 8;

/// RFC 1035 2.3.4, without the root's dot.
constexpr std::size_t kMaxServerName = 253;

/// Above the longest body (254 + 1 + 8 · 19 + 320 bytes), so that the writer never grows.
constexpr std::size_t kRoomForBody = 1024;

Array<kChecksumSize> checksum(Bytes body) {
  Array<32> hash{};
  blake2b(hash, {}, {body});
  Array<kChecksumSize> sum{};
  std::copy_n(hash.begin(), sum.size(), sum.begin());
  return sum;
}

/// It is shown to people and handed to the resolver: no spaces, no escape sequences.
bool is_server_name(std::string_view name) {
  return name.size() <= kMaxServerName && std::all_of(name.begin(), name.end(), [](char c) {
           const bool is_alphanumeric = is_valid_name({&c, 1});  // what a name may begin with
           return is_alphanumeric || c == '.' || c == '-' || c == '_';
         });
}

bool is_valid(const InviteCode& code) {
  const auto is_set = [](const Endpoint& address) { return address.is_set(); };
  return is_server_name(code.server_name) && is_valid_name(code.statement.id) &&
         !code.addresses.empty() && code.addresses.size() <= kMaxAddresses &&
         std::all_of(code.addresses.begin(), code.addresses.end(), is_set);
}

void write_address(ByteWriter& body, const Endpoint& address) {
  const std::uint8_t family = address.address.is_v4() ? 4 : 6;
  body.number(family).bytes(address.address.bytes).number(address.port);
}

/// An unset endpoint when the family is not that of the address.
Endpoint read_address(ByteReader& body) {
  const auto family = body.number<std::uint8_t>();
  Endpoint address;
  body.bytes(address.address.bytes);
  address.port = body.number<std::uint16_t>();
  return family == (address.address.is_v4() ? 4 : 6) ? address : Endpoint{};
}

/// Nothing unless the body is one code and no byte more.
std::optional<InviteCode> read_body(Bytes bytes) {
  ByteReader body(bytes);
  InviteCode code;
  code.server_name = body.lp();
  const std::size_t count = body.number<std::uint8_t>();
  for (std::size_t i = 0; i < std::min(count, kMaxAddresses + 1); ++i) {
    code.addresses.push_back(read_address(body));
  }
  body.bytes(code.network.server_key.bytes);
  body.bytes(code.network.network);
  body.bytes(code.network.knock);
  body.bytes(code.network.signing_key.bytes);
  code.statement.id = body.lp();
  body.bytes(code.statement.invite_key.bytes);
  code.statement.serial = body.number<std::uint64_t>();
  code.statement.expires_s = body.number<std::uint64_t>();
  body.bytes(code.statement.signature);
  body.bytes(code.invite_seed.bytes);
  if (!body.complete() || !is_valid(code)) return std::nullopt;
  return code;
}

std::string without_whitespace(std::string_view text) {
  std::string rest;
  rest.reserve(text.size());
  std::copy_if(text.begin(), text.end(), std::back_inserter(rest),
               [](char c) { return std::string_view(" \t\r\n\v\f").find(c) == std::string::npos; });
  return rest;
}

/// A format number: digits without a leading zero.
bool is_version(std::string_view text) {
  return !text.empty() && text.front() != '0' &&
         text.find_first_not_of("0123456789") == std::string_view::npos;
}

Error not_a_code() {
  return {
      "this is not an invite code: one begins with \"wormhole-invite-1.\"; copy the whole line "
      "that `wormhole invite` printed"};
}

Error damaged() {
  return {
      "the invite code is cut short or mistyped: copy the whole line that `wormhole invite` "
      "printed"};
}

Error newer() {
  return {"the invite code was made by a newer version of wormhole: update wormhole on this host"};
}

}  // namespace

std::string encode_invite(const InviteCode& code) {
  WH_ASSERT(is_valid(code));
  ByteWriter body(kRoomForBody);
  body.lp(code.server_name).number(static_cast<std::uint8_t>(code.addresses.size()));
  for (const auto& address : code.addresses) write_address(body, address);
  body.bytes(code.network.server_key.bytes)
      .bytes(code.network.network)
      .bytes(code.network.knock)
      .bytes(code.network.signing_key.bytes)
      .lp(code.statement.id)
      .bytes(code.statement.invite_key.bytes)
      .number(code.statement.serial)
      .number(code.statement.expires_s)
      .bytes(code.statement.signature)
      .bytes(code.invite_seed.bytes);
  const auto sum = checksum(body.written());
  auto bytes = body.bytes(sum).take();
  const Wiper wiper(bytes);
  return std::string(kFamily) + std::string(kVersion) + "." + base64url_encode(bytes);
}

Result<InviteCode> decode_invite(std::string_view text) {
  std::string code = without_whitespace(text);
  const Wiper code_wiper(code);
  if (!code.starts_with(kFamily)) return not_a_code();
  const auto rest = std::string_view(code).substr(kFamily.size());
  const auto dot = rest.find('.');
  const auto version = rest.substr(0, dot);
  if (dot == std::string_view::npos || !is_version(version)) return damaged();
  if (version != kVersion) return newer();

  auto bytes = base64url_decode(rest.substr(dot + 1));
  if (!bytes || bytes->size() < kChecksumSize) return damaged();
  const Wiper bytes_wiper(*bytes);
  const auto body = Bytes(*bytes).first(bytes->size() - kChecksumSize);
  if (!equal_secret(checksum(body), Bytes(*bytes).last(kChecksumSize))) return damaged();
  auto invite = read_body(body);
  if (!invite) return damaged();
  return std::move(*invite);
}

}  // namespace wormhole
