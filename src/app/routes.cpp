#include "routes.hpp"

namespace wormhole {

void print_errors(const std::vector<ConfigError>& errors, std::FILE* to) {
  for (const ConfigError& error : errors) std::fprintf(to, "%s\n", error.to_string().c_str());
}

std::optional<Network> load_or_explain(const std::string& path) {
  ConfigResult result = load_routes(path);
  if (const auto* errors = std::get_if<std::vector<ConfigError>>(&result)) {
    print_errors(*errors, stderr);
    return std::nullopt;
  }
  return std::move(std::get<Network>(result));
}

}  // namespace wormhole
