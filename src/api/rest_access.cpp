#include "rest_access.hpp"

#include <algorithm>
#include <string>

namespace wormhole {

namespace {

/// Whoever has one address of an IPv6 network mostly has its whole /64 (RFC 6177 2).
IpAddress network_of(IpAddress address) {
  if (!address.is_v4()) std::fill(address.bytes.begin() + 8, address.bytes.end(), std::uint8_t{0});
  return address;
}

/// "Bearer TOKEN" (RFC 6750 2.1; the scheme has no case); empty when it is not that.
std::string_view bearer_token(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer ";
  if (authorization.size() < kScheme.size()) return {};
  const bool bearer = std::equal(kScheme.begin(), kScheme.end(), authorization.begin(),
                                 [](char want, char have) { return want == (have | 0x20); });
  return bearer ? authorization.substr(kScheme.size()) : std::string_view();
}

/// A refusal with its challenge (RFC 6750 3).
HttpResponse challenge(unsigned status, const std::string& detail, const std::string& error) {
  HttpResponse response = problem(status, detail);
  response.fields.push_back({"WWW-Authenticate", R"(Bearer realm="wormhole")" + error});
  return response;
}

TokenScope scope_needed(const HttpRequest& request) {
  return request.method == "GET" ? TokenScope::kRead : TokenScope::kEdit;
}

}  // namespace

bool LoginLimit::exceeded(const IpAddress& from, TimePoint now) {
  const auto is_over = [now](const auto& entry) { return now - entry.second.since >= 1s; };
  const IpAddress network = network_of(from);
  if (windows_.size() >= kMaxAddresses && !windows_.contains(network)) {
    std::erase_if(windows_, is_over);
    if (windows_.size() >= kMaxAddresses) return true;
  }
  const auto entry = windows_.try_emplace(network, Window{now, 0}).first;
  if (is_over(*entry)) entry->second = {now, 0};
  return ++entry->second.count > kPerSecond;
}

std::optional<HttpResponse> RestAccess::refuse(const HttpRequest& request, TimePoint now) {
  const TokenList& tokens = tokens_();
  if (tokens.empty() && open_) return std::nullopt;
  if (request.authorization.empty()) {
    ++unauthorized_;
    return challenge(401,
                     "This needs a token: make one with 'wormhole token add NAME --scope edit' and "
                     "send it as 'Authorization: Bearer TOKEN'.",
                     "");
  }
  const TokenRecord* token = tokens.find(bearer_token(request.authorization));
  if (token == nullptr) return refuse_wrong_token(request, now);
  const TokenScope needed = scope_needed(request);
  if (token->scope >= needed) return std::nullopt;
  ++forbidden_;
  const std::string name(scope_name(needed));
  return challenge(403,
                   "The token " + token->name + " has the scope " +
                       std::string(scope_name(token->scope)) + "; this needs " + name + ".",
                   R"(, error="insufficient_scope", scope=")" + name + '"');
}

HttpResponse RestAccess::refuse_wrong_token(const HttpRequest& request, TimePoint now) {
  if (!limit_.exceeded(request.from, now)) {
    ++unauthorized_;
    return challenge(401,
                     "The token is not one of this server's: it was removed or mistyped; 'wormhole "
                     "token list' names those that there are.",
                     R"(, error="invalid_token")");
  }
  ++throttled_;
  HttpResponse response =
      problem(429, "More than " + std::to_string(LoginLimit::kPerSecond) +
                       " wrong tokens within a second came from this address: wait a second.");
  response.fields.push_back({"Retry-After", "1"});
  return response;
}

}  // namespace wormhole
