#include "wormhole/api/endpoints.hpp"

#include <boost/json.hpp>
#include <optional>

#include "router.hpp"
#include "token_paths.hpp"
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

}  // namespace

HttpLimits client_api_limits() {
  HttpLimits limits;
  limits.body_bytes = 4096;
  return limits;
}

HttpHandler client_api(std::function<ClientStatus()> status) {
  return route({{"GET", "/v1/status",
                 [status = std::move(status)](const HttpRequest&, const HttpReply& reply) {
                   reply({200, status_json(status())});
                 }}});
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
             [control = std::move(control)](const HttpRequest& request, const PathNames&,
                                            const HttpReply& reply) {
               post_invite(control, request, reply);
             });
  add_token_paths(router, tokens);
  return [router = std::move(router)](const HttpRequest& request, const HttpReply& reply) {
    router.handle(request, reply);
  };
}

}  // namespace wormhole
