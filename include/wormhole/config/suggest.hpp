// Near misses: "prot" was probably meant to be "port".
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace wormhole {

/// Edits (insert, delete, replace, swap neighbours) from `a` to `b`.
std::size_t edit_distance(std::string_view a, std::string_view b);

/// " (did you mean X?)" for the nearest of `known` within two edits and less than half of `word`;
/// else empty.
std::string suggestion(std::string_view word, std::span<const std::string_view> known);

/// "a, b or c".
std::string one_of(std::span<const std::string_view> known);

}  // namespace wormhole
