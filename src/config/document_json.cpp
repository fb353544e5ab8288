#include "config/document_json.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <charconv>
#include <utility>

#include "config/key_path.hpp"
#include "config/routes_tree.hpp"
#include "wormhole/base/ids.hpp"

namespace wormhole {
namespace {

namespace json = boost::json;

constexpr std::string_view kNumberKey = "port";

std::optional<std::uint64_t> to_number(const YamlNode& node) {
  const auto& text = node.text;
  if (node.quoted || text.empty() || (text.front() == '0' && text.size() > 1)) return std::nullopt;
  std::uint64_t number = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc{} && stop == text.data() + text.size();
  return whole ? std::optional(number) : std::nullopt;
}

json::value json_of(const YamlNode& node, std::string_view key) {
  switch (node.kind) {
    case YamlNode::Kind::kNull:
      return nullptr;
    case YamlNode::Kind::kScalar:
      if (const auto number = key == kNumberKey ? to_number(node) : std::nullopt) return *number;
      return json::value(node.text);
    case YamlNode::Kind::kList: {
      json::array list;
      list.reserve(node.children.size());
      for (const auto& child : node.children) list.push_back(json_of(child, ""));
      return list;
    }
    case YamlNode::Kind::kMap: {
      json::object map;
      map.reserve(node.children.size() / 2);
      for (std::size_t i = 0; i < node.children.size(); i += 2) {
        const auto& name = node.children[i].text;
        map.emplace(name, json_of(node.children[i + 1], name));
      }
      return map;
    }
  }
  return nullptr;
}

using Field = EditRefusal::Field;

std::optional<Field> check_scalar(const json::value& value, const std::string& path,
                                  std::string_view key) {
  if (value.is_string() || value.is_null()) return std::nullopt;
  if (key != kNumberKey) return Field{path, json::serialize(value) + " is no text; expected text"};
  const bool whole = value.is_uint64() || (value.is_int64() && value.get_int64() >= 0);
  if (whole) return std::nullopt;
  return Field{path, json::serialize(value) + " is not a port; expected a number from 1 to 65535"};
}

std::optional<Field> check_value(const json::value& value, const std::string& path,
                                 std::string_view key, std::size_t depth) {
  if (!value.is_object() && !value.is_array()) return check_scalar(value, path, key);
  if (depth == kMaxConfigDepth) return Field{path, "nested more than 16 deep; expected less"};
  if (const auto* list = value.if_array()) {
    for (std::size_t i = 0; i < list->size(); ++i) {
      if (auto bad = check_value((*list)[i], path_of(path, i), "", depth + 1)) return bad;
    }
    return std::nullopt;
  }
  for (const auto& [name, child] : value.get_object()) {
    const auto inner = path_of(path, std::string_view(name));
    // YAML has no long keys (1.2.2 7.4.2); no key of the file is longer than a name.
    if (name.empty() || name.size() > kMaxNameLength) {
      return Field{inner, "not a name; expected 1 to 63 of a-z A-Z 0-9 . _ -"};
    }
    if (auto bad = check_value(child, inner, name, depth + 1)) return bad;
  }
  return std::nullopt;
}

}  // namespace

json::value document_json(const YamlNode& root) { return json_of(root, ""); }

std::optional<Field> find_foreign_json(const json::value& value) {
  return check_value(value, "", "", 0);
}

std::optional<RoutesDocument> make_document(std::string text, const YamlNode& root,
                                            ErrorList& errors) {
  auto network = read_network(root, errors);
  if (!network) return std::nullopt;
  return RoutesDocument{std::move(text), std::move(*network), document_json(root)};
}

DocumentResult parse_document(std::string text, const std::string& file) {
  ErrorList errors(file);
  const auto root = read_tree(text, errors);
  auto document = root ? make_document(std::move(text), *root, errors) : std::nullopt;
  if (!document) return errors.take();
  return std::move(*document);
}

}  // namespace wormhole
