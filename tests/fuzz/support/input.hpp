// Reads a fuzzer's bytes as a script: at its end every number is zero and every span is empty.
#pragma once

#include <algorithm>
#include <cstdint>

#include "wormhole/base/bytes.hpp"
#include "wormhole/base/time.hpp"

namespace wormhole::fuzz {

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : rest_(data, size) {}

  bool empty() const { return rest_.empty(); }
  template <typename T>
  T number() {
    const auto raw = take(sizeof(T));
    return raw.size() < sizeof(T) ? T{} : load_le<T>(raw.data());
  }
  std::uint8_t byte() { return number<std::uint8_t>(); }
  /// At most `count` bytes.
  Bytes take(std::size_t count) {
    const auto front = rest_.first(std::min(count, rest_.size()));
    rest_ = rest_.subspan(front.size());
    return front;
  }
  /// A u16 length, then at most so many bytes.
  Bytes chunk() { return take(number<std::uint16_t>()); }
  /// 0 … 5 s finely, or up to four minutes: past every timer of a session.
  Duration pause() {
    const auto fine = number<std::uint16_t>();
    return fine < 50'000 ? Duration{fine * 100us} : Duration{(fine - 50'000) * 16ms};
  }

 private:
  Bytes rest_;
};

}  // namespace wormhole::fuzz
