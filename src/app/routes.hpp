// routes.yaml for the commands that need it.
#pragma once

#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "wormhole/config/routes_file.hpp"

namespace wormhole {

/// One line each.
void print_errors(const std::vector<ConfigError>& errors, std::FILE* to);

/// The network of the file; otherwise prints what is wrong with it on standard error.
std::optional<Network> load_or_explain(const std::string& path);

}  // namespace wormhole
