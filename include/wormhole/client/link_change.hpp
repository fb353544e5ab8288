// What applications are told of links as it happens.
#pragma once

#include <cstdint>
#include <string>

#include "wormhole/client/status.hpp"

namespace wormhole {

/// A link's or a flow's verdict has changed (or the capacity, while it is `limit`), or a peer's
/// path.
struct LinkChange {
  enum class What : std::uint8_t { kLink, kFlow, kPath };
  What what = What::kLink;
  std::string peer;                   ///< the ID; empty for a flow
  std::string flow;                   ///< the name; empty but for a flow
  PathKind way = PathKind::kNone;     ///< the link's, or the path in use from now on
  PathKind before = PathKind::kNone;  ///< the path that was in use
  LinkState state;                    ///< not of a path
};

}  // namespace wormhole
