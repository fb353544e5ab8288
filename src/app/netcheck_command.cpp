#include <boost/asio.hpp>
#include <boost/json.hpp>
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

namespace json = boost::json;

namespace {

struct NetcheckOptions {
  BindOptions where;
  std::string id;
  std::string state_dir;
  std::string server;
  bool json = false;
};

/// The handshake, three tries of each filter test, and a slow path.
constexpr std::chrono::seconds kPatience{6};
constexpr std::chrono::milliseconds kLook{50};

constexpr auto kHelp =
    "Mapping: what a public port depends on. Filtering: who may answer to it. Ports: how new ones\n"
    "are chosen (RFC 4787). A client that runs here is asked for what it has found out; without\n"
    "one, --id NAME checks with that client's identity.";

/// What the client that runs here knows; nothing when none runs.
std::optional<Result<std::string>> ask_client(const Endpoint& at) {
  const auto outcome = http_request(at, "GET", "/v1/status");
  if (const auto* failure = std::get_if<HttpFailure>(&outcome)) {
    if (failure->nobody_listens) return std::nullopt;
    return Error{failure->message};
  }
  boost::system::error_code error;
  const auto status = json::parse(std::get<HttpAnswer>(outcome).body, error);
  const auto* object = error ? nullptr : status.if_object();
  const auto* nat = object == nullptr ? nullptr : object->if_contains("nat");
  if (nat == nullptr) {
    return Error{"what answers at " + at.to_string() + " is no wormhole client that checks NATs"};
  }
  return Result<std::string>(boost::system::in_place_value, json::serialize(*nat));
}

Result<ClientRunOptions> load(const NetcheckOptions& options) {
  if (options.id.empty()) {
    return Error{"no client answers at " + options.where.api().to_string() +
                 ": name its --bind and --api-port, or give --id ID to check without it"};
  }
  const auto dir = client_state_dir(options.state_dir, options.id);
  if (!dir) return dir.error();
  auto identity = load_client_identity(*dir);
  if (!identity) return identity.error();
  auto pins = load_pins(*dir);
  if (!pins) return pins.error();
  ClientRunOptions run;
  run.identity = std::move(*identity);
  run.state_dir = *dir;
  run.bind = *IpAddress::parse(options.where.bind);
  if (!options.server.empty()) run.server = options.server;
  run.pins = std::move(*pins);
  return run;
}

/// Looks until everything is known, at most for kPatience.
struct Watcher {
  Watcher(boost::asio::io_context& context, ClientRunner& client)
      : io(context), runner(client), timer(context) {}

  void look() {
    findings = runner.status().nat;
    if (findings.complete || std::chrono::steady_clock::now() >= until) return io.stop();
    timer.expires_after(kLook);
    timer.async_wait([this](const boost::system::error_code& error) {
      if (!error) look();
    });
  }

  boost::asio::io_context& io;
  ClientRunner& runner;
  boost::asio::steady_timer timer;
  NatFindings findings;
  std::chrono::steady_clock::time_point until = std::chrono::steady_clock::now() + kPatience;
};

Result<std::string> check_alone(const NetcheckOptions& options) {
  auto run = load(options);
  if (!run) return run.error();
  boost::asio::io_context io{1};
  std::string refusal;
  ClientRunner runner(io, std::move(*run), [&](const ClientCommand& why) {
    if (const auto* refused = std::get_if<Refused>(&why)) refusal = refused->message;
    io.stop();
  });
  Watcher watcher(io, runner);
  runner.start();
  watcher.look();
  io.run();
  runner.stop();
  if (!refusal.empty()) return Error{refusal};
  if (!watcher.findings.udp_passes) {
    return Error{"no answer from the server: UDP does not pass here, or the server is unreachable"};
  }
  return {boost::system::in_place_value, nat_json(watcher.findings)};
}

int netcheck(const NetcheckOptions& options) {
  start_logging("error");
  auto found = ask_client(options.where.api());
  const auto text = found ? std::move(*found) : check_alone(options);
  const auto shown = !text || options.json ? text : render_nat(*text);
  if (!shown) {
    say_error(shown.error().message);
    return kExitFailed;
  }
  std::printf("%s%s", shown->c_str(), options.json ? "\n" : "");
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
