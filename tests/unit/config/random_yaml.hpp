// Random YAML texts in the many ways that people write them, with what they say and where.
#pragma once

#include <boost/json/value.hpp>
#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "wormhole/base/rng.hpp"

namespace wormhole::test {

/// Lines of one entry, from 0, both ends included: from its key or dash to its last line, with
/// deeper comments behind it, without comments above it.
struct Lines {
  std::size_t first = 0;
  std::size_t last = 0;
  bool in_brackets = false;  ///< the list or map that has the entry is
};

using JsonPath = std::vector<std::string>;

struct RandomYaml {
  boost::json::value value;
  std::string text;
  std::map<JsonPath, Lines> lines;  ///< of every entry; list positions in decimal
};

/// A map of maps, lists and scalars; scalars in lists differ from each other.
RandomYaml random_yaml(Rng& rng);
/// A value that is in no random_yaml: `number` makes it differ from others.
boost::json::value random_new_value(Rng& rng, std::size_t number, std::size_t depth);

}  // namespace wormhole::test
