#include "wormhole/model/network.hpp"

#include <algorithm>
#include <array>

namespace wormhole {
namespace {

constexpr std::array<std::string_view, 5> kSideNames{"from", "to", "first", "second", "mesh"};

}  // namespace

std::string_view side_name(Side side) { return kSideNames.at(static_cast<std::size_t>(side)); }

std::optional<Side> side_named(std::string_view name) {
  const auto at = std::find(kSideNames.begin(), kSideNames.end(), name);
  if (at == kSideNames.end()) return std::nullopt;
  return static_cast<Side>(at - kSideNames.begin());
}

bool has_side(Route::Kind kind, Side side) {
  switch (kind) {
    case Route::Kind::kFromTo:
      return side == Side::kFrom || side == Side::kTo;
    case Route::Kind::kBetween:
      return side == Side::kFirst || side == Side::kSecond;
    case Route::Kind::kMesh:
      return side == Side::kMesh;
  }
  return false;
}

bool Impairment::operator==(const Impairment& other) const {
  const auto same = [](const auto& one, const auto& two) {
    return one == two || (one && two && *one == *two);
  };
  return same(forward, other.forward) && same(back, other.back);
}

const Deliver& Flow::deliver_of(const std::string& id) const {
  const auto own = deliver_for.find(id);
  return own == deliver_for.end() ? deliver : own->second;
}

const ClientEntry* Network::find_client(std::string_view id) const {
  const auto found = std::find_if(clients.begin(), clients.end(),
                                  [id](const ClientEntry& client) { return client.id == id; });
  return found == clients.end() ? nullptr : &*found;
}

}  // namespace wormhole
