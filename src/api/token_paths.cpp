#include "token_paths.hpp"

#include <boost/json.hpp>
#include <optional>

#include "wormhole/base/ids.hpp"

namespace wormhole {

namespace json = boost::json;

namespace {

struct TokenRequest {
  std::string name;
  TokenScope scope = TokenScope::kRead;
};

/// Nothing when it is not {"name": NAME, "scope": SCOPE}.
std::optional<TokenRequest> parse_token_request(const std::string& body) {
  boost::system::error_code error;
  const json::value value = json::parse(body, error);
  const json::object* object = error ? nullptr : value.if_object();
  if (object == nullptr || object->size() != 2) return std::nullopt;
  const auto text = [object](const char* key) {
    const json::value* member = object->if_contains(key);
    const json::string* string = member == nullptr ? nullptr : member->if_string();
    return string == nullptr ? std::string() : std::string(string->data(), string->size());
  };
  const auto scope = scope_named(text("scope"));
  if (!scope || !is_valid_name(text("name"))) return std::nullopt;
  return TokenRequest{text("name"), *scope};
}

std::string list_json(const TokenList& tokens) {
  json::array list;
  for (const TokenRecord& token : tokens.records()) {
    list.push_back(json::object{{"name", token.name},
                                {"scope", std::string(scope_name(token.scope))},
                                {"created_s", token.created_s}});
  }
  return json::serialize(json::object{{"tokens", std::move(list)}});
}

void post_token(TokenKeeper& tokens, const HttpRequest& http, const HttpReply& reply) {
  const auto request = parse_token_request(http.body);
  if (!request) {
    return reply(problem(400,
                         R"(The body is not {"name": "dashboard", "scope": "read"}: a name, and )"
                         "read, edit or admin."));
  }
  tokens.add(request->name, request->scope, [reply](const Result<std::string>& token) {
    if (!token) return reply(problem(409, token.error().message));
    reply({201, json::serialize(json::object{{"token", *token}})});
  });
}

}  // namespace

void add_token_paths(Router& router, TokenKeeper& tokens) {
  router.add("GET", "/v1/tokens",
             [&tokens](const HttpRequest&, const PathNames&, const HttpReply& reply) {
               reply({200, list_json(tokens.tokens())});
             });
  router.add("POST", "/v1/tokens",
             [&tokens](const HttpRequest& request, const PathNames&, const HttpReply& reply) {
               post_token(tokens, request, reply);
             });
  router.add("DELETE", "/v1/tokens/{name}",
             [&tokens](const HttpRequest&, const PathNames& names, const HttpReply& reply) {
               tokens.remove(names[0], [reply](const Result<void>& removed) {
                 reply(removed ? HttpResponse{204, ""} : problem(409, removed.error().message));
               });
             });
}

}  // namespace wormhole
