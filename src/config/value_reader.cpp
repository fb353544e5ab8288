#include "config/value_reader.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <utility>

#include "config/key_path.hpp"
#include "wormhole/base/ids.hpp"
#include "wormhole/config/suggest.hpp"

namespace wormhole {

std::string what_it_is(const YamlNode& node) {
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      return "is empty";
    case YamlNode::Kind::kScalar:
      return "is a single value";
    case YamlNode::Kind::kList:
      return "is a list";
    case YamlNode::Kind::kMap:
      return "is a map";
  }
  return "";
}

void add_error(ErrorList& errors, const Value& value, std::string message) {
  errors.add(value.node->place, value.path, std::move(message));
}

MapReader::MapReader(Value map, std::span<const std::string_view> known, ErrorList& errors)
    : map_(std::move(map)), errors_(errors) {
  if (!map_.is(YamlNode::Kind::kMap)) {
    add_error(errors, map_, what_it_is(*map_.node) + "; expected a map with " + one_of(known));
    return;
  }
  const auto& children = map_.node->children;
  for (std::size_t i = 0; i < children.size(); i += 2) {
    const auto& key = children[i].text;
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    errors.add(children[i].place, path_of(map_.path, key),
               "unknown key" + suggestion(key, known) + "; expected " + one_of(known));
  }
}

std::optional<Value> MapReader::find(std::string_view key) const {
  if (!map_.is(YamlNode::Kind::kMap)) return std::nullopt;
  const auto& children = map_.node->children;
  for (std::size_t i = 0; i < children.size(); i += 2) {
    if (children[i].text == key) return Value{&children[i + 1], path_of(map_.path, key)};
  }
  return std::nullopt;
}

std::optional<Value> MapReader::require(std::string_view key, std::string_view expected) {
  if (!map_.is(YamlNode::Kind::kMap)) return std::nullopt;  // has its error already
  auto value = find(key);
  if (!value) {
    errors_.add(map_.node->place, path_of(map_.path, key),
                "is missing; expected " + std::string(expected));
  }
  return value;
}

std::vector<NamedValue> named_values(const Value& map, std::string_view what, ErrorList& errors) {
  std::vector<NamedValue> named;
  if (!map.is(YamlNode::Kind::kMap)) {
    add_error(
        errors, map,
        what_it_is(*map.node) + "; expected a map of " + std::string(what) + "s, or {} for none");
    return named;
  }
  const auto& children = map.node->children;
  for (std::size_t i = 0; i < children.size(); i += 2) {
    const auto& name = children[i].text;
    auto path = path_of(map.path, name);
    if (is_valid_name(name)) {
      named.push_back({children[i].place, name, {&children[i + 1], std::move(path)}});
    } else {
      errors.add(children[i].place, std::move(path),
                 "not a " + std::string(what) +
                     " name; expected 1 to 63 of a-z A-Z 0-9 . _ -, first a letter or digit");
    }
  }
  return named;
}

std::vector<Value> list_items(const Value& list, std::string_view expected, ErrorList& errors) {
  std::vector<Value> items;
  if (!list.is(YamlNode::Kind::kList) || list.node->children.empty()) {
    const auto what = list.is(YamlNode::Kind::kList) ? "is an empty list" : what_it_is(*list.node);
    add_error(errors, list, what + "; expected " + std::string(expected));
    return items;
  }
  for (const auto& node : list.node->children) {
    items.push_back({&node, path_of(list.path, items.size())});
  }
  return items;
}

std::optional<std::string> read_text(const Value& value, std::string_view expected,
                                     ErrorList& errors) {
  const auto& text = value.text();
  auto what = what_it_is(*value.node);
  if (value.is(YamlNode::Kind::kScalar)) {
    // yaml-cpp takes a quote that is never closed up to the end of the file, newline included.
    const bool ragged =
        !text.empty() && (std::isspace(static_cast<unsigned char>(text.back())) != 0);
    if (!text.empty() && !ragged) return text;
    what = text.empty() ? "is an empty text"
                        : quoted(text) + " ends with a space (is its closing quote missing?)";
  }
  add_error(errors, value, what + "; expected " + std::string(expected));
  return std::nullopt;
}

std::optional<std::uint16_t> read_port(const Value& value, ErrorList& errors) {
  const auto& text = value.text();
  const char* end = text.data() + text.size();
  std::uint16_t port = 0;
  const auto [stop, error] = std::from_chars(text.data(), end, port);
  const bool whole = error == std::errc{} && stop == end && port != 0 && text.front() != '0';
  if (value.is(YamlNode::Kind::kScalar) && !value.node->quoted && whole) return port;
  auto what = what_it_is(*value.node);
  if (value.is(YamlNode::Kind::kScalar)) {
    what = quoted(text) + (value.node->quoted ? " is in quotes" : " is not a port");
  }
  add_error(errors, value, what + "; expected a number from 1 to 65535");
  return std::nullopt;
}

}  // namespace wormhole
