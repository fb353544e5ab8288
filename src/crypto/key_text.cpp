// How keys and codes look to people: base64url, "wh1…" keys, fingerprints.
#include <sodium.h>

#include <algorithm>

#include "wormhole/crypto/keys.hpp"

namespace wormhole {
namespace {

constexpr int kVariant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;

/// Tells keys from other base64 text, and leaves room for another kind of key ("wh2").
constexpr std::string_view kKeyPrefix = "wh1";

/// 10 bytes: a forger who must match them all has 2^80 keys to try; people still read 5 groups.
constexpr std::size_t kFingerprintBytes = 10;

/// Decodes into exactly `out`; false when the text is anything else. libsodium's codec takes the
/// same time for all valid text, so it may carry secrets.
bool decode_exactly(std::string_view text, MutBytes out) {
  // libsodium 1.0.18 takes some characters beyond ASCII for digits, where char is signed.
  const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
  if (!std::all_of(text.begin(), text.end(), is_ascii)) return false;
  if (text.empty() || out.empty()) return text.empty() && out.empty();  // libsodium wants no null
  std::size_t size = 0;
  const int failed = sodium_base642bin(out.data(), out.size(), text.data(), text.size(), nullptr,
                                       &size, nullptr, kVariant);
  return failed == 0 && size == out.size();
}

std::string key_to_text(Bytes key) { return std::string(kKeyPrefix) + base64url_encode(key); }

template <typename Key>
std::optional<Key> parse_key(std::string_view text) {
  Key key;
  if (!text.starts_with(kKeyPrefix)) return std::nullopt;
  if (!decode_exactly(text.substr(kKeyPrefix.size()), key.bytes)) return std::nullopt;
  return key;
}

}  // namespace

std::string to_text(const PublicKey& key) { return key_to_text(key.bytes); }
std::string to_text(const SecretKey& key) { return key_to_text(key.bytes); }

std::optional<PublicKey> parse_public_key(std::string_view text) {
  return parse_key<PublicKey>(text);
}

std::optional<SecretKey> parse_secret_key(std::string_view text) {
  return parse_key<SecretKey>(text);
}

std::string fingerprint(const PublicKey& key) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  Array<32> hash{};
  blake2b(hash, {}, {key.bytes});
  std::string text;
  for (std::size_t i = 0; i < kFingerprintBytes; ++i) {
    if (i > 0 && i % 2 == 0) text += '-';
    text += kDigits[hash[i] >> 4];
    text += kDigits[hash[i] & 15];
  }
  return text;
}

std::string base64url_encode(Bytes bytes) {
  std::string text(sodium_base64_encoded_len(bytes.size(), kVariant), '\0');
  sodium_bin2base64(text.data(), text.size(), bytes.data(), bytes.size(), kVariant);
  text.pop_back();  // libsodium's terminator
  return text;
}

std::optional<std::vector<std::uint8_t>> base64url_decode(std::string_view text) {
  // Four digits are 3 bytes, 2 or 3 left over are 1 or 2 more; a single one can't be.
  if (text.size() % 4 == 1) return std::nullopt;
  std::vector<std::uint8_t> bytes(text.size() * 3 / 4);
  if (!decode_exactly(text, bytes)) return std::nullopt;
  return bytes;
}

}  // namespace wormhole
