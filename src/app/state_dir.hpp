// Where a client keeps its state, and the key that waits there for its enrolment.
#pragma once

#include <optional>
#include <string>

#include "options.hpp"
#include "wormhole/base/result.hpp"
#include "wormhole/base/rng.hpp"
#include "wormhole/crypto/keys.hpp"
#include "wormhole/shell/client_runner.hpp"

namespace wormhole {

/// `given` if it is set; else $STATE_DIRECTORY (systemd.exec(5); its first entry), else
/// /var/lib/wormhole-client/ID for root, else ~/.local/state/wormhole/ID.
Result<std::string> client_state_dir(const std::string& given, const std::string& id);

/// Creates the directory (0700) with its parents where it is missing.
Result<void> make_state_dir(const std::string& dir);

/// True when the client in `dir` has enrolled.
bool has_identity(const std::string& dir);

/// The file `pending.key` holds a key pair from the moment it is made until the identity with it is
/// stored. A crash on the way thus never loses a key that the server has bound already: the next
/// try with the same code presents the same key.
Result<std::optional<KeyPair>> load_pending_key(const std::string& dir);
Result<KeyPair> make_pending_key(const std::string& dir, Rng& rng);
void remove_pending_key(const std::string& dir);

/// What an enrolled client runs with: its identity and pins, and `where` of the command line.
/// `server`: instead of the identity's, unless it is empty.
Result<ClientRunOptions> load_client(const std::string& dir, const BindOptions& where,
                                     const std::string& server);

}  // namespace wormhole
