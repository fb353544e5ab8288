// Where the values of a YAML text stand, byte by byte: what edits of the text go by.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "config/yaml_tree.hpp"

namespace wormhole {

/// One value's place in the text; offsets count bytes. Refers to the tree.
struct YamlLayout {
  const YamlNode* node = nullptr;
  bool flow = false;      ///< list or map: in brackets
  bool bare = false;      ///< a pair in a list in brackets, without braces of its own: [a: b]
  bool colon = true;      ///< value of a map: there is one behind the key ({a} has none)
  std::size_t entry = 0;  ///< begin of its entry: the key, the dash, or the value itself
  std::size_t head = 0;   ///< behind the key's colon, or behind the dash
  std::size_t begin = 0;  ///< of the value; equal to end where nothing is written
  std::size_t end = 0;    ///< behind its last byte, closing quotes and brackets included
  std::vector<YamlLayout> children;  ///< items of a list, values of a map

  bool is_block() const {
    return !flow && (node->kind == YamlNode::Kind::kList || node->kind == YamlNode::Kind::kMap);
  }
  const YamlNode& key(std::size_t child) const { return node->children[2 * child]; }
};

/// `root` is what parse_yaml made of `text`, and outlives the layout.
YamlLayout lay_out(std::string_view text, const YamlNode& root);

/// The first byte from `at` on that is neither blank nor line end nor comment.
std::size_t skip_space(std::string_view text, std::size_t at);

}  // namespace wormhole
