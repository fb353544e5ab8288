// Secrets of other lengths than SecretKey's 32 bytes.
#pragma once

#include <sodium.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "wormhole/base/bytes.hpp"

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

/// Wipes bytes that live elsewhere (text, vectors) at the end of the scope.
class Wiper {
 public:
  explicit Wiper(MutBytes bytes) : bytes_(bytes) {}
  explicit Wiper(std::string& text)
      : bytes_(reinterpret_cast<std::uint8_t*>(text.data()), text.size()) {}
  ~Wiper() { sodium_memzero(bytes_.data(), bytes_.size()); }
  Wiper(const Wiper&) = delete;
  Wiper& operator=(const Wiper&) = delete;

 private:
  MutBytes bytes_;
};

}  // namespace wormhole
