#include <boost/asio.hpp>
#include <cstdio>
#include <memory>
#include <optional>
#include <utility>
#include <variant>

#include "commands.hpp"
#include "exit_code.hpp"
#include "options.hpp"
#include "say.hpp"
#include "state_dir.hpp"
#include "wormhole/api/http_client.hpp"
#include "wormhole/api/status.hpp"
#include "wormhole/shell/client_runner.hpp"

namespace wormhole {

namespace {

struct NetcheckOptions {
  BindOptions where;
  std::string id;
  std::string state_dir;
  std::string server;
  bool json = false;
};

/// The client answers within 5 s.
constexpr std::chrono::milliseconds kPatience{8000};

constexpr auto kHelp =
    "Mapping: what a public port depends on. Filtering: who may answer to it. Ports: how new ones\n"
    "are chosen (RFC 4787). The client that runs here makes the check. Where none runs, --id ID\n"
    "makes a session with that client's identity for as long as the check takes; --server HOST\n"
    "then asks another server. A client with that ID that runs elsewhere would have to end, so\n"
    "name its --bind and --api-port instead.";

/// Lets the client that runs here check; nothing when none runs.
std::optional<Result<std::string>> ask_client(const Endpoint& at) {
  const auto outcome = http_request(at, "POST", "/v1/netcheck", {}, kPatience);
  if (const auto* failure = std::get_if<HttpFailure>(&outcome)) {
    if (failure->nobody_listens) return std::nullopt;
    return Error{failure->message};
  }
  const auto& answer = std::get<HttpAnswer>(outcome);
  if (answer.status == 503)
    return Error{"the client is busy with other NAT checks: try again soon"};
  if (answer.status != 200) {
    return Error{"what answers at " + at.to_string() +
                 " is no wormhole client that checks NATs (HTTP status " +
                 std::to_string(answer.status) + ")"};
  }
  return Result<std::string>(boost::system::in_place_value, answer.body);
}

Result<ClientRunOptions> load(const NetcheckOptions& options) {
  if (options.id.empty()) {
    return Error{"no client answers at " + options.where.api().to_string() +
                 ": start it with 'wormhole client --id ID', name its --bind and --api-port, or "
                 "check without it with --id ID, this machine's enrolled identity"};
  }
  const auto dir = client_state_dir(options.state_dir, options.id);
  if (!dir) return dir.error();
  if (!has_identity(*dir)) {
    return Error{"a NAT check needs an enrolled client, and there is no identity in " + *dir +
                 ": run 'wormhole enroll' with the code that 'wormhole invite " + options.id +
                 "' prints on the server"};
  }
  return load_client(*dir, options.where, options.server);
}

Result<std::string> check_alone(const NetcheckOptions& options) {
  auto run = load(options);
  if (!run) return run.error();
  boost::asio::io_context io{1};
  Result<std::string> outcome = Error{"the check has ended early"};
  ClientRunner runner(io, std::move(*run), [&](const ClientCommand& why) {
    if (const auto* refused = std::get_if<Refused>(&why)) outcome = Error{refused->message};
    io.stop();
  });
  runner.start();
  (void)runner.check_nat([&](const NatCheckReport& report) {  // the only caller finds room
    outcome = Result<std::string>(boost::system::in_place_value, netcheck_json(report));
    io.stop();
  });
  io.run();
  runner.stop();
  return outcome;
}

Result<std::string> check(const NetcheckOptions& options) {
  auto found = ask_client(options.where.api());
  if (!found) return check_alone(options);
  if (!options.server.empty()) {
    return Error{"the client that runs at " + options.where.api().to_string() +
                 " checks with its own server: leave --server out, or stop the client first"};
  }
  return std::move(*found);
}

int netcheck(const NetcheckOptions& options) {
  start_logging("error");
  const auto text = check(options);
  const auto shown = text ? render_nat(*text) : text;
  if (text && options.json) std::printf("%s\n", text->c_str());
  if (!shown) {
    say_error(shown.error().message);
    return kExitFailed;
  }
  if (!options.json) std::fputs(shown->c_str(), stdout);
  return kExitOk;
}

}  // namespace

void add_netcheck_command(CLI::App& app, Run& run) {
  auto options = std::make_shared<NetcheckOptions>();
  CLI::App* command =
      app.add_subcommand("netcheck", "Says how the NAT in front of this machine behaves.");
  command->footer(kHelp);
  command->add_option("--id", options->id, "check as this client when none runs")->check(check_id);
  add_state_dir_option(*command, options->state_dir);
  add_server_option(*command, options->server);
  add_bind_options(*command, options->where);
  command->add_flag("--json", options->json, "one line of JSON");
  command->callback([&run, options] { run = [options] { return netcheck(*options); }; });
}

}  // namespace wormhole
