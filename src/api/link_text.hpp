// A LinkState in words and numbers.
#pragma once

#include <string>
#include <string_view>

#include "wormhole/client/status.hpp"

namespace wormhole {

std::string_view verdict_name(LinkVerdict verdict);
std::string_view path_name(PathKind path);

/// "state":"limit","age_s":4.2,… without braces. By hand, because an answer may hold thousands of
/// them and keeps the loop meanwhile; there is nothing to escape.
void append_state(std::string& out, const LinkState& state);
/// A number as JSON writes it, with three decimals at most.
void append_number(std::string& out, double number);

}  // namespace wormhole
