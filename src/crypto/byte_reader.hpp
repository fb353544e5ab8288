// Takes byte strings of others apart. Safe for any input: what is missing reads as zero and leaves
// complete() false.
#pragma once

#include <string>

#include "wormhole/base/bytes.hpp"

namespace wormhole {

class ByteReader {
 public:
  explicit ByteReader(Bytes bytes) : rest_(bytes) {}

  template <std::size_t N>
  void bytes(std::array<std::uint8_t, N>& out) {
    copy_bytes(take(N), out);
  }
  template <typename T>
  T number() {
    Array<sizeof(T)> raw{};
    bytes(raw);
    return load_le<T>(raw.data());
  }
  /// lp(x): one length byte, then x.
  std::string lp() { return std::string(as_text(take(number<std::uint8_t>()))); }

  /// True when every field was there and nothing is left over.
  bool complete() const { return !short_ && rest_.empty(); }

 private:
  /// The next n bytes; nothing when there are fewer.
  Bytes take(std::size_t n) {
    if (short_ || rest_.size() < n) {
      short_ = true;
      return {};
    }
    const auto field = rest_.first(n);
    rest_ = rest_.subspan(n);
    return field;
  }

  Bytes rest_;
  bool short_ = false;
};

}  // namespace wormhole
