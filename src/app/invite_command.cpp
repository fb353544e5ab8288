#include <charconv>
#include <cstdio>
#include <ctime>
#include <memory>
#include <optional>

#include "commands.hpp"
#include "control_call.hpp"
#include "exit_code.hpp"
#include "invite_code.hpp"
#include "options.hpp"
#include "routes.hpp"
#include "say.hpp"
#include "wormhole/api/endpoints.hpp"
#include "wormhole/shell/system_rng.hpp"
#include "wormhole/state/state_files.hpp"

namespace wormhole {

namespace {

struct InviteOptions {
  std::string id;
  std::string config;
  std::string valid = "7d";
};

/// Seconds of "90s", "30m", "12h" or "7d"; 0 when it is none of them or longer than a code may
/// live.
std::uint64_t parse_validity(const std::string& text) {
  std::uint64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc() || end + 1 != text.data() + text.size()) return 0;
  const std::uint64_t unit = *end == 's'   ? 1
                             : *end == 'm' ? 60
                             : *end == 'h' ? 3600
                             : *end == 'd' ? 86'400
                                           : 0;
  if (unit == 0 || count > kMaxInviteSeconds / unit) return 0;
  return count * unit;
}

std::string check_validity(const std::string& text) {
  if (parse_validity(text) != 0) return "";
  return "'" + text + "' is not a time such as 90s, 30m, 12h or 7d, at most 366d";
}

/// Asks the running server; nothing when none runs.
std::optional<Result<std::string>> invite_online(const InviteOptions& options,
                                                 const std::string& state_dir) {
  const auto answer = ask_server(
      state_dir,
      {"POST", "/v1/invites", {{"id", options.id}, {"valid_s", parse_validity(options.valid)}}});
  if (!answer) return std::nullopt;
  if (!*answer) return answer->error();
  return Result<std::string>(boost::system::in_place_value, text_in(**answer, "code"));
}

/// Opens the state directory itself, which the lock guards against a server that starts meanwhile.
Result<std::string> invite_offline(const InviteOptions& options, const Network& network) {
  SystemRng rng;
  auto state = ServerState::open(network.server.state_dir, rng);
  if (!state) return state.error();
  const ClientEntry* client = network.find_client(options.id);
  if (client->key) {
    return {boost::system::in_place_value,
            encode_invite(descriptor_for(options.id, *client->key, network, state->network()))};
  }
  const auto code =
      state->invite(options.id, network, static_cast<std::uint64_t>(std::time(nullptr)),
                    parse_validity(options.valid), rng);
  if (!code) return code.error();
  return {boost::system::in_place_value, encode_invite(*code)};
}

void explain(const InviteOptions& options, const ClientEntry& client) {
  if (client.key) {
    return say("The key of " + options.id +
               " stands in routes.yaml, so this code only tells it server and network. Keep it "
               "confidential; run 'wormhole enroll' there and paste it.");
  }
  say("This code is a secret: it makes one machine " + options.id + ", once, within " +
      options.valid + ". On that machine run 'wormhole enroll' and paste it.");
}

int invite(const InviteOptions& options) {
  const std::optional<Network> network = load_or_explain(options.config);
  if (!network) return kExitConfiguration;
  const ClientEntry* client = network->find_client(options.id);
  if (client == nullptr) {
    say_error("the ID " + options.id + " is not in " + options.config +
              ": add it under 'clients:', save, and try again");
    return kExitConfiguration;
  }
  const auto online = invite_online(options, network->server.state_dir);
  const Result<std::string> code = online ? *online : invite_offline(options, *network);
  if (!code) {
    say_error(code.error().message);
    return kExitFailed;
  }
  std::printf("%s\n", code->c_str());
  explain(options, *client);
  return kExitOk;
}

}  // namespace

void add_invite_command(CLI::App& app, Run& run) {
  auto options = std::make_shared<InviteOptions>();
  CLI::App* command = app.add_subcommand(
      "invite", "Makes a one-time code with which a machine becomes the client ID.");
  command->add_option("ID", options->id, "an ID under 'clients:'")->required()->check(check_id);
  add_config_option(*command, options->config);
  command->add_option("--valid", options->valid, "how long the code can be used (default 7d)")
      ->check(check_validity)
      ->type_name("TIME");
  command->callback([&run, options] { run = [options] { return invite(*options); }; });
}

}  // namespace wormhole
