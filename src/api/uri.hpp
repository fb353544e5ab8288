// The target of a request (RFC 3986): segments and query, decoded. Pure functions.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wormhole {

/// Nothing when a "%" is not followed by two hexadecimal digits.
std::optional<std::string> percent_decode(std::string_view text);

/// "/v1/flows/video" → {"v1", "flows", "video"}; nothing when it is not an absolute path or badly
/// encoded. An encoded slash stays within its segment.
std::optional<std::vector<std::string>> split_path(std::string_view path);

/// "side=to&route=1" → its parameters; nothing when it is badly encoded or names one twice.
using Query = std::map<std::string, std::string, std::less<>>;
std::optional<Query> parse_query(std::string_view query);

/// A decimal number without sign or leading zeros, at most nine digits.
std::optional<std::size_t> parse_count(std::string_view text);

/// What a caller has sent, for quoting in a sentence: at most 100 characters, and "?" for what is
/// not printable ASCII.
std::string as_quotable(std::string_view text);

}  // namespace wormhole
