#include "wormhole/api/endpoints.hpp"

#include <boost/json.hpp>
#include <optional>

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
    reply({201, json::serialize(json::object{{"code", *code}}), "application/json", {}});
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
                   reply({200, status_json(status()), "application/json", {}});
                 }}});
}

std::string control_socket_path(const std::string& state_dir) {
  return state_dir + "/control.sock";
}

HttpHandler server_control(ServerControl control) {
  auto get_status = [status = control.status](const HttpRequest&, const HttpReply& reply) {
    reply({200, status_json(status()), "application/json", {}});
  };
  auto invite = [control = std::move(control)](const HttpRequest& request, const HttpReply& reply) {
    post_invite(control, request, reply);
  };
  return route({{"GET", "/v1/status", get_status}, {"POST", "/v1/invites", invite}});
}

}  // namespace wormhole
