// Who may send to whom, page by page.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "rest_resource.hpp"
#include "uri.hpp"
#include "wormhole/base/result.hpp"

namespace wormhole {

/// One sender and one receiver in a flow.
struct RoutePair {
  std::string flow;
  std::string from;
  std::string to;
};

/// A file may make 16,777,216 pairs, so an answer holds a page of them.
inline constexpr std::size_t kDefaultPairs = 1000;
inline constexpr std::size_t kMaxPairs = 5000;  ///< 0.3 MB; some 2 ms of the loop

struct PairQuery {
  std::string flow;                ///< only this one; empty: all
  std::string id;                  ///< only pairs with it; empty: all
  std::optional<RoutePair> after;  ///< begin behind this pair
  std::size_t limit = kDefaultPairs;
};

/// From ?flow=NAME&id=ID&limit=N&after=FLOW,FROM,TO; the error says which one is wrong.
Result<PairQuery> parse_pair_query(const Query& parameters);

/// {"routes": [{"flow", "from", "to"}, …], "more": …, "next": the next page's address}, by flow as
/// in the file, then by sender and receiver. Not there when the flow of `after` has gone.
Resource pairs(PairQuery query);

}  // namespace wormhole
