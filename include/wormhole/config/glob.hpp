// Patterns of routes.yaml.
#pragma once

#include <string_view>

namespace wormhole {

/// True when `text` matches `pattern`, where * stands for any characters and ? for one.
bool glob_matches(std::string_view pattern, std::string_view text);

}  // namespace wormhole
