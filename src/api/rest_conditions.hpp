// If-Match and If-None-Match (RFC 9110 13).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "wormhole/api/http_server.hpp"

namespace wormhole {

/// True when `field` is "*" or a list in which `etag` stands. A resource that is not there has no
/// tag and matches nothing. Weak tags ("W/…") match only if `weak` (RFC 9110 8.8.3.2).
bool matches(std::string_view field, const std::optional<std::string>& etag, bool weak);

/// What a request asks to be true before it changes something. Both empty: nothing.
struct Preconditions {
  std::string if_match;
  std::string if_none_match;

  static Preconditions of(const HttpRequest& request) {
    return {request.if_match, request.if_none_match};
  }
  bool empty() const { return if_match.empty() && if_none_match.empty(); }
  /// `etag`: of the resource as it is; nothing when it is not there.
  bool hold(const std::optional<std::string>& etag) const;
};

}  // namespace wormhole
