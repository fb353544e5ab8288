#include "table_text.hpp"

#include <algorithm>
#include <cstdio>

namespace wormhole {

namespace json = boost::json;

namespace {

constexpr std::size_t kColumns = 80;

}  // namespace

std::string printf_text(const char* format, double value) {
  char text[48];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string cell(std::string text, std::size_t width) {
  if (text.size() > width) text = text.substr(0, width - 1) + '~';
  text.resize(width + 2, ' ');
  return text;
}

std::string row(std::string cells) { return cells.erase(cells.find_last_not_of(' ') + 1) + '\n'; }

std::string remark(std::string_view text) {
  constexpr std::string_view kIndent = "    ";
  std::string out;
  while (!text.empty()) {
    std::size_t length = std::min(text.size(), kColumns - kIndent.size());
    if (length < text.size()) {
      const std::size_t space = text.rfind(' ', length);
      if (space != text.npos && space > 0) length = space;
    }
    out += std::string(kIndent) + std::string(text.substr(0, length)) + '\n';
    text.remove_prefix(length);
    while (text.starts_with(' ')) text.remove_prefix(1);
  }
  return out;
}

const json::value& member(const json::value& of, std::string_view name) {
  static const json::value kMissing;
  const json::object* object = of.if_object();
  const json::value* found = object == nullptr ? nullptr : object->if_contains(name);
  return found == nullptr ? kMissing : *found;
}

std::string text_of(const json::value& of, std::string_view name) {
  const json::string* text = member(of, name).if_string();
  if (text == nullptr || text->empty()) return "-";
  std::string out(text->begin(), text->end());
  for (char& c : out) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  }
  return out;
}

bool is_true(const json::value& of, std::string_view name) {
  const bool* value = member(of, name).if_bool();
  return value != nullptr && *value;
}

std::optional<double> number_of(const json::value& of, std::string_view name) {
  const json::value& value = member(of, name);
  boost::system::error_code error;
  const double number = value.to_number<double>(error);
  if (error) return std::nullopt;
  return number;
}

const json::array& array_of(const json::value& of, std::string_view name) {
  static const json::array kNone;
  const json::array* found = member(of, name).if_array();
  return found == nullptr ? kNone : *found;
}

std::string port_text(const json::value& flow) {
  const auto port = number_of(flow, "port");
  return text_of(flow, "protocol") + ' ' + (port ? printf_text("%.0f", *port) : "-");
}

}  // namespace wormhole
