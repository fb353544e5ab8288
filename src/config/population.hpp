// The IDs and groups of a file, and how selectors pick from them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/value_reader.hpp"
#include "wormhole/config/glob.hpp"
#include "wormhole/model/network.hpp"

namespace wormhole {

class Population {
 public:
  explicit Population(const std::vector<ClientEntry>& clients);

  bool has_id(std::string_view id) const;
  bool has_group(std::string_view name) const { return groups_.count(std::string(name)) != 0; }
  /// Sets who is in the group. One whose list was wrong has nobody: a selector then picks nobody
  /// and adds no second error.
  void set_group(const std::string& name, const Members& members);

  /// Who a selector (ID, group, glob, or a list of those) means: sorted, without duplicates. Empty
  /// when there was an error.
  Members select(const Value& selector, ErrorList& errors) const;
  /// The same for a group's list, in which groups may not stand.
  Members select_for_group(const Value& list, ErrorList& errors) const;
  /// " (did you mean …?)" for a name that does not exist.
  std::string suggest(std::string_view name, bool with_groups) const;

 private:
  /// Marks by the ID's position in ids_: a union of many selectors stays linear and sorted.
  using Marks = std::vector<bool>;
  bool mark(const Value& item, bool with_groups, Marks& marks, ErrorList& errors) const;
  bool mark_glob(const Value& item, Marks& marks, ErrorList& errors) const;
  bool mark_name(const Value& item, bool with_groups, Marks& marks, ErrorList& errors) const;
  Members members_of(const Marks& marks) const;
  std::size_t position(std::string_view id) const;  // ids_.size() when unknown

  std::vector<std::string> ids_;  // sorted
  std::map<std::string, std::vector<std::size_t>> groups_;
};

}  // namespace wormhole
