#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <string_view>

#include "commands.hpp"
#include "exit_code.hpp"
#include "say.hpp"
#include "wormhole/crypto/keys.hpp"

namespace {

using namespace wormhole;

/// Every process on this host can read a command line, so a code that stood there is spent.
bool holds_secret(int argc, char** argv) {
  return std::any_of(argv + 1, argv + argc, [](const char* argument) {
    return std::string_view(argument).find("wormhole-invite-") != std::string_view::npos;
  });
}

int parse_and_run(int argc, char** argv) {
  CLI::App app("Carries named UDP and TCP flows between named machines, sealed end to end.",
               "wormhole");
  app.set_version_flag("--version", "wormhole " WORMHOLE_VERSION);
  app.require_subcommand(1);
  app.footer(kExitCodesHelp);
  Run run;
  for (const auto& add :
       {add_server_command, add_reload_command, add_invite_command, add_token_command,
        add_check_command, add_client_command, add_enroll_command, add_key_commands,
        add_status_command, add_flow_command, add_netcheck_command}) {
    add(app, run);
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error, std::cout, std::cerr);
    return code == 0 ? kExitOk : kExitUsage;
  }
  return run();
}

}  // namespace

int main(int argc, char** argv) {
  if (holds_secret(argc, argv)) {
    say_error(
        "an invite code is a secret and every process on this host can read a command line: run "
        "'wormhole enroll' without it and paste it there, or pipe it in");
    return kExitUsage;
  }
  crypto_init();
  return parse_and_run(argc, argv);
}
