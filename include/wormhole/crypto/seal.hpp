// Sealing of frames: ChaCha20-Poly1305 (RFC 8439), one key per direction and flow, and the replay
// window.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "wormhole/crypto/keys.hpp"

namespace wormhole {

inline constexpr std::size_t kTagSize = 16;
inline constexpr std::size_t kHopTagSize = 4;

/// BLAKE2b-256(key = direction key, "wh1 flow" ‖ flow name); control has the empty name. Binding
/// the name into the key means that a server which swaps flow numbers only causes open failures.
SecretKey flow_key(const SecretKey& direction, std::string_view flow_name);

/// Seals `text` in place: text.size() bytes become that many of ciphertext, followed by kTagSize
/// bytes of tag, which must be writable behind `text`. `counter` must never repeat for one key.
void seal_in_place(const SecretKey& key, std::uint64_t counter, Bytes associated, MutBytes text);

/// Opens `sealed` (ciphertext ‖ tag) in place; on success the first sealed.size() - kTagSize bytes
/// are the plaintext. False (and the bytes unchanged or wiped) when it is not authentic.
bool open_in_place(const SecretKey& key, std::uint64_t counter, Bytes associated, MutBytes sealed);

/// Which counters have been seen: RFC 6479's ring, 16,384 counters wide (500 ms of multipath skew
/// at 10 kpps needs 5,000; at 100 kpps it covers 164 ms). Order of use: check → open → commit.
class ReplayWindow {
 public:
  static constexpr std::uint64_t kSize = 16384;
  /// True when `counter` is new and not too old. Changes nothing.
  bool check(std::uint64_t counter) const;
  /// Records an authenticated counter; false when it had been seen meanwhile or is too old.
  bool commit(std::uint64_t counter);
  /// The highest committed counter; 0 before the first.
  std::uint64_t highest() const { return highest_; }

 private:
  static constexpr std::uint64_t kWords = kSize / 64 + 1;  // one spare word, being cleared ahead
  std::uint64_t highest_ = 0;
  std::array<std::uint64_t, kWords> ring_{};
};

/// What a group's sender shares with one receiver, and no other receiver knows.
using ReceiverKey = std::array<std::uint8_t, 16>;
inline constexpr std::size_t kReceiverTagSize = 8;
using ReceiverTag = std::array<std::uint8_t, kReceiverTagSize>;
/// "Not for this receiver."
inline constexpr ReceiverTag kNoReceiverTag{};
/// BLAKE2b-256 of ciphertext ‖ tag. It commits to the bytes where Poly1305 does not: whoever has
/// the group's key can make another text for the same Poly1305 tag, but not for this.
using FrameHash = std::array<std::uint8_t, 32>;
FrameHash frame_hash(Bytes sealed);
/// SipHash-2-4(receiver key, hash ‖ associated data): a 64-bit MAC in 40 ns, a tenth of keyed
/// BLAKE2b's time (docs/adr/0009-group-frames.md).
ReceiverTag receiver_tag(const ReceiverKey& key, const FrameHash& hash, Bytes associated);

/// Key of hop tags: BLAKE2b-128(key = the client's sending direction key, "wh1 hop tag").
using HopTagKey = std::array<std::uint8_t, 16>;
HopTagKey hop_tag_key(const SecretKey& client_to_server);
/// SipHash-2-4(key, authenticated), its first 4 bytes as they come.
std::array<std::uint8_t, kHopTagSize> hop_tag(const HopTagKey& key, Bytes authenticated);

}  // namespace wormhole
