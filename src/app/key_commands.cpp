// keygen and trust: the manual way, for keys that stand in routes.yaml.
#include <cstdio>
#include <memory>

#include "commands.hpp"
#include "exit_code.hpp"
#include "options.hpp"
#include "say.hpp"
#include "state_dir.hpp"
#include "wormhole/shell/system_rng.hpp"
#include "wormhole/state/state_files.hpp"

namespace wormhole {

namespace {

struct KeyOptions {
  std::string id;
  std::string state_dir;
  std::string peer;
  std::string key;
};

int failed(const Error& error) {
  say_error(error.message);
  return kExitFailed;
}

int keygen(const KeyOptions& options) {
  const Result<std::string> dir = client_state_dir(options.state_dir, options.id);
  if (!dir) return failed(dir.error());
  if (const auto made = make_state_dir(*dir); !made) return failed(made.error());
  const auto pending = load_pending_key(*dir);
  if (!pending) return failed(pending.error());
  SystemRng rng;
  const Result<KeyPair> keys = *pending ? Result<KeyPair>(**pending) : make_pending_key(*dir, rng);
  if (!keys) return failed(keys.error());
  std::printf("%s: {key: \"%s\"}\n", options.id.c_str(), to_text(keys->public_key).c_str());
  say("This line belongs under 'clients:' in routes.yaml. Then 'wormhole invite " + options.id +
      "' on the server prints a code, and 'wormhole enroll' here takes it.");
  return kExitOk;
}

int trust(const KeyOptions& options) {
  const auto key = parse_public_key(options.key);
  if (!key) {
    say_error("'" + options.key +
              "' is not a public key (wh1...): take the one that stands under "
              "'key:' of " +
              options.peer +
              " in routes.yaml, or that 'wormhole keygen' printed "
              "there");
    return kExitUsage;
  }
  const Result<std::string> dir = client_state_dir(options.state_dir, options.id);
  if (!dir) return failed(dir.error());
  if (!has_identity(*dir)) {
    return failed({"there is no client in " + *dir + ": name its --id or --state-dir"});
  }
  auto pins = load_pins(*dir);
  if (!pins) return failed(pins.error());
  // The serial stays: a lower one would let an older signed key in again.
  (*pins)[options.peer].key = *key;
  if (const auto saved = save_pins(*dir, *pins); !saved) return failed(saved.error());
  say("The key of " + options.peer + " is now " + fingerprint(*key) + ".");
  return kExitOk;
}

}  // namespace

void add_key_commands(CLI::App& app, Run& run) {
  auto options = std::make_shared<KeyOptions>();
  CLI::App* command = app.add_subcommand(
      "keygen", "Makes this client's key and prints its line for routes.yaml (the manual way).");
  command->add_option("--id", options->id, "the client's ID")->required()->check(check_id);
  add_state_dir_option(*command, options->state_dir);
  command->callback([&run, options] { run = [options] { return keygen(*options); }; });

  command = app.add_subcommand(
      "trust", "Accepts the key of a peer that stands in routes.yaml and is not signed.");
  command->add_option("PEER", options->peer, "the peer's ID")->required()->check(check_id);
  command->add_option("KEY", options->key, "its public key, wh1...")->required();
  command->add_option("--id", options->id, "this client's ID")->required()->check(check_id);
  add_state_dir_option(*command, options->state_dir);
  command->callback([&run, options] { run = [options] { return trust(*options); }; });
}

}  // namespace wormhole
