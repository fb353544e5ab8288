#include <boost/json.hpp>
#include <cstdint>
#include <cstdio>
#include <ctime>
#include <memory>
#include <optional>
#include <vector>

#include "commands.hpp"
#include "control_call.hpp"
#include "exit_code.hpp"
#include "options.hpp"
#include "routes.hpp"
#include "say.hpp"
#include "wormhole/shell/system_rng.hpp"
#include "wormhole/state/tokens.hpp"

namespace wormhole {

namespace json = boost::json;

namespace {

struct TokenOptions {
  std::string name;
  std::string scope = "read";
  std::string config;
};

std::string check_scope(const std::string& text) {
  if (scope_named(text)) return "";
  return "'" + text + "' is not a scope: read, edit or admin";
}

std::string check_token_name(const std::string& text) {
  return check_id(text).empty() ? ""
                                : "this is not a name for a token: 1 to 63 of a-z A-Z 0-9 . _ -";
}

/// Changes the list in the state directory, whose lock keeps a server from starting meanwhile.
template <typename T, typename Change>
Result<T> change_offline(const std::string& dir, Change change) {
  const auto lock = lock_state_directory(dir);
  if (!lock) return lock.error();
  auto tokens = load_tokens(dir);
  if (!tokens) return tokens.error();
  Result<T> answer = change(*tokens);
  if (!answer) return answer;
  if (const auto saved = save_tokens(dir, *tokens); !saved) return saved.error();
  return answer;
}

Result<std::string> add_token(const TokenOptions& options, const std::string& dir) {
  const auto online =
      ask_server(dir, {"POST", "/v1/tokens", {{"name", options.name}, {"scope", options.scope}}});
  if (online && !*online) return online->error();
  if (online) return {boost::system::in_place_value, text_in(**online, "token")};
  return change_offline<std::string>(dir, [&options](TokenList& tokens) {
    SystemRng rng;
    return tokens.add(options.name, *scope_named(options.scope),
                      static_cast<std::uint64_t>(std::time(nullptr)), rng);
  });
}

Result<void> remove_token(const TokenOptions& options, const std::string& dir) {
  const auto online = ask_server(dir, {"DELETE", "/v1/tokens/" + options.name});
  if (online && !*online) return online->error();
  if (online) return {};
  return change_offline<void>(
      dir, [&options](TokenList& tokens) { return tokens.remove(options.name); });
}

std::string date(std::uint64_t unix_seconds) {
  const auto time = static_cast<std::time_t>(unix_seconds);
  std::tm utc{};
  char text[16] = "?";
  if (::gmtime_r(&time, &utc) != nullptr) std::strftime(text, sizeof text, "%Y-%m-%d", &utc);
  return text;
}

/// The state directory of the file; otherwise prints what is wrong with it.
std::optional<std::string> state_dir_of(const TokenOptions& options) {
  const std::optional<Network> network = load_or_explain(options.config);
  return network ? std::optional(network->server.state_dir) : std::nullopt;
}

int failed(const Error& error) {
  say_error(error.message);
  return kExitFailed;
}

int add(const TokenOptions& options) {
  const auto dir = state_dir_of(options);
  if (!dir) return kExitConfiguration;
  const auto token = add_token(options, *dir);
  if (!token) return failed(token.error());
  std::printf("%s\n", token->c_str());
  say("This token is a secret and is shown only now. Programs send it as 'Authorization: Bearer "
      "TOKEN'; 'wormhole token remove " +
      options.name + "' ends it. From now on every REST request needs a token.");
  return kExitOk;
}

struct TokenRow {
  std::string name;
  std::string scope;
  std::uint64_t created_s = 0;
};

std::vector<TokenRow> rows_of(const json::object& answer) {
  std::vector<TokenRow> rows;
  const json::value* list = answer.if_contains("tokens");
  if (list == nullptr || !list->is_array()) return rows;
  for (const json::value& entry : list->get_array()) {
    const json::object* token = entry.if_object();
    if (token == nullptr) continue;
    const json::value* created = token->if_contains("created_s");
    const bool known = created != nullptr && created->is_int64();
    rows.push_back({text_in(*token, "name"), text_in(*token, "scope"),
                    known ? static_cast<std::uint64_t>(created->get_int64()) : 0});
  }
  return rows;
}

/// From the running server, else from its file.
Result<std::vector<TokenRow>> list_tokens(const std::string& dir) {
  const auto online = ask_server(dir, {"GET", "/v1/tokens"});
  if (online && !*online) return online->error();
  if (online) return rows_of(**online);
  const auto tokens = load_tokens(dir);
  if (!tokens) return tokens.error();
  std::vector<TokenRow> rows;
  for (const TokenRecord& token : tokens->records()) {
    rows.push_back({token.name, std::string(scope_name(token.scope)), token.created_s});
  }
  return rows;
}

int list(const TokenOptions& options) {
  const auto dir = state_dir_of(options);
  if (!dir) return kExitConfiguration;
  const auto tokens = list_tokens(*dir);
  if (!tokens) return failed(tokens.error());
  if (tokens->empty()) {
    say("There is no token; 'wormhole token add NAME --scope edit' makes one.");
    return kExitOk;
  }
  std::printf("%-24s  %-5s  %s\n", "NAME", "SCOPE", "MADE");
  for (const TokenRow& token : *tokens) {
    std::printf("%-24s  %-5s  %s\n", token.name.c_str(), token.scope.c_str(),
                date(token.created_s).c_str());
  }
  return kExitOk;
}

int remove(const TokenOptions& options) {
  const auto dir = state_dir_of(options);
  if (!dir) return kExitConfiguration;
  if (const auto removed = remove_token(options, *dir); !removed) return failed(removed.error());
  say("The token " + options.name + " is not accepted any more.");
  return kExitOk;
}

CLI::App& add_action(CLI::App& group, Run& run, const std::shared_ptr<TokenOptions>& options,
                     const char* name, const char* what, int (*action)(const TokenOptions&)) {
  CLI::App& command = *group.add_subcommand(name, what);
  add_config_option(command, options->config);
  command.callback(
      [&run, options, action] { run = [options, action] { return action(*options); }; });
  return command;
}

void add_name(CLI::App& command, TokenOptions& options) {
  command.add_option("NAME", options.name, "what the token is for, such as dashboard")
      ->required()
      ->check(check_token_name);
}

}  // namespace

void add_token_command(CLI::App& app, Run& run) {
  auto options = std::make_shared<TokenOptions>();
  CLI::App* group =
      app.add_subcommand("token", "Makes, lists and removes tokens for the server's REST API.");
  group->require_subcommand(1);
  CLI::App& adds =
      add_action(*group, run, options, "add", "Makes a token and prints it once.", add);
  add_name(adds, *options);
  adds.add_option("--scope", options->scope, "read (default), edit or admin")
      ->check(check_scope)
      ->type_name("SCOPE");
  add_action(*group, run, options, "list", "Names all tokens.", list);
  add_name(add_action(*group, run, options, "remove", "Ends a token.", remove), *options);
}

}  // namespace wormhole
