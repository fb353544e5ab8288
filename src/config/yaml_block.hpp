// Entries of maps and lists in block style, one or more lines each: coming, going.
#pragma once

#include <cstddef>
#include <vector>

#include "config/text_changes.hpp"
#include "config/yaml_layout.hpp"

namespace wormhole {

/// Where the lines of an entry end: of its value, and of comments directly behind that are indented
/// deeper than the entry.
std::size_t block_entry_end(const TextChanges& text, const YamlLayout& entry);

/// Takes those entries of `block` out; at least one stays.
void remove_block_entries(TextChanges& text, const YamlLayout& block,
                          const std::vector<bool>& removed);

}  // namespace wormhole
