// JSON values as YAML text, in the style that a person would write.
#pragma once

#include <boost/json/value.hpp>
#include <cstddef>
#include <string>
#include <string_view>

namespace wormhole {

/// Lines up to here keep a list or map in brackets; longer ones become a block with one entry a
/// line. As wide as this project's own files.
inline constexpr std::size_t kMaxYamlColumns = 100;

/// A scalar's text, in double quotes exactly when plain it would be no text or something else:
/// empty, a null word, a number, a pattern, or with characters that YAML gives a meaning to.
std::string yaml_text(std::string_view text);

/// One line: a scalar, {a: b}, [a, b]; null for null.
std::string yaml_inline(const boost::json::value& value);

/// Line ends and indentation as the file has them already.
struct YamlStyle {
  std::string newline = "\n";
  std::size_t step = 2;  ///< spaces from a map to the map within
};

/// What stands behind the colon of a key at `column` (from 0) that takes `width` bytes: " value",
/// or lines that begin with a line end, or nothing for null. `block`: not in brackets where
/// possible.
std::string yaml_after_colon(const boost::json::value& value, std::size_t column, std::size_t width,
                             bool block, const YamlStyle& style);
/// The same behind a list's dash at `column`.
std::string yaml_after_dash(const boost::json::value& value, std::size_t column, bool block,
                            const YamlStyle& style);
/// The entries of a map or list that is not empty, the first one without indentation.
std::string yaml_lines(const boost::json::value& value, std::size_t column, const YamlStyle& style);

/// A list or map that is not empty.
bool has_entries(const boost::json::value& value);

}  // namespace wormhole
