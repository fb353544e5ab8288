// The head of a fragment's plaintext (docs/protocol.md, section 3).
#pragma once

#include <cstdint>
#include <optional>

#include "wormhole/base/bytes.hpp"

namespace wormhole {

inline constexpr std::size_t kFragmentHeaderSize = 8;
/// Fragments of one datagram: 65,507 bytes in pieces for a 1,280-byte path are 56.
inline constexpr std::size_t kMaxFragments = 64;

/// All fragments but the last are of one size, so that place and length follow from index, count
/// and total.
struct FragmentHeader {
  std::uint32_t datagram = 0;  ///< the sender's number of the whole datagram
  std::uint8_t index = 0;
  std::uint8_t count = 0;
  std::uint16_t total = 0;  ///< bytes of the whole datagram
  bool operator==(const FragmentHeader&) const = default;

  std::size_t chunk() const { return (std::size_t{total} + count - 1) / count; }
  std::size_t offset() const { return index * chunk(); }
  std::size_t length() const {
    return index + 1U < count ? chunk() : total - chunk() * (count - std::size_t{1});
  }
};

/// Writes kFragmentHeaderSize bytes to `to`.
void write_fragment_header(const FragmentHeader& header, std::uint8_t* to);
/// The header of a fragment's plaintext; nothing when it contradicts itself or the plaintext's
/// length.
std::optional<FragmentHeader> read_fragment_header(Bytes text);

}  // namespace wormhole
