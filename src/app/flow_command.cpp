#include <boost/json.hpp>
#include <cstdio>
#include <memory>
#include <variant>

#include "commands.hpp"
#include "exit_code.hpp"
#include "options.hpp"
#include "say.hpp"
#include "wormhole/api/http_client.hpp"
#include "wormhole/api/status.hpp"
#include "wormhole/model/network.hpp"

namespace wormhole {

namespace json = boost::json;

namespace {

struct FlowOptions {
  BindOptions where;
  std::string flow;
  std::string side;
};

/// The server answers within 10 s, or the client says that it did not.
constexpr std::chrono::milliseconds kPatience{12'000};

std::string check_side(const std::string& text) {
  if (side_named(text)) return "";
  return "'" + text + "' is not a side: from, to, first, second or mesh";
}

Result<HttpAnswer> ask_client(const FlowOptions& options, const std::string& method,
                              const std::string& path, const std::string& body) {
  const Endpoint at = options.where.api();
  auto outcome = http_request(at, method, path, body, kPatience);
  if (auto* answer = std::get_if<HttpAnswer>(&outcome)) return std::move(*answer);
  const auto& failure = std::get<HttpFailure>(outcome);
  if (!failure.nobody_listens) return Error{failure.message};
  return Error{"no client answers at " + at.to_string() +
               ": start it with 'wormhole client --id ID', or name its --bind and --api-port"};
}

/// The "detail" of an application/problem+json body.
std::string detail_of(const HttpAnswer& answer) {
  boost::system::error_code error;
  const json::value body = json::parse(answer.body, error);
  const json::object* object = error ? nullptr : body.if_object();
  const json::value* detail = object == nullptr ? nullptr : object->if_contains("detail");
  if (detail == nullptr || !detail->is_string()) {
    return "the client does not answer as it should (HTTP status " + std::to_string(answer.status) +
           ")";
  }
  return std::string(detail->get_string());
}

int change(const FlowOptions& options, const char* path) {
  json::object body{{"flow", options.flow}};
  if (!options.side.empty()) body["side"] = options.side;
  const auto answer = ask_client(options, "POST", path, json::serialize(body));
  if (!answer) {
    say_error(answer.error().message);
    return kExitFailed;
  }
  if (answer->status / 100 == 2) return kExitOk;
  say_error(detail_of(*answer));
  return kExitFailed;
}

int list(const FlowOptions& options) {
  const auto answer = ask_client(options, "GET", "/v1/status", "");
  if (!answer) {
    say_error(answer.error().message);
    return kExitFailed;
  }
  const auto table = render_flows(answer->body);
  if (!table) {
    say_error(table.error().message);
    return kExitFailed;
  }
  std::fputs(table->c_str(), stdout);
  return kExitOk;
}

void add_change(CLI::App& parent, Run& run, const std::shared_ptr<FlowOptions>& options,
                const char* name, const char* path, const char* help) {
  CLI::App* command = parent.add_subcommand(name, help);
  command->add_option("FLOW", options->flow, "the flow's name")->required()->check(check_id);
  command->add_option("--side", options->side, "needed where more than one can be meant")
      ->check(check_side)
      ->type_name("SIDE");
  add_bind_options(*command, options->where);
  command->callback([&run, options, path] { run = [=] { return change(*options, path); }; });
}

}  // namespace

void add_flow_command(CLI::App& app, Run& run) {
  auto options = std::make_shared<FlowOptions>();
  CLI::App* command = app.add_subcommand(
      "flow",
      "Shows, joins and leaves flows of the client on this machine, as far as `self_join` "
      "in routes.yaml lets it.");
  command->require_subcommand(1);
  CLI::App* lister = command->add_subcommand("list", "the flows it is in, and those it may join");
  add_bind_options(*lister, options->where);
  lister->callback([&run, options] { run = [options] { return list(*options); }; });
  add_change(*command, run, options, "join", "/v1/join", "puts the client on a side of a flow");
  add_change(*command, run, options, "leave", "/v1/leave", "takes it off");
}

}  // namespace wormhole
