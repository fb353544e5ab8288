// signing.key: the network's signing key, which may be kept away from the server.
#pragma once

#include <optional>
#include <string>

#include "wormhole/base/result.hpp"
#include "wormhole/crypto/identity.hpp"

namespace wormhole {

inline constexpr auto kSigningFile = "/signing.key";

/// The signing key in `dir`; nothing when it is kept elsewhere.
Result<std::optional<SigningKey>> read_signing_key(const std::string& dir);

/// The same, but an error when it is not the key of `network`.
Result<std::optional<SigningKey>> signing_key_of(const NetworkIdentity& network,
                                                 const std::string& dir);

}  // namespace wormhole
