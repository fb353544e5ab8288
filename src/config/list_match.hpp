// Two versions of a list: which items stay, change, go and come.
#pragma once

#include <boost/json/array.hpp>
#include <cstddef>
#include <optional>
#include <vector>

namespace wormhole {

/// One step from the old list to the new one, by positions: both where an item stays or changes,
/// one where it goes or comes.
struct ListStep {
  std::optional<std::size_t> before;
  std::optional<std::size_t> after;
};

/// Steps in order. Equal items stay where a longest common subsequence has them; between two of
/// those, items change in pairs, and only then go or come (never both).
std::vector<ListStep> match_lists(const boost::json::array& before,
                                  const boost::json::array& after);

}  // namespace wormhole
