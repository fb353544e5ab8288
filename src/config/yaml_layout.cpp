#include "config/yaml_layout.hpp"

#include <algorithm>
#include <array>

namespace wormhole {
namespace {

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/// Behind the closing quote of the text that begins at `at`.
std::size_t quoted_end(std::string_view text, std::size_t at) {
  const char quote = text[at];
  for (++at; at < text.size(); ++at) {
    if (text[at] == '\\' && quote == '"') {
      ++at;
    } else if (text[at] == quote) {
      // '' within single quotes is one quote of the text.
      if (quote == '"' || at + 1 >= text.size() || text[at + 1] != quote) return at + 1;
      ++at;
    }
  }
  return text.size();
}

/// Behind the last line of the block scalar (| or >) that begins at `at`: its lines are blank or
/// indented at least as its first one.
std::size_t block_scalar_end(std::string_view text, std::size_t at) {
  std::size_t indent = 0;
  auto end = std::min(text.find('\n', at), text.size());
  for (auto line = end + 1; line < text.size();) {
    const auto first = std::min(text.find_first_not_of(' ', line), text.size());
    const auto stop = std::min(text.find('\n', line), text.size());
    const bool blank = first >= stop || text[first] == '\r';
    if (!blank && indent == 0) indent = first - line;
    if (!blank && (indent == 0 || first - line < indent)) break;
    if (!blank) end = stop > line && text[stop - 1] == '\r' ? stop - 1 : stop;
    line = stop + 1;
  }
  return end;
}

/// A plain scalar has no escapes: its text is what is written, but for how its lines are folded.
std::size_t plain_end(std::string_view text, std::size_t at, std::string_view value) {
  for (const char c : value) {
    if (is_space(c)) continue;
    while (at < text.size() && is_space(text[at])) ++at;
    if (at >= text.size() || text[at] != c) break;
    ++at;
  }
  return std::min(at, text.size());
}

/// Bytes of a null that is written as a word at `at`; 0 when there is none.
std::size_t null_word(std::string_view text, std::size_t at) {
  static constexpr std::array<std::string_view, 4> kWords{"~", "null", "Null", "NULL"};
  const auto rest = text.substr(std::min(at, text.size()));
  for (const auto word : kWords) {
    if (!rest.starts_with(word)) continue;
    const auto after = rest.substr(word.size(), 1);
    if (after.empty() || is_space(after[0]) || after.find_first_of(",]}") == 0) return word.size();
  }
  return 0;
}

class Surveyor {
 public:
  explicit Surveyor(std::string_view text) : text_(text) {
    // A byte order mark counts in no column.
    line_starts_.push_back(text.starts_with("\xef\xbb\xbf") ? 3 : 0);
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] == '\n') line_starts_.push_back(i + 1);
    }
  }

  /// The value of `node`; `from` is behind what comes before it.
  YamlLayout survey(const YamlNode& node, std::size_t from, bool in_flow) const {
    YamlLayout at;
    at.node = &node;
    at.head = from;
    switch (node.kind) {
      case YamlNode::Kind::kNull:
        survey_null(at);
        break;
      case YamlNode::Kind::kScalar:
        at.begin = offset_of(node.place);
        at.end = scalar_end(node);
        break;
      case YamlNode::Kind::kList:
      case YamlNode::Kind::kMap:
        survey_children(at, in_flow);
        break;
    }
    at.entry = at.begin;
    return at;
  }

 private:
  char byte(std::size_t at) const { return at < text_.size() ? text_[at] : '\0'; }

  std::size_t offset_of(Place place) const {
    const auto line = std::clamp<std::size_t>(place.line, 1, line_starts_.size()) - 1;
    const auto column = std::max<std::size_t>(place.column, 1) - 1;
    return std::min(line_starts_[line] + column, text_.size());
  }

  std::size_t scalar_end(const YamlNode& node) const {
    const auto at = offset_of(node.place);
    if (!node.quoted) return plain_end(text_, at, node.text);
    const char c = byte(at);
    return c == '"' || c == '\'' ? quoted_end(text_, at) : block_scalar_end(text_, at);
  }

  void survey_null(YamlLayout& at) const {
    at.begin = at.end = at.head;
    const auto word = skip_space(text_, at.head);
    const auto length = null_word(text_, word);
    if (length == 0) return;
    at.begin = word;
    at.end = word + length;
  }

  void survey_children(YamlLayout& at, bool in_flow) const {
    at.begin = offset_of(at.node->place);
    const char open = byte(at.begin);
    const bool brackets = open == '[' || open == '{';
    at.flow = in_flow || brackets;
    at.bare = in_flow && !brackets;
    auto from = brackets ? at.begin + 1 : at.begin;
    const bool is_map = at.node->kind == YamlNode::Kind::kMap;
    for (std::size_t i = 0; i < at.node->children.size(); i += is_map ? 2 : 1) {
      at.children.push_back(is_map ? survey_pair(*at.node, i, from, at.flow)
                                   : survey_item(at.node->children[i], from, at.flow));
      from = at.children.back().end;
      if (brackets && byte(skip_space(text_, from)) == ',') from = skip_space(text_, from) + 1;
    }
    at.end = brackets ? std::min(skip_space(text_, from) + 1, text_.size()) : from;
  }

  YamlLayout survey_pair(const YamlNode& map, std::size_t i, std::size_t from, bool flow) const {
    const auto& key = map.children[i];
    const auto key_end = std::max(scalar_end(key), from);
    const auto colon = skip_space(text_, key_end);
    const bool has_colon = byte(colon) == ':';
    auto value = survey(map.children[i + 1], has_colon ? colon + 1 : key_end, flow);
    const auto next = std::min(text_.find_first_not_of(' ', value.head), text_.size());
    if (flow && has_colon && value.begin == value.end && (byte(next) == ',' || byte(next) == '}')) {
      value.begin = value.end = next;  // {a: , b: }: there would be a value before the comma
    }
    value.entry = offset_of(key.place);
    value.colon = has_colon;
    return value;
  }

  YamlLayout survey_item(const YamlNode& item, std::size_t from, bool flow) const {
    if (flow) return survey(item, skip_space(text_, from), true);
    const auto dash = skip_space(text_, from);
    auto value = survey(item, std::min(dash + 1, text_.size()), false);
    value.entry = dash;
    return value;
  }

  std::string_view text_;
  std::vector<std::size_t> line_starts_;
};

}  // namespace

std::size_t skip_space(std::string_view text, std::size_t at) {
  while (at < text.size() && (is_space(text[at]) || text[at] == '#')) {
    at = text[at] == '#' ? std::min(text.find('\n', at), text.size()) : at + 1;
  }
  return at;
}

YamlLayout lay_out(std::string_view text, const YamlNode& root) {
  return Surveyor(text).survey(root, 0, false);
}

}  // namespace wormhole
