// JSON that callers send.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>

#include "wormhole/base/result.hpp"

namespace wormhole {

/// As deep as routes.yaml may be (kMaxConfigDepth): what is deeper can't become a part of it.
inline constexpr std::size_t kMaxJsonDepth = 16;

/// Parses one JSON text (RFC 8259). Strict: a name twice in an object, which RFC 8259 4 leaves
/// open, is an error. The error says where it stops being JSON.
Result<boost::json::value> parse_json_body(std::string_view text);

}  // namespace wormhole
