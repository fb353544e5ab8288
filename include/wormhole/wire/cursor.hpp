// Bounded reading and writing of wire bytes. A failed step makes every later one fail, so a parser
// checks once, at its end.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "wormhole/base/bytes.hpp"
#include "wormhole/base/endpoint.hpp"

namespace wormhole {

/// Reads from the front of a span. After a step past the end ok() is false and every value is zero.
class Reader {
 public:
  explicit Reader(Bytes bytes) : rest_(bytes) {}

  template <typename T>
  T number() {
    const auto raw = take(sizeof(T));
    return raw.empty() ? T{} : load_le<T>(raw.data());
  }
  /// `count` bytes by reference; empty when there are fewer.
  Bytes take(std::size_t count);
  /// All that is left, by reference.
  Bytes rest() { return take(rest_.size()); }
  /// Fills a fixed array (zero on failure).
  template <std::size_t N>
  std::array<std::uint8_t, N> array() {
    std::array<std::uint8_t, N> out{};
    copy_bytes(take(N), out);
    return out;
  }
  /// One length byte, then that many characters, by reference.
  std::string_view short_text();
  /// family u8, address 16, port u16; a family that contradicts the address fails.
  Endpoint endpoint();

  bool ok() const { return ok_; }
  /// Makes this reader fail: for values that were read but mean nothing.
  void fail() { ok_ = false; }
  /// True when nothing failed and nothing is left: what a whole message must end with.
  bool finished() const { return ok_ && rest_.empty(); }

 private:
  Bytes rest_;
  bool ok_ = true;
};

/// Appends to a growing buffer: for control messages, never for the data path.
class Writer {
 public:
  template <typename T>
  Writer& number(T value) {
    std::array<std::uint8_t, sizeof(T)> raw{};
    store_le(raw.data(), value);
    return bytes(raw);
  }
  Writer& bytes(Bytes more);
  /// At most 255 characters.
  Writer& short_text(std::string_view text);
  Writer& endpoint(const Endpoint& endpoint);

  const std::vector<std::uint8_t>& result() const { return out_; }
  std::vector<std::uint8_t> take() { return std::move(out_); }

 private:
  std::vector<std::uint8_t> out_;
};

}  // namespace wormhole
