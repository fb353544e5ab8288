#include "config/text_changes.hpp"

#include <algorithm>
#include <utility>

namespace wormhole {

void TextChanges::replace(std::size_t begin, std::size_t end, std::string text) {
  changes_.push_back({begin, end, std::move(text)});
}

std::optional<std::string> TextChanges::apply() {
  std::stable_sort(changes_.begin(), changes_.end(),
                   [](const Change& a, const Change& b) { return a.begin < b.begin; });
  std::string result;
  std::size_t done = 0;
  bool removing = false;
  for (const auto& change : changes_) {
    const bool removes = change.text.empty();
    if (change.begin < done && !(removing && removes)) return std::nullopt;
    const auto begin = std::max(change.begin, done);
    result.append(text_.substr(done, begin - done)).append(change.text);
    done = std::max(change.end, begin);
    removing = removes;
  }
  return result.append(text_.substr(done));
}

std::size_t TextChanges::line_begin(std::size_t at) const {
  const auto before = at == 0 ? text_.npos : text_.rfind('\n', at - 1);
  if (before != text_.npos) return before + 1;
  return text_.starts_with("\xef\xbb\xbf") ? 3 : 0;
}

std::size_t TextChanges::line_end(std::size_t at) const {
  const auto end = std::min(text_.find('\n', at), text_.size());
  return end > at && text_[end - 1] == '\r' ? end - 1 : end;
}

std::size_t TextChanges::next_line(std::size_t at) const {
  return std::min(std::min(text_.find('\n', at), text_.size() - 1) + 1, text_.size());
}

std::size_t TextChanges::previous_line_end(std::size_t at) const {
  const auto begin = line_begin(at);
  if (begin == 0 || text_[begin - 1] != '\n') return begin;
  return begin > 1 && text_[begin - 2] == '\r' ? begin - 2 : begin - 1;
}

bool TextChanges::is_first_on_line(std::size_t at) const {
  const auto begin = line_begin(at);
  return text_.substr(begin, at - begin).find_first_not_of(' ') == text_.npos;
}

bool TextChanges::is_last_on_line(std::size_t at) const {
  const auto rest = text_.substr(at, line_end(at) - at);
  const auto first = rest.find_first_not_of(" \t");
  return first == rest.npos || rest[first] == '#';
}

}  // namespace wormhole
