// Entries of maps and lists in brackets: coming, going.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "config/text_changes.hpp"
#include "config/yaml_layout.hpp"

namespace wormhole {

/// What happens to the entries of one map or list in brackets, of which at least one stays.
struct FlowPlan {
  std::vector<bool> removed;                        ///< per entry
  std::vector<std::string> first;                   ///< new in front of all
  std::vector<std::vector<std::string>> following;  ///< new behind each; none behind removed ones
};

/// Commas, lines and comments come out as the others have them.
void edit_flow_entries(TextChanges& text, const YamlLayout& flow, const FlowPlan& plan,
                       const std::string& newline);

}  // namespace wormhole
