#include <boost/json.hpp>
#include <cstdio>
#include <memory>

#include "commands.hpp"
#include "control_call.hpp"
#include "exit_code.hpp"
#include "options.hpp"
#include "routes.hpp"
#include "say.hpp"

namespace wormhole {

namespace json = boost::json;

namespace {

struct ReloadOptions {
  std::string config;
  bool confirm = false;
};

void print_lines(const json::object& answer, std::FILE* to) {
  const json::value* lines = answer.if_contains("lines");
  if (lines == nullptr || !lines->is_array()) return;
  for (const json::value& line : lines->get_array()) {
    if (const json::string* text = line.if_string()) std::fprintf(to, "%s\n", text->c_str());
  }
}

int reload(const ReloadOptions& options) {
  // The file says where the server's socket is; one with errors gets them listed here.
  const std::optional<Network> network = load_or_explain(options.config);
  if (!network) return kExitConfiguration;
  const auto answer =
      ask_server(network->server.state_dir, {"POST", "/v1/reload", {{"confirm", options.confirm}}});
  if (!answer) {
    say_error("no server runs with the state directory " + network->server.state_dir +
              ": it reads " + options.config + " when it starts");
    return kExitFailed;
  }
  if (!*answer) {
    say_error(answer->error().message);
    return kExitFailed;
  }
  const std::string result = text_in(**answer, "result");
  if (result == "in force" || result == "unchanged") {
    print_lines(**answer, stderr);
    std::printf("%s: in force\n", options.config.c_str());
    return kExitOk;
  }
  print_lines(**answer, stderr);
  say_error(options.config + " was not put in force (" + result + ")");
  return result == "refused" ? kExitConfiguration : kExitFailed;
}

}  // namespace

void add_reload_command(CLI::App& app, Run& run) {
  auto options = std::make_shared<ReloadOptions>();
  CLI::App* command = app.add_subcommand(
      "reload",
      "Has the running server read its routes.yaml, as saving it does, and says how it "
      "went.");
  add_config_option(*command, options->config);
  command->add_flag("--confirm", options->confirm,
                    "also when it removes more than a quarter of the clients");
  command->callback([&run, options] { run = [options] { return reload(*options); }; });
}

}  // namespace wormhole
