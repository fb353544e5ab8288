// Byte spans and little-endian loads and stores: the only way wire bytes become numbers here.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace wormhole {

using Bytes = std::span<const std::uint8_t>;
using MutBytes = std::span<std::uint8_t>;

template <std::size_t N>
using Array = std::array<std::uint8_t, N>;

/// Views the characters of `text` as bytes; the view lives as long as the text.
inline Bytes as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

/// Views bytes as characters; the view lives as long as the bytes.
inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// Loads an unsigned little-endian integer of any alignment. (A cast would trap on some ARM cores.)
template <typename T>
T load_le(const std::uint8_t* from) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<T>(value | (static_cast<T>(from[i]) << (8 * i)));
  }
  return value;
}

/// Stores an unsigned integer in little-endian order at any alignment.
template <typename T>
void store_le(std::uint8_t* to, T value) {
  for (std::size_t i = 0; i < sizeof(T); ++i) to[i] = static_cast<std::uint8_t>(value >> (8 * i));
}

/// Copies `from` to the start of `to`. Contract: `to` is at least as long.
inline void copy_bytes(Bytes from, MutBytes to) {
  if (!from.empty()) std::memcpy(to.data(), from.data(), from.size());
}

}  // namespace wormhole
