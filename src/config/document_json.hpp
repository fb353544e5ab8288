// routes.yaml as JSON, as it is written: for programs that show and edit it.
#pragma once

#include <boost/json/value.hpp>
#include <optional>

#include "config/yaml_tree.hpp"
#include "wormhole/config/routes_document.hpp"

namespace wormhole {

/// Maps, lists, null for an empty value, and text. The one kind of number is what stands plain and
/// in decimal digits behind a key `port`: other digits may be names.
boost::json::value document_json(const YamlNode& root);

/// Why `value` can't be a document: what YAML has no text for or the file no place. Everything else
/// parse_routes says better.
std::optional<EditRefusal::Field> find_foreign_json(const boost::json::value& value);

/// The document of a tree that read_tree made of `text`; nothing when there was an error.
std::optional<RoutesDocument> make_document(std::string text, const YamlNode& root,
                                            ErrorList& errors);

}  // namespace wormhole
