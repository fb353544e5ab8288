// Builds the byte strings that are hashed, signed or encoded in this room.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "wormhole/base/bytes.hpp"
#include "wormhole/base/result.hpp"

namespace wormhole {

/// Collects fields one after another; each call returns the writer, so that the code reads like the
/// line of docs/protocol.md that it implements.
class ByteWriter {
 public:
  /// `size`: how much to make room for, so that secrets leave no copies behind when it grows.
  explicit ByteWriter(std::size_t size = 0) { out_.reserve(size); }
  ByteWriter& bytes(Bytes field) {
    const auto at = out_.size();
    out_.resize(at + field.size());
    copy_bytes(field, MutBytes(out_).subspan(at));
    return *this;
  }
  ByteWriter& text(std::string_view field) { return bytes(as_bytes(field)); }
  /// lp(x): one length byte, then x. Contract: at most 255 characters.
  ByteWriter& lp(std::string_view field) {
    WH_ASSERT(field.size() <= 255);
    return number(static_cast<std::uint8_t>(field.size())).text(field);
  }
  template <typename T>
  ByteWriter& number(T value) {
    Array<sizeof(T)> raw{};
    store_le(raw.data(), value);
    return bytes(raw);
  }
  Bytes written() const { return out_; }
  std::vector<std::uint8_t> take() { return std::move(out_); }

 private:
  std::vector<std::uint8_t> out_;
};

}  // namespace wormhole
