#include <signal.h>
#include <spdlog/spdlog.h>

#include <boost/asio.hpp>
#include <chrono>
#include <memory>
#include <optional>
#include <thread>

#include "commands.hpp"
#include "exit_code.hpp"
#include "invite_code.hpp"
#include "options.hpp"
#include "routes.hpp"
#include "say.hpp"
#include "wormhole/api/endpoints.hpp"
#include "wormhole/shell/server_runner.hpp"
#include "wormhole/shell/system_rng.hpp"

namespace wormhole {

namespace {

struct ServerOptions {
  std::string config;
  std::string log_level = "info";
};

/// What `wormhole invite` and `wormhole status` of the server may ask it.
ServerControl control_of(ServerRunner& runner, const NetworkIdentity& identity) {
  ServerControl control;
  control.status = [&runner] { return runner.status(); };
  control.invite = [&runner, identity](const std::string& id, std::uint64_t valid_s,
                                       const ServerControl::OnCode& done) {
    const ClientEntry* client = runner.network().find_client(id);
    if (client != nullptr && client->key) {
      const InviteCode code = descriptor_for(id, *client->key, runner.network(), identity);
      return done({boost::system::in_place_value, encode_invite(code)});
    }
    runner.invite(id, valid_s, [done](const Result<InviteCode>& code) {
      if (!code) return done(code.error());
      done({boost::system::in_place_value, encode_invite(*code)});
    });
  };
  return control;
}

/// SIGHUP reads routes.yaml again; SIGINT and SIGTERM end the server.
void wait_for_signal(boost::asio::signal_set& signals, boost::asio::io_context& io,
                     ServerRunner& runner) {
  signals.async_wait([&](const boost::system::error_code& error, int signal) {
    if (error) return;
    if (signal == SIGHUP) {
      runner.reload();
      return wait_for_signal(signals, io, runner);
    }
    runner.stop();
    io.stop();
  });
}

void serve_control(HttpServer& control, const std::string& path) {
  if (const auto listening = control.listen_unix(path); !listening) {
    return spdlog::warn("no control socket, so 'wormhole invite' needs the server stopped: {}",
                        listening.error().message);
  }
  spdlog::info("control socket at {}", path);
}

int run_until_end(ServerRunOptions options, ServerState state) {
  const std::string state_dir = options.network.server.state_dir;
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
  TokenKeeper keeper(io, state_dir, std::move(*tokens));
  HttpServer control(io, server_control(control_of(runner, identity), keeper));
  serve_control(control, control_socket_path(state_dir));
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
  std::optional<Network> network = load_or_explain(options.config);
  if (!network) return kExitConfiguration;
  SystemRng rng;
  auto state = open_state(network->server.state_dir, rng);
  if (!state) {
    say_error(state.error().message);
    return kExitFailed;
  }
  spdlog::info("wormhole {}: server, {} clients and {} flows in {}, state in {}", WORMHOLE_VERSION,
               network->clients.size(), network->flows.size(), options.config,
               network->server.state_dir);
  return run_until_end({options.config, std::move(*network)}, std::move(*state));
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
