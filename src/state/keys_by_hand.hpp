// Keys that stand in routes.yaml (`key:`). Writing one there is the operator's act, so the server
// signs it as if its client had enrolled with it.
#pragma once

#include <optional>
#include <string>

#include "state/server_files.hpp"
#include "wormhole/model/network.hpp"

namespace wormhole {

/// Where and when keys are signed.
struct SigningPlace {
  const NetworkIdentity& identity;
  const std::string& dir;  ///< where signing.key is, if it is there
  std::uint64_t wall_s;    ///< Unix seconds
};

/// Signs the keys by hand that have no binding yet; each client of `network` has a record. True
/// when there was one. Without signing.key they stay as they are. An error when that file is
/// damaged or of another network.
Result<bool> sign_keys_by_hand(const Network& network, const SigningPlace& place, Rng& rng,
                               ServerRecords& records);

/// What peers are told of a client. A key by hand counts only while it stands in routes.yaml.
std::optional<KeyBinding> binding_in_force(const ClientEntry& client, const StoredClient& record);

}  // namespace wormhole
