#include "control_call.hpp"

#include <boost/json.hpp>

#include "wormhole/api/endpoints.hpp"
#include "wormhole/api/http_client.hpp"

namespace wormhole {

namespace json = boost::json;

std::optional<Result<json::object>> ask_server(const std::string& state_dir,
                                               const ControlCall& call) {
  const std::string body = call.body.empty() ? "" : json::serialize(call.body);
  const auto outcome =
      http_request(UnixPath{control_socket_path(state_dir)}, call.method, call.path, body);
  if (const auto* failure = std::get_if<HttpFailure>(&outcome)) {
    if (failure->nobody_listens) return std::nullopt;
    return Error{"the running server does not answer as it should: " + failure->message};
  }
  const auto& answer = std::get<HttpAnswer>(outcome);
  boost::system::error_code error;
  const json::value value = json::parse(answer.body, error);
  const json::object object = !error && value.is_object() ? value.get_object() : json::object();
  if (answer.status / 100 == 2) return Result<json::object>(object);
  return Error{"the running server says: " + text_in(object, "detail")};
}

std::string text_in(const json::object& answer, const char* name) {
  const json::value* member = answer.if_contains(name);
  const json::string* text = member == nullptr ? nullptr : member->if_string();
  return text == nullptr ? std::string() : std::string(text->data(), text->size());
}

}  // namespace wormhole
