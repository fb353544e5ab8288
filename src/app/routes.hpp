// routes.yaml for the commands that need it.
#pragma once

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "wormhole/config/routes_document.hpp"

namespace wormhole {

/// One line each.
void print_errors(const std::vector<ConfigError>& errors, std::FILE* to);

/// The network of the file; otherwise prints what is wrong with it on standard error.
std::optional<Network> load_or_explain(const std::string& path);
/// The same with its text, for a server that edits it.
std::shared_ptr<const RoutesDocument> load_document_or_explain(const std::string& path);

}  // namespace wormhole
