// The two kinds of codes that `wormhole invite` prints.
#pragma once

#include "wormhole/crypto/identity.hpp"
#include "wormhole/model/network.hpp"

namespace wormhole {

/// For an ID whose key stands in routes.yaml: server and network without a one-time key. It has the
/// form of an invite with serial 0, which no real one has; the place of T holds the ID's key. It is
/// as confidential as the knock key in it, but enrols nobody.
InviteCode descriptor_for(const std::string& id, const PublicKey& key, const Network& network,
                          const NetworkIdentity& identity);
bool is_descriptor(const InviteCode& code);

}  // namespace wormhole
