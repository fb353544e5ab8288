// routes.yaml in two steps: text → tree, tree → Network.
#pragma once

#include <optional>
#include <string_view>

#include "config/error_list.hpp"
#include "config/yaml_tree.hpp"
#include "wormhole/model/network.hpp"

namespace wormhole {

/// The tree of a text that is not empty; nothing when there was an error.
std::optional<YamlNode> read_tree(std::string_view text, ErrorList& errors);
/// What the tree says; nothing when there was an error.
std::optional<Network> read_network(const YamlNode& root, ErrorList& errors);

}  // namespace wormhole
