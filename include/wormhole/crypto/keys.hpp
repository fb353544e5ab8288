// Keys as values. libsodium stays behind this room.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "wormhole/base/bytes.hpp"
#include "wormhole/base/rng.hpp"

namespace wormhole {

/// Prepares libsodium; call once before anything else of this room. Aborts if it can't start.
void crypto_init();

/// 32 public bytes: an X25519 or Ed25519 public key. Comparing it may take data-dependent time.
struct PublicKey {
  std::array<std::uint8_t, 32> bytes{};
  bool is_zero() const;
  auto operator<=>(const PublicKey&) const = default;
};

/// 32 secret bytes, wiped when they go out of scope. Never logged, never in argv.
struct SecretKey {
  std::array<std::uint8_t, 32> bytes{};
  SecretKey() = default;
  explicit SecretKey(const std::array<std::uint8_t, 32>& raw) : bytes(raw) {}
  SecretKey(const SecretKey&) = default;
  SecretKey& operator=(const SecretKey&) = default;
  ~SecretKey();
};

/// A static X25519 key pair.
struct KeyPair {
  SecretKey secret;
  PublicKey public_key;
  static KeyPair generate(Rng& rng);
  static KeyPair from_secret(const SecretKey& secret);
};

/// The text form of keys: "wh1" + unpadded base64url (RFC 4648 5) of the 32 bytes.
std::string to_text(const PublicKey& key);
std::string to_text(const SecretKey& key);
std::optional<PublicKey> parse_public_key(std::string_view text);
std::optional<SecretKey> parse_secret_key(std::string_view text);

/// Short form that people compare: the first 10 bytes of BLAKE2b-256(key) as "ab12-cd34-…" (hex).
std::string fingerprint(const PublicKey& key);

/// Unpadded base64url; decoding refuses padding, whitespace and non-canonical last digits.
std::string base64url_encode(Bytes bytes);
std::optional<std::vector<std::uint8_t>> base64url_decode(std::string_view text);

/// BLAKE2b of the concatenated parts with an output of Out.size() bytes (16–64); `key` may be
/// empty.
void blake2b(MutBytes out, Bytes key, std::initializer_list<Bytes> parts);

/// Comparison in constant time; false when the lengths differ.
bool equal_secret(Bytes a, Bytes b);

}  // namespace wormhole
