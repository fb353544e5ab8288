#include "config/text_check.hpp"

#include <array>
#include <cstdio>

namespace wormhole {
namespace {

std::uint8_t byte_at(std::string_view text, std::size_t at) {
  return at < text.size() ? static_cast<std::uint8_t>(text[at]) : std::uint8_t{0};
}

/// Bytes of the UTF-8 character at `at`; 0 when there is none (RFC 3629 4: no overlong forms, no
/// surrogates, nothing above U+10FFFF).
std::size_t utf8_length(std::string_view text, std::size_t at) {
  const auto first = byte_at(text, at);
  const auto second = byte_at(text, at + 1);
  if (first < 0x80) return 1;
  std::size_t length = 0;
  if (first >= 0xc2 && first <= 0xdf) length = 2;
  if (first >= 0xe0 && first <= 0xef) length = 3;
  if (first >= 0xf0 && first <= 0xf4) length = 4;
  if ((first == 0xe0 && second < 0xa0) || (first == 0xed && second > 0x9f)) return 0;
  if ((first == 0xf0 && second < 0x90) || (first == 0xf4 && second > 0x8f)) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte_at(text, at + i) & 0xc0U) != 0x80) return 0;
  }
  return length;
}

std::string hex_byte(std::uint8_t value) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "0x%02x", static_cast<unsigned>(value));
  return text.data();
}

/// What is wrong with the character at `at`; empty when nothing is.
std::string character_problem(std::string_view text, std::size_t at, bool in_comment) {
  const auto c = byte_at(text, at);
  if (c == '\t' && !in_comment) return "tab character; expected spaces";
  if (c == '\t' || c == '\n' || (c == '\r' && byte_at(text, at + 1) == '\n')) return "";
  if (c < 0x20 || c == 0x7f) return "control character " + hex_byte(c) + "; expected text";
  if (utf8_length(text, at) == 0) return "byte " + hex_byte(c) + " is not UTF-8; expected text";
  return "";
}

}  // namespace

std::optional<TextProblem> check_text(std::string_view text) {
  if (text.size() > kMaxConfigBytes) {
    return TextProblem{{}, "larger than 8 MiB; expected a smaller file"};
  }
  Place place{1, 1};
  bool in_comment = false;
  for (std::size_t at = 0; at < text.size();) {
    if (text[at] == '#' && (place.column == 1 || text[at - 1] == ' ')) in_comment = true;
    auto problem = character_problem(text, at, in_comment);
    if (!problem.empty()) return TextProblem{place, std::move(problem)};
    const auto length = utf8_length(text, at);
    place.column += length;
    if (text[at] == '\n') {
      place = {place.line + 1, 1};
      in_comment = false;
    }
    at += length;
  }
  if (!text.empty() && text.back() != '\n') {
    // The one sign by which a half-written file can be told from a whole one: "port: 56" may have
    // been going to say 5600.
    return TextProblem{place,
                       "the last line has no line end, so the file may be cut short; "
                       "expected a newline after it"};
  }
  return std::nullopt;
}

}  // namespace wormhole
