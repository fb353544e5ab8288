#include "config/yaml_block.hpp"

#include <algorithm>

namespace wormhole {
namespace {

bool is_blank_line(const TextChanges& text, std::size_t at) {
  const auto begin = text.line_begin(at);
  const auto line = text.text().substr(begin, text.line_end(begin) - begin);
  return line.find_first_not_of(" \t") == line.npos;
}

/// The column of the comment that is all there is on the line of `at`; npos when it is no such
/// line.
std::size_t comment_column(const TextChanges& text, std::size_t at) {
  const auto begin = text.line_begin(at);
  const auto first = text.text().find_first_not_of(' ', begin);
  const bool comment = first != std::string_view::npos && text.text()[first] == '#';
  return comment ? first - begin : std::string_view::npos;
}

/// The first line of comments directly above an entry, as deep as it is; the entry's own when there
/// are none.
std::size_t comments_begin(const TextChanges& text, std::size_t entry) {
  auto begin = text.line_begin(entry);
  for (;;) {
    const auto above = text.previous_line_end(begin);
    if (above == begin || comment_column(text, above) != text.column(entry)) return begin;
    begin = text.line_begin(above);
  }
}

/// Whether comments above an entry can only mean that one: `next` is the first entry behind it that
/// stays, if there is one.
bool owns_comments(const TextChanges& text, const YamlLayout* next) {
  if (next == nullptr) return true;
  const auto above = text.previous_line_end(next->entry);
  return is_blank_line(text, above) || comment_column(text, above) == text.column(next->entry);
}

/// Where what goes along with the lines from `begin` begins: blank lines above go when there are
/// others below.
std::size_t blanks_begin(const TextChanges& text, std::size_t begin, std::size_t end) {
  const auto below = text.next_line(end);
  if (below < text.text().size() && !is_blank_line(text, below)) return begin;
  for (;;) {
    const auto above = text.previous_line_end(begin);
    if (above == begin || !is_blank_line(text, above)) return begin;
    begin = text.line_begin(above);
  }
}

/// Takes the lines of one entry out, from the end of the line above: what is inserted behind the
/// last line then still has a place.
void remove_lines(TextChanges& text, const YamlLayout& entry, const YamlLayout* next) {
  auto begin = text.line_begin(entry.entry);
  const auto end = block_entry_end(text, entry);
  if (owns_comments(text, next)) begin = comments_begin(text, entry.entry);
  begin = blanks_begin(text, begin, end);
  const auto above = text.previous_line_end(begin);
  if (above == begin) {
    text.remove(begin, text.next_line(end));
  } else {
    text.remove(above, end);
  }
}

}  // namespace

std::size_t block_entry_end(const TextChanges& text, const YamlLayout& entry) {
  auto end = text.line_end(entry.end);
  const auto column = text.column(entry.entry);
  for (;;) {
    const auto below = text.next_line(end);
    if (below >= text.text().size()) return end;
    const auto comment = comment_column(text, below);
    if (comment == std::string_view::npos || comment <= column) return end;
    end = text.line_end(below);
  }
}

void remove_block_entries(TextChanges& text, const YamlLayout& block,
                          const std::vector<bool>& removed) {
  const auto& entries = block.children;
  const auto stays_from = [&](std::size_t i) {
    return static_cast<std::size_t>(
        std::find(removed.begin() + static_cast<std::ptrdiff_t>(i), removed.end(), false) -
        removed.begin());
  };
  std::size_t i = 0;
  // The first entry may stand behind a dash: the next one that stays takes its place there.
  if (removed[0] && !text.is_first_on_line(entries[0].entry)) {
    i = stays_from(0);
    text.remove(entries[0].entry, entries[i].entry);
  }
  for (; i < entries.size(); ++i) {
    if (!removed[i]) continue;
    const auto next = stays_from(i);
    remove_lines(text, entries[i], next < entries.size() ? &entries[next] : nullptr);
  }
}

}  // namespace wormhole
