// What must hold of a file's bytes before a YAML parser sees them.
#pragma once

#include <optional>
#include <string_view>

#include "config/error_list.hpp"

namespace wormhole {

struct TextProblem {
  Place place;
  std::string message;
};

/// The first thing that is wrong with `text` as text: too large, not UTF-8, control characters,
/// tabs outside comments, no line end at the end.
std::optional<TextProblem> check_text(std::string_view text);

}  // namespace wormhole
