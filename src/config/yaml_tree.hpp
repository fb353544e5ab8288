// YAML text → a tree with places. The only file that knows yaml-cpp is yaml_tree.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/error_list.hpp"

namespace wormhole {

/// One value of the file. A map's children alternate: key, value, key, value; keys are scalars and
/// differ from each other.
struct YamlNode {
  enum class Kind : std::uint8_t { kNull, kScalar, kList, kMap };
  Kind kind = Kind::kNull;
  bool quoted = false;  ///< scalar: written in quotes (or as a block), so not a number
  Place place;
  std::string text;  ///< scalar
  std::vector<YamlNode> children;
};

/// Most values of one file; 65,535 clients with keys are 262,140. Bounds the tree to some 50 MB.
inline constexpr std::size_t kMaxYamlNodes = std::size_t{1} << 19;

/// Bytes that yaml-cpp may read without giving one value: it queues every token of a value in
/// brackets until the bracket closes (some 150 bytes each, measured), so this bounds its memory to
/// 40 MB.
inline constexpr std::size_t kMaxYamlLookahead = std::size_t{256} << 10;

/// Parses one document. Anchors, aliases, tags, duplicate keys, keys that are not plain text, a
/// second document and what yaml-cpp refuses become errors with place and key path. Nothing when
/// there was an error.
std::optional<YamlNode> parse_yaml(std::string_view text, ErrorList& errors);

}  // namespace wormhole
