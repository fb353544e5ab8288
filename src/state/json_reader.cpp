#include "state/json_reader.hpp"

#include <algorithm>
#include <boost/json/parser.hpp>

namespace wormhole {
namespace {

const boost::json::object no_object;
const boost::json::array no_array;
const boost::json::value no_value;

}  // namespace

JsonObject::JsonObject(const boost::json::value& value, std::string where, JsonProblem& problem)
    : object_(value.is_object() ? value.get_object() : no_object),
      where_(std::move(where)),
      problem_(problem) {
  if (!value.is_object()) problem_.add(where_, "is missing or not an object");
}

void JsonObject::only(std::initializer_list<std::string_view> keys) const {
  for (const auto& entry : object_) {
    const std::string_view key(entry.key().data(), entry.key().size());
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) {
      problem_.add(path(key), "is not a key of this version");
    }
  }
}

const boost::json::value& JsonObject::at(std::string_view key) const {
  const auto* value = object_.if_contains(key);
  return value == nullptr ? no_value : *value;
}

std::string JsonObject::text(std::string_view key) const {
  const auto* text = at(key).if_string();
  if (text == nullptr) problem_.add(path(key), "is missing or not a text");
  return text == nullptr ? std::string() : std::string(text->data(), text->size());
}

std::uint64_t JsonObject::number(std::string_view key, std::uint64_t most) const {
  boost::system::error_code error;
  const auto number = at(key).to_number<std::uint64_t>(error);
  if (!error && number <= most) return number;
  problem_.add(path(key), "is missing or not a number from 0 to " + std::to_string(most));
  return 0;
}

PublicKey JsonObject::public_key(std::string_view key) const {
  const auto parsed = parse_public_key(text(key));
  if (!parsed || parsed->is_zero()) problem_.add(path(key), "is not a public key");
  return parsed.value_or(PublicKey{});
}

SecretKey JsonObject::secret_key(std::string_view key) const {
  const auto parsed = parse_secret_key(text(key));
  if (!parsed) problem_.add(path(key), "is not a secret key");
  return parsed.value_or(SecretKey{});
}

const boost::json::array& JsonObject::array(std::string_view key) const {
  const auto* array = at(key).if_array();
  if (array == nullptr) problem_.add(path(key), "is missing or not a list");
  return array == nullptr ? no_array : *array;
}

void JsonObject::read_bytes(std::string_view key, MutBytes out) const {
  const auto decoded = base64url_decode(text(key));
  if (decoded && decoded->size() == out.size()) {
    copy_bytes(*decoded, out);
  } else {
    problem_.add(path(key), "is not " + std::to_string(out.size()) + " bytes in base64url");
  }
}

Result<boost::json::value> parse_json(const std::string& text) {
  boost::json::parser parser;
  boost::system::error_code error;
  const auto used = parser.write_some(text, error);
  const bool only_space = text.find_first_not_of(" \r\n\t", used) == std::string::npos;
  if (error || !only_space) {
    return Error{"it is not JSON from byte " + std::to_string(used) + " on"};
  }
  return parser.release();
}

Error damaged(const std::string& path, const std::string& what, std::string_view way_out) {
  return {path + " is damaged (" + what + ") and was left as it is; " + std::string(way_out)};
}

}  // namespace wormhole
