#include "json_body.hpp"

#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/parse.hpp>
#include <cstdint>
#include <limits>
#include <set>
#include <vector>

namespace wormhole {

namespace json = boost::json;
using boost::system::error_code;

namespace {

/// Follows a parse without keeping values and stops at a name that its object has already.
/// The names of the functions and constants are those of json::basic_parser's handlers.
class NameWatch {
 public:
  // NOLINTBEGIN(readability-identifier-naming)
  static constexpr std::size_t max_object_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_array_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_key_size = std::numeric_limits<std::size_t>::max();
  static constexpr std::size_t max_string_size = std::numeric_limits<std::size_t>::max();
  // NOLINTEND(readability-identifier-naming)

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) {
    names_.emplace_back();
    return true;
  }
  bool on_object_end(std::size_t, error_code&) {
    names_.pop_back();
    return true;
  }
  bool on_array_begin(error_code&) { return true; }
  bool on_array_end(std::size_t, error_code&) { return true; }
  bool on_key_part(json::string_view part, std::size_t, error_code&) {
    name_.append(part.data(), part.size());
    return true;
  }
  bool on_key(json::string_view part, std::size_t, error_code& error) {
    name_.append(part.data(), part.size());
    if (!names_.back().insert(name_).second) {
      repeated_ = name_;
      error = json::error::syntax;
      return false;
    }
    name_.clear();
    return true;
  }
  bool on_string_part(json::string_view, std::size_t, error_code&) { return true; }
  bool on_string(json::string_view, std::size_t, error_code&) { return true; }
  bool on_number_part(json::string_view, error_code&) { return true; }
  bool on_int64(std::int64_t, json::string_view, error_code&) { return true; }
  bool on_uint64(std::uint64_t, json::string_view, error_code&) { return true; }
  bool on_double(double, json::string_view, error_code&) { return true; }
  bool on_bool(bool, error_code&) { return true; }
  bool on_null(error_code&) { return true; }
  bool on_comment_part(json::string_view, error_code&) { return true; }
  bool on_comment(json::string_view, error_code&) { return true; }

  /// The name that stopped it; empty when none did. (An empty name twice is not told apart from
  /// another error of the syntax.)
  const std::string& repeated() const { return repeated_; }

 private:
  std::vector<std::set<std::string>> names_;  ///< of the objects that are open
  std::string name_;
  std::string repeated_;
};

/// "line 2, column 7" for a position in bytes.
std::string place_of(std::string_view text, std::size_t at) {
  const std::string_view before = text.substr(0, at);
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t start = before.rfind('\n') + 1;  // npos + 1 is 0
  return "line " + std::to_string(line) + ", column " + std::to_string(at - start + 1);
}

std::string reason(const error_code& error, const std::string& repeated) {
  if (!repeated.empty()) return "the name \"" + repeated + "\" comes twice in one object";
  if (error == json::error::incomplete) return "it ends too early";
  if (error == json::error::too_deep) {
    static_assert(kMaxJsonDepth == 16);
    return "it is deeper than 16 levels";
  }
  return error.message();
}

}  // namespace

Result<json::value> parse_json_body(std::string_view text) {
  json::parse_options options;
  options.max_depth = kMaxJsonDepth;
  json::basic_parser<NameWatch> check(options);
  error_code error;
  std::size_t used = check.write_some(false, text.data(), text.size(), error);
  const std::size_t rest = std::min(text.find_first_not_of(" \t\r\n", used), text.size());
  if (!error && rest < text.size()) {
    error = json::error::extra_data;
    used = rest;
  }
  if (error) {
    return Error{"The body is not the JSON that is expected, at " + place_of(text, used) + ": " +
                 reason(error, check.handler().repeated()) + "."};
  }
  return json::parse({text.data(), text.size()}, {}, options);
}

}  // namespace wormhole
