#include "wormhole/api/endpoints.hpp"

#include <boost/json.hpp>
#include <optional>

#include "json_body.hpp"
#include "router.hpp"
#include "token_paths.hpp"
#include "wormhole/api/congestion.hpp"
#include "wormhole/api/status.hpp"

namespace wormhole {

namespace json = boost::json;

namespace {

struct InviteRequest {
  std::string id;
  std::uint64_t valid_s = kDefaultInviteSeconds;
};

/// nothing when it is not {"id": NAME} or {"id": NAME, "valid_s": 1…kMaxInviteSeconds}.
std::optional<InviteRequest> parse_invite_request(const std::string& body) {
  boost::system::error_code error;
  const json::value value = json::parse(body, error);
  const json::object* object = error ? nullptr : value.if_object();
  if (object == nullptr) return std::nullopt;
  InviteRequest request;
  for (const auto& [key, member] : *object) {
    if (key == "id" && member.is_string()) {
      request.id = member.get_string();
    } else if (key == "valid_s" && member.is_int64() && member.get_int64() > 0) {
      request.valid_s = static_cast<std::uint64_t>(member.get_int64());
    } else {
      return std::nullopt;
    }
  }
  if (!is_valid_name(request.id) || request.valid_s > kMaxInviteSeconds) return std::nullopt;
  return request;
}

void post_invite(const ServerControl& control, const HttpRequest& http, const HttpReply& reply) {
  const auto request = parse_invite_request(http.body);
  if (!request) {
    return reply(problem(400,
                         R"(The body is not {"id": "drone3", "valid_s": 604800}: a valid ID and )"
                         "1 second to 366 days."));
  }
  control.invite(request->id, request->valid_s, [reply](Result<std::string> code) {
    if (!code) return reply(problem(409, code.error().message));
    reply({201, json::serialize(json::object{{"code", *code}})});
  });
}

/// Nothing when it is not {"flow": NAME} or {"flow": NAME, "side": SIDE}.
std::optional<MembershipChange> parse_membership(const std::string& body, bool join) {
  const auto value = parse_json_body(body);
  if (!value || !value->is_object()) return std::nullopt;
  MembershipChange change;
  change.join = join;
  for (const auto& [key, member] : value->get_object()) {
    if (!member.is_string()) return std::nullopt;
    const std::string text(member.get_string());
    if (key == "flow") {
      change.flow = text;
    } else if (key == "side" && side_named(text)) {
      change.side = side_named(text);
    } else {
      return std::nullopt;
    }
  }
  if (!is_valid_name(change.flow)) return std::nullopt;
  return change;
}

void post_membership(const ClientControl& control, bool join, const HttpRequest& http,
                     const HttpReply& reply) {
  const auto change = parse_membership(http.body, join);
  if (!change) {
    return reply(problem(400, R"(The body is not {"flow": "video", "side": "to"}: a flow's name )"
                              "and, where needed, from, to, first, second or mesh."));
  }
  control.change_membership(*change, [reply](const std::optional<std::string>& error) {
    if (error) return reply(problem(409, *error));
    reply({204, ""});
  });
}

std::string_view result_name(ReloadReport::What what) {
  switch (what) {
    case ReloadReport::What::kInForce:
      return "in force";
    case ReloadReport::What::kUnchanged:
      return "unchanged";
    case ReloadReport::What::kRefused:
      return "refused";
    case ReloadReport::What::kHeld:
      return "held";
  }
  return "";
}

void post_reload(const ServerControl& control, const HttpRequest& http, const HttpReply& reply) {
  const auto value = parse_json_body(http.body);
  const auto* body = value && value->is_object() ? &value->get_object() : nullptr;
  const auto* confirm = body == nullptr ? nullptr : body->if_contains("confirm");
  if (confirm == nullptr || !confirm->is_bool() || body->size() != 1) {
    return reply(problem(400, R"(The body is not {"confirm": false} or {"confirm": true}.)"));
  }
  control.reload(confirm->get_bool(), [reply](const ReloadReport& report) {
    reply({200, json::serialize(json::object{
                    {"result", json::string(result_name(report.what))},
                    {"lines", json::array(report.lines.begin(), report.lines.end())}})});
  });
}

/// Events from now on, and first one for each link and flow, as they are.
void follow_links(const ClientControl& control, const HttpReply& reply) {
  if (control.events == nullptr || !control.events->has_room()) {
    return reply(problem(
        503, "There are " + std::to_string(HttpFeed::kMostListeners) + " listeners already."));
  }
  HttpResponse response{200, "", "text/event-stream"};
  for (const auto& change : changes_of(control.status())) response.body += event_text(change);
  response.feed = control.events;
  reply(std::move(response));
}

}  // namespace

HttpLimits client_api_limits() {
  HttpLimits limits;
  limits.body_bytes = 4096;
  return limits;
}

HttpHandler client_api(ClientControl control) {
  const auto change = [control](bool join) {
    return [control, join](const HttpRequest& request, const HttpReply& reply) {
      post_membership(control, join, request, reply);
    };
  };
  auto status = [control](const HttpRequest&, const HttpReply& reply) {
    reply({200, status_json(control.status())});
  };
  auto netcheck = [control](const HttpRequest&, const HttpReply& reply) {
    const bool waits = control.check_nat([reply](const NatCheckReport& report) {
      reply({200, netcheck_json(report)});
    });
    if (!waits) reply(problem(503, "Too many callers wait for a NAT check already."));
  };
  auto congestion = [control](const HttpRequest&, const HttpReply& reply) {
    reply({200, congestion_json(control.status())});
  };
  auto events = [control](const HttpRequest&, const HttpReply& reply) {
    follow_links(control, reply);
  };
  return route({{"GET", "/v1/status", std::move(status)},
                {"GET", "/v1/congestion", std::move(congestion)},
                {"GET", "/v1/congestion/events", std::move(events)},
                {"POST", "/v1/netcheck", std::move(netcheck)},
                {"POST", "/v1/join", change(true)},
                {"POST", "/v1/leave", change(false)}});
}

std::string control_socket_path(const std::string& state_dir) {
  return state_dir + "/control.sock";
}

HttpHandler server_control(ServerControl control, TokenKeeper& tokens) {
  Router router;
  router.add(
      "GET", "/v1/status",
      [status = control.status](const HttpRequest&, const PathNames&, const HttpReply& reply) {
        reply({200, status_json(status())});
      });
  router.add("POST", "/v1/invites",
             [control](const HttpRequest& request, const PathNames&, const HttpReply& reply) {
               post_invite(control, request, reply);
             });
  router.add("POST", "/v1/reload",
             [control](const HttpRequest& request, const PathNames&, const HttpReply& reply) {
               post_reload(control, request, reply);
             });
  add_token_paths(router, tokens);
  return [router = std::move(router)](const HttpRequest& request, const HttpReply& reply) {
    router.handle(request, reply);
  };
}

}  // namespace wormhole
