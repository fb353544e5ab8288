#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <variant>

#include "commands.hpp"
#include "exit_code.hpp"
#include "options.hpp"
#include "say.hpp"
#include "wormhole/api/http_client.hpp"
#include "wormhole/api/status.hpp"

namespace wormhole {

namespace {

struct StatusOptions {
  BindOptions where;
  bool json = false;
  bool watch = false;
};

/// What to print: JSON or the table.
Result<std::string> fetch(const StatusOptions& options) {
  const Endpoint at = options.where.api();
  const auto outcome = http_request(at, "GET", "/v1/status");
  if (const auto* failure = std::get_if<HttpFailure>(&outcome)) {
    if (!failure->nobody_listens) return Error{failure->message};
    return Error{"no client answers at " + at.to_string() +
                 ": start it with 'wormhole client --id ID', or name its --bind and --api-port"};
  }
  const auto& answer = std::get<HttpAnswer>(outcome);
  if (answer.status != 200) {
    return Error{"what answers at " + at.to_string() + " is not a wormhole client (HTTP status " +
                 std::to_string(answer.status) + ")"};
  }
  if (options.json) return {boost::system::in_place_value, answer.body + '\n'};
  return render_status(answer.body);
}

int show_once(const StatusOptions& options) {
  const Result<std::string> text = fetch(options);
  if (!text) {
    say_error(text.error().message);
    return kExitFailed;
  }
  std::fputs(text->c_str(), stdout);
  return kExitOk;
}

/// Waits a second; true when Ctrl-C or SIGTERM came, which are blocked otherwise.
bool asked_to_end(const sigset_t& signals) {
  const timespec second{1, 0};
  return ::sigtimedwait(&signals, nullptr, &second) > 0;
}

int watch(const StatusOptions& options) {
  sigset_t signals;
  ::sigemptyset(&signals);
  ::sigaddset(&signals, SIGINT);
  ::sigaddset(&signals, SIGTERM);
  ::sigprocmask(SIG_BLOCK, &signals, nullptr);
  // ECMA-48: cursor home, erase the rest of the screen; on a pipe, blocks follow each other.
  const char* redraw = ::isatty(STDOUT_FILENO) != 0 && !options.json ? "\x1b[H\x1b[J" : "";
  const char* separator = *redraw == 0 && !options.json ? "\n" : "";
  do {
    const Result<std::string> text = fetch(options);
    if (text) {
      std::printf("%s%s%s", redraw, text->c_str(), separator);
    } else {
      if (*redraw != 0) std::printf("%s", redraw);
      say_error(text.error().message);
    }
    if (std::fflush(stdout) != 0) return kExitFailed;
  } while (!asked_to_end(signals));
  return kExitOk;
}

}  // namespace

void add_status_command(CLI::App& app, Run& run) {
  auto options = std::make_shared<StatusOptions>();
  CLI::App* command = app.add_subcommand(
      "status", "Shows the client on this machine: server, peers with their paths, flows.");
  add_bind_options(*command, options->where);
  command->add_flag("--json", options->json, "one line of JSON instead of the table");
  command->add_flag("--watch", options->watch, "again each second, until Ctrl-C");
  command->callback([&run, options] {
    run = [options] { return options->watch ? watch(*options) : show_once(*options); };
  });
}

}  // namespace wormhole
