#include <cstdio>
#include <memory>
#include <variant>

#include "commands.hpp"
#include "exit_code.hpp"
#include "options.hpp"
#include "routes.hpp"

namespace wormhole {

namespace {

std::string counted(std::size_t count, const std::string& what) {
  return std::to_string(count) + ' ' + what + (count == 1 ? "" : "s");
}

int check(const std::string& path) {
  const ConfigResult result = load_routes(path);
  if (const auto* errors = std::get_if<std::vector<ConfigError>>(&result)) {
    print_errors(*errors, stdout);
    return kExitConfiguration;
  }
  const Network& network = std::get<Network>(result);
  std::printf("%s: ok: %s, %s\n", path.c_str(), counted(network.clients.size(), "client").c_str(),
              counted(network.flows.size(), "flow").c_str());
  return kExitOk;
}

}  // namespace

void add_check_command(CLI::App& app, Run& run) {
  auto path = std::make_shared<std::string>();
  CLI::App* command = app.add_subcommand(
      "check", "Says whether a routes.yaml is valid: each error with its line and column.");
  add_config_option(*command, *path);
  command->callback([&run, path] { run = [path] { return check(*path); }; });
}

}  // namespace wormhole
