// State directories: what server and client keep over restarts. Every write is atomic (temporary
// file, fsync, rename, fsync of the directory), every file 0600, every directory 0700.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "wormhole/base/result.hpp"
#include "wormhole/client/client.hpp"
#include "wormhole/crypto/identity.hpp"
#include "wormhole/model/network.hpp"
#include "wormhole/server/server.hpp"

namespace wormhole {

/// An exclusive advisory lock on `path` (flock), held as long as the object lives.
class FileLock {
 public:
  /// Fails at once when another process holds it; the message names its pid.
  static Result<FileLock> acquire(const std::string& path);
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;
  ~FileLock();

 private:
  explicit FileLock(int fd) : fd_(fd) {}
  int fd_ = -1;
};

/// Writes `content` to `path` atomically and durably, mode 0600. The error names path and cause.
Result<void> write_file_durably(const std::string& path, std::string_view content);

/// The server's state: `server.json` (keys, network id, knock key), `signing.key` (may be moved
/// offline), `clients.json` (numbers, bindings, invites). One process at a time: `lock`.
class ServerState {
 public:
  /// Opens or creates the directory and its keys, and takes the lock.
  static Result<ServerState> open(const std::string& dir, Rng& rng);
  ServerState(ServerState&&) noexcept;
  ServerState& operator=(ServerState&&) noexcept;
  ~ServerState();

  const KeyPair& keys() const;
  const NetworkIdentity& network() const;

  /// The directory for `network`: gives numbers to new IDs and flows (never re-using one that
  /// another ID has had), signs new keys by hand at `wall_s` (Unix seconds), and stores both. While
  /// the signing key is offline such a key gets a binding without chain. An error when storing
  /// fails, no number is left, or the signing key is needed and damaged or another network's.
  Result<Directory> directory_for(const Network& network, std::uint64_t wall_s, Rng& rng);
  /// Makes a one-time code for `id`, valid for `valid_s` seconds from `wall_s` (Unix seconds). An
  /// error when the signing key is offline or the ID is not in `network`. An earlier unused code
  /// for the ID is withdrawn.
  Result<InviteCode> invite(const std::string& id, const Network& network, std::uint64_t wall_s,
                            std::uint64_t valid_s, Rng& rng);
  /// Burns the code and stores the binding in one durable write. One code makes one key a
  /// client: who used it may ask again (kDone), everybody else gets kUsed.
  EnrolResult enrol(const KeyBinding& binding, std::uint64_t wall_s);

 private:
  struct State;
  explicit ServerState(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// The client's state directory: `identity.json` (id, keys, server name and addresses, network
/// identity, own binding) and `pins.json`.
struct ClientIdentity {
  std::string id;
  KeyPair keys;
  std::string server_name;
  std::vector<Endpoint> addresses;
  NetworkIdentity network;
};
Result<ClientIdentity> load_client_identity(const std::string& dir);
Result<void> save_client_identity(const std::string& dir, const ClientIdentity& identity);
Result<std::map<std::string, PeerPin>> load_pins(const std::string& dir);
Result<void> save_pins(const std::string& dir, const std::map<std::string, PeerPin>& pins);

}  // namespace wormhole
