// Text that people paste: invite codes, endpoints, addresses, keys. What parses must come back from
// its own canonical text.
#include "fuzz/support/input.hpp"
#include "wormhole/base/endpoint.hpp"
#include "wormhole/base/result.hpp"
#include "wormhole/crypto/identity.hpp"

namespace wormhole::fuzz {
namespace {

void check_address(std::string_view text) {
  if (const auto address = IpAddress::parse(text)) {
    WH_ASSERT(IpAddress::parse(address->to_string()) == address);
  }
  // An endpoint that is not set reads "none", which is not for parsing.
  if (const auto endpoint = Endpoint::parse(text); endpoint && endpoint->is_set()) {
    WH_ASSERT(Endpoint::parse(endpoint->to_string()) == endpoint);
  }
}

void check_keys(std::string_view text) {
  if (const auto bytes = base64url_decode(text)) WH_ASSERT(base64url_encode(*bytes) == text);
  if (const auto key = parse_public_key(text)) WH_ASSERT(to_text(*key) == text);
  if (const auto key = parse_secret_key(text)) WH_ASSERT(to_text(*key) == text);
}

void check_invite(std::string_view text) {
  const auto code = decode_invite(text);
  if (!code) {
    WH_ASSERT(!code.error().message.empty());
    return;
  }
  const auto canonical = encode_invite(*code);
  const auto again = decode_invite(canonical);
  WH_ASSERT(again && encode_invite(*again) == canonical);
}

/// A body of the fuzzer's making behind the right prefix and checksum: else no input gets there.
std::string sealed_invite(Bytes body) {
  std::array<std::uint8_t, 32> sum{};
  blake2b(sum, {}, {body});
  std::vector<std::uint8_t> whole(body.begin(), body.end());
  whole.insert(whole.end(), sum.begin(), sum.begin() + 8);
  return "wormhole-invite-1." + base64url_encode(whole);
}

}  // namespace
}  // namespace wormhole::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace wormhole;
  crypto_init();
  fuzz::Input input(data, size);
  const auto what = input.byte();
  const auto rest = input.take(size);
  switch (what % 4) {
    case 0:
      fuzz::check_address(as_text(rest));
      break;
    case 1:
      fuzz::check_keys(as_text(rest));
      break;
    case 2:
      fuzz::check_invite(as_text(rest));
      break;
    case 3:
      fuzz::check_invite(fuzz::sealed_invite(rest));
      break;
  }
  return 0;
}
