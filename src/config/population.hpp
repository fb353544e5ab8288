// The IDs and groups of a file, and how selectors pick from them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
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
  /// Who a selector that select() took means, in the order in which it names them: groups as their
  /// lists are written, patterns in the order of the clients. Somebody may be there twice.
  std::vector<std::string> in_order(const Value& selector) const;
  void set_group_order(const std::string& name, std::vector<std::string> members) {
    group_orders_[name] = std::move(members);
  }

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

  void append_in_order(const Value& item, std::vector<std::string>& to) const;

  std::vector<std::string> ids_;      // sorted
  std::vector<std::string> written_;  // in the file's order
  std::map<std::string, std::vector<std::size_t>> groups_;
  std::map<std::string, std::vector<std::string>> group_orders_;
};

}  // namespace wormhole
