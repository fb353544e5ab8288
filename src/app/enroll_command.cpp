#include <boost/asio.hpp>
#include <chrono>
#include <cstdio>
#include <memory>
#include <optional>

#include "commands.hpp"
#include "exit_code.hpp"
#include "invite_code.hpp"
#include "options.hpp"
#include "say.hpp"
#include "state_dir.hpp"
#include "terminal.hpp"
#include "wormhole/shell/client_runner.hpp"
#include "wormhole/shell/system_rng.hpp"

namespace wormhole {

namespace {

struct EnrollOptions {
  std::string state_dir;
  std::string server;
  std::string log_level = "warning";
};

/// Long enough for a DNS name that fails and for all eight addresses of a code, one a second.
constexpr std::chrono::seconds kPatience{20};

/// Why it did not work, and the exit code for it.
struct Failure {
  std::string message;
  ExitCode code = kExitFailed;
};
using Outcome = std::optional<Failure>;

/// The key to bind: what an earlier try has left, else the client's own, else a new one.
Result<KeyPair> choose_key(const std::string& dir, const InviteCode& code, Rng& rng) {
  auto pending = load_pending_key(dir);
  if (!pending) return pending.error();
  if (*pending) return **pending;
  if (has_identity(dir)) {
    const auto identity = load_client_identity(dir);
    if (!identity) return identity.error();
    if (identity->network.network == code.network.network) return identity->keys;
  }
  if (is_descriptor(code)) {
    return Error{"the key of " + code.statement.id +
                 " stands in routes.yaml, but there is none in " + dir +
                 ": make it with 'wormhole keygen --id " + code.statement.id +
                 "', or remove 'key:' from routes.yaml and make a new code"};
  }
  return make_pending_key(dir, rng);
}

/// A directory that belongs to another ID stays as it is.
Outcome refuse_other_id(const std::string& dir, const std::string& id) {
  if (!has_identity(dir)) return std::nullopt;
  const auto identity = load_client_identity(dir);
  if (!identity) return Failure{identity.error().message};
  if (identity->id == id) return std::nullopt;
  return Failure{"the code is for " + id + ", but " + dir + " belongs to " + identity->id +
                     ": give another directory with --state-dir",
                 kExitUsage};
}

Outcome to_outcome(const ClientCommand& why) {
  if (const auto* refused = std::get_if<Refused>(&why)) {
    return Failure{refused->message, kExitRefused};
  }
  const auto* finished = std::get_if<EnrolFinished>(&why);
  if (finished == nullptr || !finished->error) return std::nullopt;
  return Failure{*finished->error, kExitRefused};
}

/// Binds the key at the server. Trying again with the same code and key is harmless.
Outcome bind_at_server(ClientRunOptions options) {
  boost::asio::io_context io{1};
  Outcome outcome = Failure{};
  bool ended = false;
  ClientRunner runner(io, std::move(options), [&](const ClientCommand& why) {
    outcome = to_outcome(why);
    ended = true;
    io.stop();
  });
  runner.start();
  io.run_for(kPatience);
  if (ended) return outcome;
  const ServerLinkStatus server = runner.status().server;
  runner.stop();
  const std::string why =
      server.reason.empty() ? "the server did not finish the enrolment" : server.reason;
  return Failure{why + " (last tried " + server.address.to_string() +
                 "); nothing is lost: try again with the same code"};
}

Outcome store(const std::string& dir, const ClientIdentity& identity) {
  if (const auto saved = save_client_identity(dir, identity); !saved) {
    return Failure{saved.error().message};
  }
  remove_pending_key(dir);
  return std::nullopt;
}

Outcome enrol(const InviteCode& code, const std::string& dir, const EnrollOptions& options) {
  const std::string& id = code.statement.id;
  if (const auto made = make_state_dir(dir); !made) return Failure{made.error().message};
  if (auto other = refuse_other_id(dir, id)) return other;
  SystemRng rng;
  const Result<KeyPair> keys = choose_key(dir, code, rng);
  if (!keys) return Failure{keys.error().message};

  const ClientIdentity identity{id, *keys, code.server_name, code.addresses, code.network};
  if (is_descriptor(code)) {
    if (code.statement.invite_key == keys->public_key) return store(dir, identity);
    return Failure{"routes.yaml has another key for " + id + " than " + dir +
                       ": put this one under "
                       "'key:' and make a new code: " +
                       to_text(keys->public_key),
                   kExitUsage};
  }
  ClientRunOptions run;
  run.identity = identity;
  run.state_dir = dir;
  if (!options.server.empty()) run.server = options.server;
  run.enrol =
      make_binding(code.invite_seed, code.network.network, code.statement, keys->public_key);
  if (auto failure = bind_at_server(std::move(run))) return failure;
  return store(dir, identity);
}

int enroll(const EnrollOptions& options) {
  start_logging(options.log_level);
  const auto text =
      read_secret("Invite code (it is not shown; paste it and press Enter): ",
                  [](const std::string& so_far) { return decode_invite(so_far).has_value(); });
  const auto code = text ? decode_invite(*text) : Result<InviteCode>(text.error());
  if (!code) {
    say_error(code.error().message);
    return kExitUsage;
  }
  const auto dir = client_state_dir(options.state_dir, code->statement.id);
  const Outcome outcome = dir ? enrol(*code, *dir, options) : Failure{dir.error().message};
  if (outcome) {
    say_error(outcome->message);
    return outcome->code;
  }
  const std::string& id = code->statement.id;
  say("This machine is now " + id + "; its identity is in " + *dir + ". Start it with: wormhole " +
      "client --id " + id + (options.state_dir.empty() ? "" : " --state-dir " + *dir));
  return kExitOk;
}

}  // namespace

void add_enroll_command(CLI::App& app, Run& run) {
  auto options = std::make_shared<EnrollOptions>();
  CLI::App* command = app.add_subcommand(
      "enroll", "Reads an invite code from standard input and makes this machine that client.");
  add_state_dir_option(*command, options->state_dir);
  add_server_option(*command, options->server);
  add_log_level_option(*command, options->log_level);
  command->callback([&run, options] { run = [options] { return enroll(*options); }; });
}

}  // namespace wormhole
