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

std::shared_ptr<const RoutesDocument> load_document_or_explain(const std::string& path) {
  auto text = read_routes_text(path);
  if (const auto* error = std::get_if<ConfigError>(&text)) {
    print_errors({*error}, stderr);
    return nullptr;
  }
  auto result = parse_document(std::move(std::get<std::string>(text)), path);
  if (const auto* errors = std::get_if<std::vector<ConfigError>>(&result)) {
    print_errors(*errors, stderr);
    return nullptr;
  }
  return std::make_shared<const RoutesDocument>(std::move(std::get<RoutesDocument>(result)));
}

}  // namespace wormhole
