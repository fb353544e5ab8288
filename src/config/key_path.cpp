#include "config/key_path.hpp"

#include <algorithm>

#include "wormhole/base/ids.hpp"

namespace wormhole {

std::string shown(std::string_view text) {
  // One more than the longest name: enough to recognise anything that may stand in the file.
  auto most = std::min(text.size(), kMaxNameLength + 1);
  const auto byte_at = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  while (most > 0 && most < text.size() && (byte_at(most) & 0xc0U) == 0x80) --most;  // whole UTF-8
  std::string line;
  for (std::size_t i = 0; i < most; ++i) {
    line += byte_at(i) < 0x20 || byte_at(i) == 0x7f ? ' ' : text[i];
  }
  return text.size() > most ? line + "..." : line;
}

std::string quoted(std::string_view text) {
  std::string quotes(2, '"');
  return quotes.insert(1, shown(text));
}

std::string path_of(const std::string& parent, std::string_view key) {
  return parent.empty() ? shown(key) : parent + "." + shown(key);
}

std::string path_of(const std::string& parent, std::size_t index) {
  return parent + "[" + std::to_string(index) + "]";
}

}  // namespace wormhole
