// How many peers one client may have.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "wormhole/model/network.hpp"

namespace wormhole {

/// What a client keeps (session indices of 16 each in 16 bits: docs/protocol.md, section 3). It
/// also keeps every message about a flow's members within the control stream's limit.
inline constexpr std::size_t kMaxPeersOfClient = 4096;

/// A client that the flows give too many peers.
struct CrowdedClient {
  std::string id;
  std::size_t peers = 0;
  std::string flow;  ///< the one that adds most
};
std::optional<CrowdedClient> find_crowded_client(const std::vector<Flow>& flows);

}  // namespace wormhole
