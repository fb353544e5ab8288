#include "config/yaml_writer.hpp"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>

namespace wormhole {
namespace {

namespace json = boost::json;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_alnum(char c) { return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// Whether YAML's core schema takes the text for a number (YAML 1.2.2 10.3.2); signs and a leading
/// point are quoted anyway.
bool is_number(std::string_view text) {
  if (!is_digit(text.front())) return false;
  if (text.starts_with("0x") || text.starts_with("0o")) return true;
  auto at = text.find_first_not_of("0123456789");
  if (at != text.npos && text[at] == '.') at = text.find_first_not_of("0123456789", at + 1);
  if (at == text.npos) return true;
  if (text[at] != 'e' && text[at] != 'E') return false;
  at += at + 1 < text.size() && (text[at + 1] == '+' || text[at + 1] == '-') ? 2 : 1;
  return at < text.size() && text.find_first_not_of("0123456789", at) == text.npos;
}

/// A colon or a blank is only a mark of YAML's at the end of a word.
bool is_plain_at(std::string_view text, std::size_t at) {
  const char c = text[at];
  if (is_alnum(c) || c == '.' || c == '_' || c == '-' || c == '/') return true;
  const bool within = at + 1 < text.size() && is_alnum(text[at + 1]);
  return (c == ':' || c == ' ' || c == '@' || c == '+' || c == '=') && within;
}

bool is_plain(std::string_view text) {
  static constexpr std::array<std::string_view, 3> kNulls{"null", "Null", "NULL"};
  if (text.empty() || !(is_alnum(text[0]) || text[0] == '/' || text[0] == '_')) return false;
  if (std::find(kNulls.begin(), kNulls.end(), text) != kNulls.end() || is_number(text)) {
    return false;
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!is_plain_at(text, i)) return false;
  }
  return true;
}

std::string escaped(char c) {
  if (c == '"' || c == '\\') return {'\\', c};
  const auto code = static_cast<unsigned char>(c);
  if (code >= 0x20 && code != 0x7f) return {c};
  std::array<char, 8> hex{};
  std::snprintf(hex.data(), hex.size(), "\\x%02x", static_cast<unsigned>(code));
  return hex.data();
}

std::string spaces(std::size_t count) { return std::string(count, ' '); }

std::string enclosed(char open, std::string_view text, char close) {
  return std::string(1, open).append(text) += close;
}

std::string behind_blank(std::string_view text) { return std::string(1, ' ').append(text); }

template <typename Container, typename Text>
std::string joined(const Container& entries, const std::string& between, Text text) {
  std::string all;
  for (const auto& entry : entries) {
    if (!all.empty()) all += between;
    all += text(entry);
  }
  return all;
}

}  // namespace

bool has_entries(const json::value& value) {
  return (value.is_object() && !value.get_object().empty()) ||
         (value.is_array() && !value.get_array().empty());
}

std::string yaml_text(std::string_view text) {
  if (is_plain(text)) return std::string(text);
  std::string quotes(1, '"');
  for (const char c : text) quotes += escaped(c);
  return quotes += '"';
}

std::string yaml_inline(const json::value& value) {
  if (value.is_string()) return yaml_text(value.get_string());
  if (const auto* list = value.if_array()) {
    return enclosed('[', joined(*list, ", ", [](const auto& item) { return yaml_inline(item); }),
                    ']');
  }
  if (const auto* map = value.if_object()) {
    const auto pair = [](const auto& entry) {
      return yaml_text(entry.key()) + ": " + yaml_inline(entry.value());
    };
    return enclosed('{', joined(*map, ", ", pair), '}');
  }
  return json::serialize(value);  // null and numbers read the same
}

std::string yaml_after_colon(const json::value& value, std::size_t column, std::size_t width,
                             bool block, const YamlStyle& style) {
  if (value.is_null()) return "";
  if (!has_entries(value)) return behind_blank(yaml_inline(value));
  if (!block) {
    auto line = yaml_inline(value);
    if (column + width + 2 + line.size() <= kMaxYamlColumns) return behind_blank(line);
  }
  const auto inner = column + style.step;
  return style.newline + spaces(inner) + yaml_lines(value, inner, style);
}

std::string yaml_after_dash(const json::value& value, std::size_t column, bool block,
                            const YamlStyle& style) {
  if (value.is_null()) return "";
  const auto inner = column + 2;  // behind "- "
  if (has_entries(value)) {
    auto line = block ? "" : yaml_inline(value);
    if (block || inner + line.size() > kMaxYamlColumns)
      return behind_blank(yaml_lines(value, inner, style));
  }
  return behind_blank(yaml_inline(value));
}

std::string yaml_lines(const json::value& value, std::size_t column, const YamlStyle& style) {
  const auto between = style.newline + spaces(column);
  if (const auto* list = value.if_array()) {
    return joined(*list, between, [&](const auto& item) {
      return std::string(1, '-').append(yaml_after_dash(item, column, false, style));
    });
  }
  return joined(value.get_object(), between, [&](const auto& entry) {
    const auto key = yaml_text(entry.key());
    return key + ":" + yaml_after_colon(entry.value(), column, key.size(), false, style);
  });
}

}  // namespace wormhole
