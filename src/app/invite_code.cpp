#include "invite_code.hpp"

namespace wormhole {

namespace {

/// What fits into a code (encode_invite).
constexpr std::size_t kMaxAddresses = 8;

}  // namespace

InviteCode descriptor_for(const std::string& id, const PublicKey& key, const Network& network,
                          const NetworkIdentity& identity) {
  InviteCode code;
  code.server_name = network.server.name;
  for (const ServerAddress& address : network.server.addresses) {
    if (code.addresses.size() == kMaxAddresses) break;
    code.addresses.push_back({address.public_address, network.server.port});
  }
  code.network = identity;
  code.statement.id = id;
  code.statement.invite_key = key;
  return code;
}

bool is_descriptor(const InviteCode& code) { return code.statement.serial == 0; }

}  // namespace wormhole
