// Reading typed values off the tree; what does not fit becomes an error with its place.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/error_list.hpp"
#include "config/yaml_tree.hpp"

namespace wormhole {

/// A value and its key path. Refers to the tree.
struct Value {
  const YamlNode* node = nullptr;
  std::string path;

  bool is(YamlNode::Kind kind) const { return node->kind == kind; }
  const std::string& text() const { return node->text; }
};

/// "is empty", "is a list" …
std::string what_it_is(const YamlNode& node);
void add_error(ErrorList& errors, const Value& value, std::string message);

/// A map with a fixed set of keys.
class MapReader {
 public:
  /// `known` are the keys that may stand here, for all others there is an error each.
  MapReader(Value map, std::span<const std::string_view> known, ErrorList& errors);

  std::optional<Value> find(std::string_view key) const;
  /// Like find, with an error when the key is missing or empty; `expected` ends its text.
  std::optional<Value> require(std::string_view key, std::string_view expected);
  bool has(std::string_view key) const { return find(key).has_value(); }
  const Value& value() const { return map_; }

 private:
  Value map_;
  ErrorList& errors_;
};

/// A key of a map whose keys are names that the file chooses.
struct NamedValue {
  Place key_place;
  std::string name;
  Value value;
};
/// The entries of such a map in the file's order. Invalid names (is_valid_name) are errors and left
/// out; `what` says what they name.
std::vector<NamedValue> named_values(const Value& map, std::string_view what, ErrorList& errors);

/// Items of a list that is neither missing nor empty; `expected` ends the error's text.
std::vector<Value> list_items(const Value& list, std::string_view expected, ErrorList& errors);

/// A text scalar; `expected` ends the error's text.
std::optional<std::string> read_text(const Value& value, std::string_view expected,
                                     ErrorList& errors);
/// A port, 1–65535, as a plain decimal number.
std::optional<std::uint16_t> read_port(const Value& value, ErrorList& errors);

}  // namespace wormhole
