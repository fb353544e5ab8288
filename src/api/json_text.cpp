#include "json_text.hpp"

#include <charconv>

namespace wormhole {

namespace json = boost::json;

namespace {

void append(std::string& out, const json::value& value);

void append_number(std::string& out, double number) {
  char text[32];
  const auto [end, error] = std::to_chars(text, text + sizeof text, number);
  out.append(text, end);
}

void append_object(std::string& out, const json::object& object) {
  out += '{';
  for (const auto& [key, value] : object) {
    if (out.back() != '{') out += ',';
    out += json::serialize(key) + ':';
    append(out, value);
  }
  out += '}';
}

void append_array(std::string& out, const json::array& array) {
  out += '[';
  for (const json::value& value : array) {
    if (out.back() != '[') out += ',';
    append(out, value);
  }
  out += ']';
}

void append(std::string& out, const json::value& value) {
  if (const auto* object = value.if_object()) return append_object(out, *object);
  if (const auto* array = value.if_array()) return append_array(out, *array);
  if (const auto* number = value.if_double()) return append_number(out, *number);
  out += json::serialize(value);
}

}  // namespace

std::string to_json_text(const json::value& value) {
  std::string out;
  append(out, value);
  return out;
}

}  // namespace wormhole
