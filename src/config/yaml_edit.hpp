// A YAML text with other values, and everything else as it was.
#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "config/yaml_tree.hpp"

namespace wormhole {

/// `text`, which reads as `before`, changed so that it reads as `after`. Only what differs is
/// written anew:
/// - A value is replaced where it stands; its key, its alignment and the comment on its line stay.
/// - New keys and items go behind the last one of their map or list, in front of blank lines and of
///   comments that are not indented deeper than they are. Where the others are blocks, so are they.
/// - A key or item that goes takes its lines along, with the comments on and within them. A comment
///   directly above it goes too, unless it may be the heading of several: when the next entry
///   follows without blank line and without a comment of its own, the comment stays.
/// - Of blank lines in front of and behind what goes, only those behind stay.
///
/// `root` is what parse_yaml made of `text`. Nothing when the text is written in a way that this
/// can't change; the caller checks by reading the result, which for rare forms (keys with "?") may
/// say something else or be no YAML.
std::optional<std::string> edit_yaml(std::string_view text, const YamlNode& root,
                                     const boost::json::value& before,
                                     const boost::json::value& after);

}  // namespace wormhole
