#include "config/peer_limit.hpp"

#include <map>
#include <set>
#include <string_view>

namespace wormhole {
namespace {

struct Ends {
  const Flow* flow;
  const Members* others;
};
using Sides = std::map<std::string_view, std::vector<Ends>>;

/// Whom each client meets, route by route, without uniting them: that costs memory only where it
/// must.
Sides sides_of(const std::vector<Flow>& flows) {
  Sides sides;
  for (const auto& flow : flows) {
    for (const auto& route : flow.routes) {
      const bool mesh = route.kind == Route::Kind::kMesh;
      for (const auto& id : route.first) {
        sides[id].push_back({&flow, mesh ? &route.first : &route.second});
      }
      if (mesh) continue;
      for (const auto& id : route.second) sides[id].push_back({&flow, &route.first});
    }
  }
  return sides;
}

std::size_t sum(const std::vector<Ends>& sides) {
  std::size_t peers = 0;
  for (const auto& side : sides) peers += side.others->size();
  return peers;
}

}  // namespace

std::optional<CrowdedClient> find_crowded_client(const std::vector<Flow>& flows) {
  for (const auto& [id, sides] : sides_of(flows)) {
    if (sum(sides) <= kMaxPeersOfClient) continue;  // no need to unite them
    std::set<std::string_view> peers;
    const Ends* largest = &sides.front();
    for (const auto& side : sides) {
      peers.insert(side.others->begin(), side.others->end());
      if (side.others->size() > largest->others->size()) largest = &side;
    }
    peers.erase(id);
    if (peers.size() > kMaxPeersOfClient) {
      return CrowdedClient{std::string(id), peers.size(), largest->flow->name};
    }
  }
  return std::nullopt;
}

}  // namespace wormhole
