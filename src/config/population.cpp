#include "config/population.hpp"

#include <algorithm>
#include <iterator>

#include "config/key_path.hpp"
#include "wormhole/config/suggest.hpp"

namespace wormhole {

bool glob_matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0;
  std::size_t t = 0;
  std::size_t star = std::string_view::npos;  // the last *, to which a mismatch goes back
  std::size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      resume = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

Population::Population(const std::vector<ClientEntry>& clients) {
  ids_.reserve(clients.size());
  for (const auto& client : clients) ids_.push_back(client.id);
  written_ = ids_;
  std::sort(ids_.begin(), ids_.end());
}

bool Population::has_id(std::string_view id) const { return position(id) != ids_.size(); }

void Population::set_group(const std::string& name, const Members& members) {
  auto& positions = groups_[name];
  positions.clear();
  for (const auto& id : members) positions.push_back(position(id));
}

Members Population::select(const Value& selector, ErrorList& errors) const {
  Marks marks(ids_.size());
  bool good = true;
  if (selector.is(YamlNode::Kind::kList)) {
    constexpr auto kExpected = "at least one ID, group or pattern";
    for (const auto& item : list_items(selector, kExpected, errors)) {
      good = mark(item, true, marks, errors) && good;
    }
  } else {
    good = mark(selector, true, marks, errors);
  }
  return good ? members_of(marks) : Members{};
}

Members Population::select_for_group(const Value& list, ErrorList& errors) const {
  Marks marks(ids_.size());
  bool good = true;
  for (const auto& item : list_items(list, "a list of IDs and patterns", errors)) {
    good = mark(item, false, marks, errors) && good;
  }
  return good ? members_of(marks) : Members{};
}

std::vector<std::string> Population::in_order(const Value& selector) const {
  std::vector<std::string> all;
  if (!selector.is(YamlNode::Kind::kList)) {
    append_in_order(selector, all);
    return all;
  }
  for (const auto& node : selector.node->children) append_in_order({&node, selector.path}, all);
  return all;
}

void Population::append_in_order(const Value& item, std::vector<std::string>& to) const {
  const auto& name = item.text();
  if (name.find_first_of("*?") != std::string::npos) {
    std::copy_if(written_.begin(), written_.end(), std::back_inserter(to),
                 [&](const std::string& id) { return glob_matches(name, id); });
  } else if (has_id(name)) {
    to.push_back(name);
  } else if (const auto group = group_orders_.find(name); group != group_orders_.end()) {
    to.insert(to.end(), group->second.begin(), group->second.end());
  }
}

std::string Population::suggest(std::string_view name, bool with_groups) const {
  std::vector<std::string_view> known(ids_.begin(), ids_.end());
  if (with_groups) {
    for (const auto& [group, positions] : groups_) known.push_back(group);
  }
  return suggestion(name, known);
}

bool Population::mark(const Value& item, bool with_groups, Marks& marks, ErrorList& errors) const {
  const auto expected = with_groups ? "an ID, a group or a pattern like \"drone*\""
                                    : "an ID or a pattern like \"drone*\"";
  if (!read_text(item, expected, errors)) return false;
  const bool is_glob = item.text().find_first_of("*?") != std::string::npos;
  return is_glob ? mark_glob(item, marks, errors) : mark_name(item, with_groups, marks, errors);
}

bool Population::mark_glob(const Value& item, Marks& marks, ErrorList& errors) const {
  bool any = false;
  for (std::size_t i = 0; i < ids_.size(); ++i) {
    if (!glob_matches(item.text(), ids_[i])) continue;
    marks[i] = true;
    any = true;
  }
  if (!any) {
    add_error(errors, item,
              quoted(item.text()) + " matches no client; expected a pattern that does");
  }
  return any;
}

bool Population::mark_name(const Value& item, bool with_groups, Marks& marks,
                           ErrorList& errors) const {
  const auto& name = item.text();
  if (const auto at = position(name); at != ids_.size()) {
    marks[at] = true;
    return true;
  }
  const auto group = groups_.find(name);
  if (group == groups_.end()) {
    const auto kinds = with_groups ? "client or group" : "client";
    const auto near_miss = errors.full() ? "" : suggest(name, with_groups);
    add_error(errors, item,
              std::string("no ") + kinds + " " + quoted(name) + near_miss +
                  "; expected one that is defined under clients" +
                  (with_groups ? " or groups" : ""));
    return false;
  }
  if (!with_groups) {
    add_error(errors, item, quoted(name) + " is a group; expected an ID or a pattern");
    return false;
  }
  for (const auto at : group->second) marks[at] = true;
  return true;
}

Members Population::members_of(const Marks& marks) const {
  Members members;
  for (std::size_t i = 0; i < ids_.size(); ++i) {
    if (marks[i]) members.push_back(ids_[i]);
  }
  return members;
}

std::size_t Population::position(std::string_view id) const {
  const auto found = std::lower_bound(ids_.begin(), ids_.end(), id);
  const bool known = found != ids_.end() && *found == id;
  return known ? static_cast<std::size_t>(found - ids_.begin()) : ids_.size();
}

}  // namespace wormhole
