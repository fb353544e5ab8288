#include "wormhole/crypto/seal.hpp"

#include <sodium.h>

#include <algorithm>

#include "crypto/nonce.hpp"
#include "wormhole/base/result.hpp"

namespace wormhole {

SecretKey flow_key(const SecretKey& direction, std::string_view flow_name) {
  SecretKey key;
  blake2b(key.bytes, direction.bytes, {as_bytes("wh1 flow"), as_bytes(flow_name)});
  return key;
}

void seal_in_place(const SecretKey& key, std::uint64_t counter, Bytes associated, MutBytes text) {
  const Nonce nonce = nonce_of(counter);
  std::uint8_t* const tag = text.data() + text.size();
  crypto_aead_chacha20poly1305_ietf_encrypt_detached(
      text.data(), tag, nullptr, text.data(), text.size(), associated.data(), associated.size(),
      nullptr, nonce.data(), key.bytes.data());
}

bool open_in_place(const SecretKey& key, std::uint64_t counter, Bytes associated, MutBytes sealed) {
  if (sealed.size() < kTagSize) return false;
  const Nonce nonce = nonce_of(counter);
  const auto text = sealed.first(sealed.size() - kTagSize);
  return crypto_aead_chacha20poly1305_ietf_decrypt_detached(
             text.data(), nullptr, text.data(), text.size(), text.data() + text.size(),
             associated.data(), associated.size(), nonce.data(), key.bytes.data()) == 0;
}

FrameHash frame_hash(Bytes sealed) {
  FrameHash hash{};
  crypto_generichash(hash.data(), hash.size(), sealed.data(), sealed.size(), nullptr, 0);
  return hash;
}

ReceiverTag receiver_tag(const ReceiverKey& key, const FrameHash& hash, Bytes associated) {
  static_assert(crypto_shorthash_siphash24_KEYBYTES == std::tuple_size_v<ReceiverKey>);
  static_assert(crypto_shorthash_siphash24_BYTES == kReceiverTagSize);
  constexpr std::size_t kMostAssociated = 32;
  WH_ASSERT(associated.size() <= kMostAssociated);
  std::array<std::uint8_t, std::tuple_size_v<FrameHash> + kMostAssociated> text{};
  copy_bytes(hash, text);
  copy_bytes(associated, MutBytes(text).subspan(hash.size()));
  ReceiverTag tag{};
  crypto_shorthash_siphash24(tag.data(), text.data(), hash.size() + associated.size(), key.data());
  return tag;
}

HopTagKey hop_tag_key(const SecretKey& client_to_server) {
  HopTagKey key{};
  blake2b(key, client_to_server.bytes, {as_bytes("wh1 hop tag")});
  return key;
}

std::array<std::uint8_t, kHopTagSize> hop_tag(const HopTagKey& key, Bytes authenticated) {
  static_assert(crypto_shorthash_siphash24_KEYBYTES == std::tuple_size_v<HopTagKey>);
  Array<crypto_shorthash_siphash24_BYTES> hash{};
  crypto_shorthash_siphash24(hash.data(), authenticated.data(), authenticated.size(), key.data());
  std::array<std::uint8_t, kHopTagSize> tag{};
  std::copy_n(hash.begin(), kHopTagSize, tag.begin());
  return tag;
}

}  // namespace wormhole
