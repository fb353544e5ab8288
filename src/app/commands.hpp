// The commands of the program: one function each, which adds the command and its options.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>

namespace wormhole {

/// What the parsed command line asks for; returns the exit code.
using Run = std::function<int()>;

void add_server_command(CLI::App& app, Run& run);
void add_client_command(CLI::App& app, Run& run);
void add_invite_command(CLI::App& app, Run& run);
void add_enroll_command(CLI::App& app, Run& run);
void add_key_commands(CLI::App& app, Run& run);  // keygen, trust
void add_check_command(CLI::App& app, Run& run);
void add_reload_command(CLI::App& app, Run& run);
void add_flow_command(CLI::App& app, Run& run);
void add_token_command(CLI::App& app, Run& run);
void add_netcheck_command(CLI::App& app, Run& run);
void add_status_command(CLI::App& app, Run& run);

}  // namespace wormhole
