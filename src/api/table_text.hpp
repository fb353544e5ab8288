// Tables for a terminal, out of status JSON. What is missing there shows as "-".
#pragma once

#include <boost/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace wormhole {

std::string printf_text(const char* format, double value);
/// `text` padded or cut (marked with ~) to `width`, and two spaces.
std::string cell(std::string text, std::size_t width);
/// Ends a row: without the spaces of its last cell.
std::string row(std::string cells);
/// A remark below a row, broken at spaces to stay within 80 columns, the width of a terminal that
/// nobody has made wider.
std::string remark(std::string_view text);

/// null when it is not there.
const boost::json::value& member(const boost::json::value& of, std::string_view name);
/// A string, or "-". Control characters show as "?": an answer must not drive the terminal.
std::string text_of(const boost::json::value& of, std::string_view name);
bool is_true(const boost::json::value& of, std::string_view name);
std::optional<double> number_of(const boost::json::value& of, std::string_view name);
const boost::json::array& array_of(const boost::json::value& of, std::string_view name);
/// "udp 5600" of a flow.
std::string port_text(const boost::json::value& flow);

}  // namespace wormhole
