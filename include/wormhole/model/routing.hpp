// Who may send to whom: the routes of a network, resolved for look-up.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "wormhole/model/network.hpp"

namespace wormhole {

enum class Direction : std::uint8_t { kSend = 1, kReceive = 2, kBoth = 3 };
constexpr bool may_send(Direction d) { return (static_cast<unsigned>(d) & 1U) != 0; }
constexpr bool may_receive(Direction d) { return (static_cast<unsigned>(d) & 2U) != 0; }

/// One flow as one member sees it.
struct MemberFlow {
  const Flow* flow = nullptr;              ///< into the Network that was resolved
  std::map<std::string, Direction> peers;  ///< other members and what this one may do towards them
};

/// All flows of all members: member ID → its flows in the file's order. `network` must outlive it.
/// Several routes of one flow are united; nobody is its own peer; a member without peers has no
/// entry.
using Routing = std::map<std::string, std::vector<MemberFlow>>;
Routing resolve(const Network& network);

/// Whether a member of a flow counts as a sender or first side (else as a receiver or second side):
/// what it is in the first route that names it, and every second one of a mesh.
bool is_on_first_side(const Flow& flow, const std::string& id);

/// What impairs datagrams of a flow from `sender` to `receiver`, as the first route says by which
/// they go; null: nothing.
const ImpairProfile* impairment_of(const Flow& flow, const std::string& sender,
                                   const std::string& receiver);
/// Whether it is something for anybody.
bool is_impaired(const Flow& flow);

}  // namespace wormhole
