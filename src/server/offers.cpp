#include "server/offers.hpp"

#include <algorithm>

namespace wormhole {
namespace {

constexpr auto kSides = {Side::kFrom, Side::kTo, Side::kFirst, Side::kSecond, Side::kMesh};

bool has(const Members& members, const std::string& id) {
  return std::binary_search(members.begin(), members.end(), id);
}

std::uint8_t bit(Side side) { return static_cast<std::uint8_t>(1U << static_cast<unsigned>(side)); }

std::string either_of(const std::vector<Side>& sides) {
  std::string names;
  for (const auto side : sides) {
    names += (names.empty() ? "" : " or ") + std::string(side_name(side));
  }
  return names;
}

}  // namespace

std::vector<Side> joinable(const Flow& flow, const std::string& id) {
  std::vector<Side> sides;
  for (const auto& [side, members] : flow.self_join) {
    if (has(members, id)) sides.push_back(side);
  }
  return sides;
}

bool stands_on(const Flow& flow, const std::string& id, Side side) {
  const bool second = side == Side::kTo || side == Side::kSecond;
  return std::any_of(flow.routes.begin(), flow.routes.end(), [&](const Route& route) {
    return has_side(route.kind, side) && has(second ? route.second : route.first, id);
  });
}

FlowOffer offer_to(const std::string& id, const Flow& flow, FlowNo number) {
  FlowOffer offer;
  for (const auto side : joinable(flow, id)) offer.sides |= bit(side);
  for (const auto side : kSides) {
    if (stands_on(flow, id, side)) offer.joined |= bit(side);
  }
  offer.number = number;
  offer.protocol = static_cast<std::uint8_t>(flow.protocol);
  offer.port = flow.port;
  offer.name = flow.name;
  return offer;
}

std::variant<Side, std::string> side_meant(const Flow* flow, const std::string& id,
                                           const MembershipRequest& request) {
  const auto allowed = flow == nullptr ? std::vector<Side>{} : joinable(*flow, id);
  if (allowed.empty()) return "routes.yaml lets this client join no side of " + request.flow;
  if (request.side == MembershipRequest::kAnySide) {
    if (allowed.size() == 1) return allowed.front();
    return "this client may join " + request.flow +
           " on more than one side; say which: " + either_of(allowed);
  }
  for (const auto side : allowed) {
    if (static_cast<std::uint8_t>(side) == request.side) return side;
  }
  return "routes.yaml does not let this client join this side of " + request.flow + " (self_join)";
}

}  // namespace wormhole
