#include "config/json_edit.hpp"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <charconv>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "config/key_path.hpp"
#include "wormhole/config/suggest.hpp"

namespace wormhole {
namespace {

namespace json = boost::json;
using Why = EditRefusal::Why;
using Action = EditValue::Action;

constexpr std::string_view kBehindLast = "-";

std::string path_text(std::span<const std::string> keys) {
  std::string path;
  for (const auto& key : keys) path = path_of(path, std::string_view(key));
  return path.empty() ? "the file" : path;
}

std::optional<std::size_t> position(std::string_view key) {
  std::size_t at = 0;
  const auto [stop, error] = std::from_chars(key.data(), key.data() + key.size(), at);
  const bool whole = error == std::errc{} && stop == key.data() + key.size();
  return whole ? std::optional(at) : std::nullopt;
}

/// RFC 7396 2.
void merge(json::value& target, const json::value& patch) {
  const auto* members = patch.if_object();
  if (members == nullptr) {
    target = patch;
    return;
  }
  if (!target.is_object()) target.emplace_object();
  auto& map = target.get_object();
  for (const auto& [key, value] : *members) {
    const auto found = map.find(key);
    if (!value.is_null()) {
      merge(map[key], value);
    } else if (found != map.end()) {
      map.stable_erase(found);
    }
  }
}

/// What one entry of `clients`, `groups` or `flows` is called; empty for other sections.
std::string_view kind_of_entry(std::string_view section) {
  if (section == "clients") return "client";
  if (section == "groups") return "group";
  return section == "flows" ? "flow" : "";
}

class ValueEdit {
 public:
  ValueEdit(json::value root, const EditValue& edit) : root_(std::move(root)), edit_(edit) {}

  JsonEdit run() {
    if (edit_.path.empty()) return edit_root();
    auto* at = &root_;
    for (depth_ = 0; depth_ < edit_.path.size(); ++depth_) {
      const bool last = depth_ + 1 == edit_.path.size();
      at = at->is_array() ? in_list(at->get_array(), last) : in_map(*at, last);
      if (refusal_) return std::move(*refusal_);
      if (at == nullptr) return std::move(root_);  // removed
    }
    change(*at);
    return std::move(root_);
  }

 private:
  const std::string& key() const { return edit_.path[depth_]; }
  std::string parent() const { return path_text(std::span(edit_.path).first(depth_)); }
  bool removes() const { return edit_.action == Action::kRemove; }

  JsonEdit edit_root() {
    if (removes()) {
      return refuse(Why::kConflict, "the whole file can't be removed; expected a path in it");
    }
    change(root_);
    return std::move(root_);
  }

  void change(json::value& at) const {
    if (edit_.action == Action::kMerge) {
      merge(at, edit_.value);
    } else {
      at = edit_.value;
    }
  }

  json::value* give_up(Why why, std::string message) {
    refusal_ = refuse(why, std::move(message));
    return nullptr;
  }

  json::value* in_list(json::array& list, bool last) {
    if (key() == kBehindLast && last && !removes()) {
      list.emplace_back(nullptr);
      return &list.back();
    }
    const auto at = position(key());
    if (!at || *at >= list.size()) {
      return give_up(Why::kNotFound, parent() + " has " + std::to_string(list.size()) +
                                         (list.size() == 1 ? " entry" : " entries") +
                                         ", counted from 0, and none at " + quoted(key()));
    }
    if (!last || !removes()) return &list[*at];
    list.erase(list.begin() + static_cast<std::ptrdiff_t>(*at));
    return nullptr;
  }

  json::value* in_map(json::value& at, bool last) {
    if (at.is_null()) at.emplace_object();
    auto* map = at.if_object();
    if (map == nullptr) {
      return give_up(Why::kConflict, parent() + " is a single value and has no " + quoted(key()) +
                                         "; expected an edit of " + parent() + " itself");
    }
    const auto found = map->find(key());
    if (found == map->end()) return may_be_made(last) ? &(*map)[key()] : not_there(*map);
    if (!last || !removes()) return &found->value();
    map->stable_erase(found);
    return nullptr;
  }

  /// Whoever is named wrongly on the way to a value is not meant to begin to exist.
  bool may_be_made(bool last) const {
    if (removes()) return false;
    const bool is_entry = depth_ == 1 && !kind_of_entry(edit_.path[0]).empty();
    return !is_entry || (last && edit_.action == Action::kPut);
  }

  json::value* not_there(const json::object& map) {
    const auto kind = depth_ == 1 ? kind_of_entry(edit_.path[0]) : std::string_view();
    return give_up(Why::kNotFound, kind.empty() ? parent() + " has no " + quoted(key())
                                                : no_such(kind, key(), map));
  }

  json::value root_;
  const EditValue& edit_;
  std::size_t depth_ = 0;
  std::optional<EditRefusal> refusal_;
};

}  // namespace

EditRefusal refuse(Why why, std::string message) { return {why, std::move(message), {}}; }

EditRefusal refuse_field(std::string path, std::string message) {
  auto sentence = path.empty() ? message : path + ": " + message;
  return {Why::kInvalid, std::move(sentence), {{std::move(path), std::move(message)}}};
}

std::string no_such(std::string_view kind, std::string_view name, const json::object& section) {
  std::vector<std::string_view> known;
  for (const auto& entry : section) known.push_back(entry.key());
  return "no " + std::string(kind) + " " + quoted(name) + suggestion(name, known);
}

JsonEdit edit_value(const RoutesDocument& before, const EditValue& edit) {
  return ValueEdit(before.json, edit).run();
}

}  // namespace wormhole
