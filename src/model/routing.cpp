#include "wormhole/model/routing.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace wormhole {
namespace {

std::optional<std::size_t> place_in(const Members& members, const std::string& id) {
  const auto at = std::lower_bound(members.begin(), members.end(), id);
  if (at == members.end() || *at != id) return std::nullopt;
  return static_cast<std::size_t>(at - members.begin());
}

using Peers = std::map<std::string, Direction>;
using Links = std::map<std::string, Peers>;  // member → its peers, within one flow

void unite(Peers& peers, const std::string& id, Direction direction) {
  const auto [entry, is_new] = peers.try_emplace(id, direction);
  if (!is_new && entry->second != direction) entry->second = Direction::kBoth;
}

/// `towards` is what each of `left` may do towards each of `right`.
void connect(Links& links, const Members& left, const Members& right, Direction towards) {
  for (const auto& id : left) {
    auto& peers = links[id];
    for (const auto& peer : right) {
      if (peer != id) unite(peers, peer, towards);
    }
  }
}

void connect(Links& links, const Route& route) {
  switch (route.kind) {
    case Route::Kind::kFromTo:
      connect(links, route.first, route.second, Direction::kSend);
      connect(links, route.second, route.first, Direction::kReceive);
      break;
    case Route::Kind::kBetween:
      connect(links, route.first, route.second, Direction::kBoth);
      connect(links, route.second, route.first, Direction::kBoth);
      break;
    case Route::Kind::kMesh:
      connect(links, route.first, route.first, Direction::kBoth);
      break;
  }
}

}  // namespace

Routing resolve(const Network& network) {
  Routing routing;
  for (const auto& flow : network.flows) {
    Links links;
    for (const auto& route : flow.routes) connect(links, route);
    for (auto& [id, peers] : links) {
      if (!peers.empty()) routing[id].push_back({&flow, std::move(peers)});
    }
  }
  return routing;
}

bool is_on_first_side(const Flow& flow, const std::string& id) {
  for (const auto& route : flow.routes) {
    const auto first = place_in(route.first, id);
    if (first) return route.kind != Route::Kind::kMesh || *first % 2 == 0;
    if (place_in(route.second, id)) return false;
  }
  return false;
}

const ImpairProfile* impairment_of(const Flow& flow, const std::string& sender,
                                   const std::string& receiver) {
  for (const auto& route : flow.routes) {
    const auto& receivers = route.kind == Route::Kind::kMesh ? route.first : route.second;
    const auto& impair = route.impair ? *route.impair : flow.impair;
    if (place_in(route.first, sender) && place_in(receivers, receiver)) return impair.forward.get();
    const bool both_ways = route.kind == Route::Kind::kBetween;
    if (both_ways && place_in(route.second, sender) && place_in(route.first, receiver)) {
      return impair.back.get();
    }
  }
  return nullptr;
}

bool is_impaired(const Flow& flow) {
  return std::any_of(flow.routes.begin(), flow.routes.end(), [&](const Route& route) {
    return (route.impair ? *route.impair : flow.impair).is_set();
  });
}

}  // namespace wormhole
