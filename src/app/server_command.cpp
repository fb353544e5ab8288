#include <signal.h>
#include <spdlog/spdlog.h>

#include <boost/asio.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>

#include "commands.hpp"
#include "exit_code.hpp"
#include "options.hpp"
#include "routes.hpp"
#include "say.hpp"
#include "server_doors.hpp"
#include "wormhole/shell/server_runner.hpp"
#include "wormhole/shell/system_rng.hpp"

namespace wormhole {

namespace {

struct ServerOptions {
  std::string config;
  std::string log_level = "info";
};

/// SIGHUP reads routes.yaml again; SIGINT and SIGTERM end the server.
void wait_for_signal(boost::asio::signal_set& signals, boost::asio::io_context& io,
                     ServerRunner& runner) {
  signals.async_wait([&](const boost::system::error_code& error, int signal) {
    if (error) return;
    if (signal == SIGHUP) {
      runner.reload(false, [](const ReloadReport&) {});
      return wait_for_signal(signals, io, runner);
    }
    runner.stop();
    io.stop();
  });
}

int run_until_end(ServerRunOptions options, ServerState state) {
  const std::string state_dir = options.document->network.server.state_dir;
  auto tokens = load_tokens(state_dir);
  if (!tokens) {
    say_error(tokens.error().message);
    return kExitFailed;
  }
  const NetworkIdentity identity = state.network();
  boost::asio::io_context io{1};
  ServerRunner runner(io, std::move(options), std::move(state));
  if (const auto started = runner.start(); !started) {
    say_error(started.error().message);
    return kExitFailed;
  }
  ServerDoors doors(io, runner, identity, std::move(*tokens));
  if (const auto opened = doors.open(); !opened) {
    say_error(opened.error().message);
    return kExitFailed;
  }
  boost::asio::signal_set signals(io, SIGINT, SIGTERM, SIGHUP);
  wait_for_signal(signals, io, runner);
  io.run();
  return kExitOk;
}

/// `wormhole invite` beside a starting server may hold the directory for some milliseconds: that
/// passes.
Result<ServerState> open_state(const std::string& dir, Rng& rng) {
  constexpr auto kPatience = std::chrono::milliseconds(500);  // an invite takes 20
  constexpr auto kPause = std::chrono::milliseconds(50);
  const auto until = std::chrono::steady_clock::now() + kPatience;
  for (;;) {
    auto state = ServerState::open(dir, rng);
    if (state || std::chrono::steady_clock::now() >= until) return state;
    std::this_thread::sleep_for(kPause);
  }
}

int server(const ServerOptions& options) {
  start_logging(options.log_level);
  auto document = load_document_or_explain(options.config);
  if (!document) return kExitConfiguration;
  const auto& network = document->network;
  SystemRng rng;
  auto state = open_state(network.server.state_dir, rng);
  if (!state) {
    say_error(state.error().message);
    return kExitFailed;
  }
  spdlog::info("wormhole {}: server, {} clients and {} flows in {}, state in {}", WORMHOLE_VERSION,
               network.clients.size(), network.flows.size(), options.config,
               network.server.state_dir);
  return run_until_end({options.config, std::move(document)}, std::move(*state));
}

}  // namespace

void add_server_command(CLI::App& app, Run& run) {
  auto options = std::make_shared<ServerOptions>();
  CLI::App* command =
      app.add_subcommand("server", "Runs on a public address: introduces clients and relays.");
  add_config_option(*command, options->config);
  add_log_level_option(*command, options->log_level);
  command->callback([&run, options] { run = [options] { return server(*options); }; });
}

}  // namespace wormhole
