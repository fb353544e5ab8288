// routes.yaml as a text that programs edit: what a change does not touch stays byte for byte.
#pragma once

#include <boost/json/value.hpp>
#include <boost/system/result.hpp>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "wormhole/config/routes_file.hpp"
#include "wormhole/model/network.hpp"

namespace wormhole {

/// One valid text of the file, and what it says.
struct RoutesDocument {
  std::string text;
  Network network;
  /// The file as it is written: sections, keys in the file's order, selectors not expanded. Ports
  /// are numbers (decimal digits without quotes behind a key `port`), everything else in scalars is
  /// text, an empty value is null.
  boost::json::value json;
};

using DocumentResult = std::variant<RoutesDocument, std::vector<ConfigError>>;
/// As parse_routes.
DocumentResult parse_document(std::string text, const std::string& file);

/// Puts, merges or removes the value at `path`: keys of the file, and positions in lists as decimal
/// numbers; {"flows", "video"}, {"groups"}, {"flows", "video", "routes", "-"} (behind the last).
struct EditValue {
  enum class Action : std::uint8_t {
    kPut,    ///< the value becomes exactly this; made when it is not there
    kMerge,  ///< RFC 7396: members of `value` replace, null removes, what is not named stays
    kRemove
  };
  Action action = Action::kPut;
  std::vector<std::string> path;
  boost::json::value value;
};

/// Puts a client on a side of a flow, or takes it off.
struct EditMember {
  bool join = true;
  std::string flow;
  std::string id;
  /// Join: needed unless the flow is a mesh. Leave: every side on which the ID stands if not given.
  std::optional<Side> side;
  /// Position in the flow's `routes`; needed when several of them have the side.
  std::optional<std::size_t> route;
};

using RoutesEdit = std::variant<EditValue, EditMember>;

/// Why an edit was not made. Nothing has changed then: not the file, not what is in force.
struct EditRefusal {
  enum class Why : std::uint8_t {
    kNotFound,  ///< there is nothing at the path
    kInvalid,   ///< the file would not be valid: see fields
    kConflict,  ///< the file says otherwise; the message says what to do
    kStale,     ///< the condition of the edit does not hold any more
    kStorage    ///< the file could not be read or written
  };
  struct Field {
    std::string path;     ///< "flows.video.port"
    std::string message;  ///< what is wrong; expected …
  };
  Why why = Why::kInvalid;
  std::string message;  ///< one sentence
  std::vector<Field> fields;
};

/// The document with the edit made. Lines that it does not touch stay byte for byte, with their
/// comments, order and quoting; docs/configuration.md says which lines an edit touches. Validated
/// by parse_routes; `file` is only used in messages. kConflict where the file is written in a form
/// that can't be edited (keys with "?").
boost::system::result<RoutesDocument, EditRefusal> edit_routes(const RoutesDocument& before,
                                                               const RoutesEdit& edit,
                                                               const std::string& file);

/// Reads `path`, at most kMaxConfigBytes. The error is one at line 0.
std::variant<std::string, ConfigError> read_routes_text(const std::string& path);

/// Replaces the file's text, atomically and durably, keeping mode and owner; through a symbolic
/// link the file that it leads to. Refused (kConflict) when the file does not hold `before` any
/// more, also when that happens meanwhile: an edit made in an editor is never overwritten. Refused
/// (kStorage) when it can't be written, or nobody has write permission (then for root, too): which
/// file, why, the way out; the file is intact then.
boost::system::result<void, EditRefusal> replace_routes_text(const std::string& path,
                                                             const std::string& before,
                                                             const std::string& after);

}  // namespace wormhole
