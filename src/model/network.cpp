#include "wormhole/model/network.hpp"

#include <algorithm>

namespace wormhole {

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
