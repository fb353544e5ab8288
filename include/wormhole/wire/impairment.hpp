// How a client's datagrams of a flow are impaired, on the wire (docs/protocol.md, section 12).
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "wormhole/base/bytes.hpp"
#include "wormhole/base/ids.hpp"
#include "wormhole/impair/profile.hpp"

namespace wormhole {

/// What impairs datagrams to some receivers.
struct ImpairPart {
  ImpairProfile profile;
  std::vector<ClientNo> receivers;  ///< ascending; none: all of them
  bool operator==(const ImpairPart&) const = default;
};

/// The FLOW_IMPAIR messages of a flow, one behind the other: all that impairs it, or that nothing
/// does.
std::vector<std::uint8_t> impair_messages(FlowNo flow, const std::vector<ImpairPart>& parts);

/// What the pieces of all these messages make together; nothing when that means nothing, or
/// contradicts itself.
std::optional<std::vector<ImpairPart>> decode_impairment(Bytes pieces);

}  // namespace wormhole
