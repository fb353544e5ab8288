#include "state/signing_key_file.hpp"

#include <algorithm>

#include "state/json_reader.hpp"
#include "state/state_io.hpp"

namespace wormhole {

Result<std::optional<SigningKey>> read_signing_key(const std::string& dir) {
  const auto path = dir + kSigningFile;
  auto text = read_state_file(path);
  if (!text) return text.error();
  if (!*text) return std::optional<SigningKey>();
  auto& line = **text;
  line.erase(std::min(line.find_last_not_of(" \r\n") + 1, line.size()));
  const auto seed = parse_secret_key(line);
  if (!seed) {
    return damaged(path, "it is not one line with a secret key", "restore it from a backup");
  }
  return std::optional(SigningKey::from_seed(*seed));
}

Result<std::optional<SigningKey>> signing_key_of(const NetworkIdentity& network,
                                                 const std::string& dir) {
  auto key = read_signing_key(dir);
  if (!key || !*key || (*key)->public_key == network.signing_key) return key;
  return Error{dir + kSigningFile + " is the key of another network; copy this network's back, " +
               fingerprint(network.signing_key)};
}

}  // namespace wormhole
