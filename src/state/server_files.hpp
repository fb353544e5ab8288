// server.json and clients.json as values and as text.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "wormhole/crypto/identity.hpp"

namespace wormhole {

struct ServerKeys {
  KeyPair keys;
  NetworkIdentity network;
};

/// One code that was made, so that it can be told from one that never was.
struct InviteRecord {
  enum class State : std::uint8_t { kOpen, kUsed, kWithdrawn };
  PublicKey invite_key;
  std::uint64_t serial = 0;
  std::uint64_t expires_s = 0;
  State state = State::kOpen;
};

struct StoredClient {
  std::uint16_t number = 0;
  std::optional<KeyBinding> binding;  ///< always with a chain
  bool by_hand = false;               ///< signed because routes.yaml had the key, not enrolled
  std::vector<InviteRecord> invites;  ///< oldest first

  /// Withdraws the code that nobody has used yet, if there is one.
  void withdraw_open_invite();
};

/// Invites kept per client: enough to say "used" or "replaced" of a code from an old mail.
inline constexpr std::size_t kMaxInvites = 4;

/// Records stay when their ID or flow leaves the configuration, so that numbers are never given
/// twice.
struct ServerRecords {
  std::map<std::string, StoredClient> clients;
  std::map<std::string, std::uint16_t> flows;
  std::uint64_t last_serial = 0;

  /// Takes the next serial: by the clock (Unix seconds) where that is higher, because a state
  /// directory restored from an old backup must not make serials again that peers have seen.
  std::uint64_t next_serial(std::uint64_t wall_s);
};

std::string to_json(const ServerKeys& keys);
std::string to_json(const ServerRecords& records);
/// `path` is only used in messages.
Result<ServerKeys> server_keys_from(const std::string& text, const std::string& path);
Result<ServerRecords> server_records_from(const std::string& text, const std::string& path);

}  // namespace wormhole
