// Changes of a text, collected by their places in the old one and made all at once; and where its
// lines begin and end.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wormhole {

class TextChanges {
 public:
  explicit TextChanges(std::string_view text) : text_(text) {}

  /// [begin, end) becomes `text`. Of two changes at one place the earlier call comes first.
  void replace(std::size_t begin, std::size_t end, std::string text);
  void insert(std::size_t at, std::string text) { replace(at, at, std::move(text)); }
  void remove(std::size_t begin, std::size_t end) { replace(begin, end, ""); }
  /// The text with all changes; nothing when two of them overlap, unless both only remove.
  std::optional<std::string> apply();

  std::string_view text() const { return text_; }
  /// The line of `at`: its first byte (behind a byte order mark), and its line end, which is "\n"
  /// or "\r\n".
  std::size_t line_begin(std::size_t at) const;
  std::size_t line_end(std::size_t at) const;
  /// Behind the line end; the text's end on the last line.
  std::size_t next_line(std::size_t at) const;
  /// Where the line above ends; line_begin on the first line.
  std::size_t previous_line_end(std::size_t at) const;
  std::size_t column(std::size_t at) const { return at - line_begin(at); }
  /// Only blanks stand before `at` on its line.
  bool is_first_on_line(std::size_t at) const;
  /// Only blanks and a comment stand from `at` to the end of its line.
  bool is_last_on_line(std::size_t at) const;
  bool same_line(std::size_t a, std::size_t b) const { return line_begin(a) == line_begin(b); }

 private:
  struct Change {
    std::size_t begin;
    std::size_t end;
    std::string text;
  };

  std::string_view text_;
  std::vector<Change> changes_;
};

}  // namespace wormhole
