// Scratch space for secrets of any length; SecretKey is the public one of 32 bytes.
#pragma once

#include <sodium.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace wormhole {

/// N secret bytes, wiped when they go out of scope.
template <std::size_t N>
struct SecretArray {
  std::array<std::uint8_t, N> bytes{};
  SecretArray() = default;
  SecretArray(const SecretArray&) = default;
  SecretArray& operator=(const SecretArray&) = default;
  ~SecretArray() { sodium_memzero(bytes.data(), bytes.size()); }
};

}  // namespace wormhole
