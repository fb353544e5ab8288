#include <signal.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <boost/asio.hpp>
#include <memory>
#include <variant>

#include "commands.hpp"
#include "exit_code.hpp"
#include "link_outlets.hpp"
#include "options.hpp"
#include "say.hpp"
#include "state_dir.hpp"
#include "wormhole/api/endpoints.hpp"
#include "wormhole/shell/client_runner.hpp"

namespace wormhole {

namespace {

struct ClientOptions {
  std::string id;
  std::string state_dir;
  std::string server;
  std::string log_level = "info";
  BindOptions where;
  bool deliver_anywhere = false;
  LinkOutletOptions outlets;
};

struct Stop {
  std::string message;
  ExitCode code = kExitFailed;
};

/// What the state directory holds, or why the client cannot start.
std::variant<ClientRunOptions, Stop> load(const ClientOptions& options, const std::string& dir) {
  if (!has_identity(dir)) {
    return Stop{"this machine is not " + options.id + " yet (there is no identity in " + dir +
                "): run 'wormhole enroll' with the code that 'wormhole invite " + options.id +
                "' prints on the server"};
  }
  auto run = load_client(dir, options.where, options.server);
  if (!run) return Stop{run.error().message};
  if (run->identity.id != options.id) {
    return Stop{"--id says " + options.id + ", but the identity in " + dir + " is that of " +
                    run->identity.id + ": start it with --id " + run->identity.id +
                    " or give the --state-dir of " + options.id,
                kExitUsage};
  }
  run->deliver_anywhere = options.deliver_anywhere;
  return *std::move(run);
}

void announce(const ClientRunOptions& run) {
  spdlog::info("wormhole {}: client {}, state in {}", WORMHOLE_VERSION, run.identity.id,
               run.state_dir);
  spdlog::info("flow ports on {}", run.bind.to_string());
  if (::access(run.state_dir.c_str(), W_OK) != 0) {
    spdlog::warn("{} is not writable for this user: new keys of peers are forgotten at the end",
                 run.state_dir);
  }
}

/// The API is a window, not a wall: without it the flows go on.
void serve_api(HttpServer& api, const Endpoint& at) {
  if (const auto listening = api.listen(at); !listening) {
    return spdlog::warn("no API, so 'wormhole status' does not work: {}; another port: --api-port",
                        listening.error().message);
  }
  spdlog::info("API at http://{}/v1/status", at.to_string());
}

ExitCode explain_end(const ClientCommand& why) {
  const auto* refused = std::get_if<Refused>(&why);
  if (refused == nullptr) return kExitFailed;
  spdlog::error("{}", refused->message);
  return refused->reason == Refused::Reason::kReplaced ? kExitReplaced : kExitRefused;
}

ClientControl control_of(ClientRunner& runner, LinkOutlets& outlets) {
  return {[&runner, &outlets] {
            auto status = runner.status();
            status.outlets = outlets.status();
            return status;
          },
          [&runner](const MembershipChange& change, ClientControl::OnAnswer done) {
            runner.change_membership(change, std::move(done));
          },
          [&runner](ClientControl::OnNatCheck done) { return runner.check_nat(std::move(done)); },
          &outlets.feed()};
}

int run_until_end(ClientRunOptions run, LinkTargets targets, const Endpoint& api_endpoint) {
  boost::asio::io_context io{1};
  ExitCode result = kExitOk;
  LinkOutlets outlets(io, std::move(targets));
  run.on_link_change = [&outlets](const LinkChange& change) { outlets.tell(change); };
  ClientRunner runner(io, std::move(run), [&](const ClientCommand& why) {
    result = explain_end(why);
    io.stop();
  });
  HttpServer api(io, client_api(control_of(runner, outlets)), client_api_limits());
  boost::asio::signal_set signals(io, SIGINT, SIGTERM);
  signals.async_wait([&](const boost::system::error_code& error, int) {
    if (error) return;
    runner.stop();
    io.stop();
  });
  serve_api(api, api_endpoint);
  runner.start();
  io.run();
  return result;
}

int client(const ClientOptions& options) {
  start_logging(options.log_level);
  auto targets = read_link_targets(options.outlets, options.deliver_anywhere);
  if (!targets) {
    say_error(targets.error().message);
    return kExitUsage;
  }
  const auto dir = client_state_dir(options.state_dir, options.id);
  if (!dir) {
    say_error(dir.error().message);
    return kExitFailed;
  }
  auto loaded = load(options, *dir);
  if (const auto* stop = std::get_if<Stop>(&loaded)) {
    say_error(stop->message);
    return stop->code;
  }
  auto& run = std::get<ClientRunOptions>(loaded);
  announce(run);
  return run_until_end(std::move(run), *std::move(targets), options.where.api());
}

}  // namespace

void add_client_command(CLI::App& app, Run& run) {
  auto options = std::make_shared<ClientOptions>();
  CLI::App* command =
      app.add_subcommand("client", "Runs beside the applications and carries their flows.");
  command->add_option("--id", options->id, "the client's ID")->required()->check(check_id);
  add_state_dir_option(*command, options->state_dir);
  add_server_option(*command, options->server);
  add_bind_options(*command, options->where);
  command->add_flag("--deliver-anywhere", options->deliver_anywhere,
                    "let `deliver` in routes.yaml name other machines (a gateway); else only this "
                    "one's loopback");
  add_link_outlet_options(*command, options->outlets);
  add_log_level_option(*command, options->log_level);
  command->callback([&run, options] { run = [options] { return client(*options); }; });
}

}  // namespace wormhole
