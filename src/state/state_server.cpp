#include <algorithm>
#include <array>
#include <limits>
#include <memory>
#include <set>
#include <utility>

#include "state/json_reader.hpp"
#include "state/keys_by_hand.hpp"
#include "state/server_files.hpp"
#include "state/signing_key_file.hpp"
#include "state/state_io.hpp"
#include "wormhole/config/suggest.hpp"
#include "wormhole/state/state_files.hpp"

namespace wormhole {
namespace {

constexpr auto kServerFile = "/server.json";
constexpr auto kClientsFile = "/clients.json";
constexpr auto kLockFile = "/lock";

/// New keys for a new network. server.json comes last: its presence says that all is there, so that
/// a crash before it leaves nothing but a signing key, which is taken up.
Result<ServerKeys> make_keys(const std::string& dir, Rng& rng) {
  auto signing = read_signing_key(dir);
  if (!signing) return signing.error();
  if (!*signing) {
    *signing = SigningKey::generate(rng);
    const auto line = to_text((*signing)->seed) + "\n";
    if (auto written = write_file_durably(dir + kSigningFile, line); !written) {
      return written.error();
    }
  }
  ServerKeys made;
  made.keys = KeyPair::generate(rng);
  rng.fill(made.network.network);
  rng.fill(made.network.knock);
  made.network.server_key = made.keys.public_key;
  made.network.signing_key = (*signing)->public_key;
  const auto written = write_file_durably(dir + kServerFile, to_json(made));
  if (!written) return written.error();
  return made;
}

Result<ServerRecords> load_records(const std::string& path) {
  const auto text = read_state_file(path);
  if (!text) return text.error();
  if (!*text) return ServerRecords();
  return server_records_from(**text, path);
}

Result<ServerKeys> load_or_make_keys(const std::string& dir, bool has_records, Rng& rng) {
  const auto path = dir + kServerFile;
  const auto text = read_state_file(path);
  if (!text) return text.error();
  if (*text) return server_keys_from(**text, path);
  if (has_records) {
    return Error{path + " is missing, but " + dir + kClientsFile +
                 " is there; restore it from a backup, or move the whole directory away to begin a "
                 "new network, in which every client must enrol again"};
  }
  return make_keys(dir, rng);
}

constexpr std::uint32_t kMaxNumber = std::numeric_limits<std::uint16_t>::max();

/// The highest number ever given; the next one is the first that nobody has had.
template <typename Map, typename NumberOf>
std::uint32_t highest_number(const Map& given, NumberOf number_of) {
  std::uint32_t highest = 0;
  for (const auto& entry : given)
    highest = std::max<std::uint32_t>(highest, number_of(entry.second));
  return highest;
}

Error out_of_numbers(const char* what, const std::string& name) {
  return {std::string("no number is left for ") + what + " " + name +
          ": all 65535 have been given, also to some that are gone; begin a new network in another "
          "state_dir"};
}

/// Gives numbers to what has none. True when something changed.
Result<bool> number_all(const Network& network, ServerRecords& records) {
  auto client_no =
      highest_number(records.clients, [](const StoredClient& client) { return client.number; });
  auto flow_no = highest_number(records.flows, [](std::uint16_t number) { return number; });
  bool changed = false;
  for (const auto& client : network.clients) {
    if (records.clients.count(client.id) != 0) continue;
    if (client_no == kMaxNumber) return out_of_numbers("client", client.id);
    records.clients[client.id].number = static_cast<std::uint16_t>(++client_no);
    changed = true;
  }
  for (const auto& flow : network.flows) {
    if (records.flows.count(flow.name) != 0) continue;
    if (flow_no == kMaxNumber) return out_of_numbers("flow", flow.name);
    records.flows[flow.name] = static_cast<std::uint16_t>(++flow_no);
    changed = true;
  }
  return changed;
}

}  // namespace

struct ServerState::State {
  std::string dir;
  FileLock lock;
  ServerKeys keys;
  ServerRecords records;
  std::set<std::string> configured;  // IDs of the network that was seen last

  /// Stores `changed` and, when that worked, makes it the state.
  Result<void> commit(ServerRecords changed);
  void see(const Network& network);
};

Result<void> ServerState::State::commit(ServerRecords changed) {
  auto written = write_file_durably(dir + kClientsFile, to_json(changed));
  if (written) records = std::move(changed);
  return written;
}

void ServerState::State::see(const Network& network) {
  configured.clear();
  for (const auto& client : network.clients) configured.insert(client.id);
}

ServerState::ServerState(std::unique_ptr<State> state) : state_(std::move(state)) {}
ServerState::ServerState(ServerState&&) noexcept = default;
ServerState& ServerState::operator=(ServerState&&) noexcept = default;
ServerState::~ServerState() = default;

Result<ServerState> ServerState::open(const std::string& dir, Rng& rng) {
  if (auto made = make_state_directory(dir); !made) return made.error();
  auto lock = FileLock::acquire(dir + kLockFile);
  if (!lock) {
    const bool held = lock.error().message.find(kHeldBy) != std::string::npos;
    return Error{
        lock.error().message +
        (held ? ": a server is running there already; `wormhole invite` goes through it" : "")};
  }
  auto records = load_records(dir + kClientsFile);
  if (!records) return records.error();
  const bool has_records = !records->clients.empty() || !records->flows.empty();
  auto keys = load_or_make_keys(dir, has_records, rng);
  if (!keys) return keys.error();
  return ServerState(std::make_unique<State>(
      State{dir, std::move(*lock), std::move(*keys), std::move(*records), {}}));
}

const KeyPair& ServerState::keys() const { return state_->keys.keys; }

const NetworkIdentity& ServerState::network() const { return state_->keys.network; }

Result<Directory> ServerState::directory_for(const Network& network, std::uint64_t wall_s,
                                             Rng& rng) {
  auto records = state_->records;
  const auto numbered = number_all(network, records);
  if (!numbered) return numbered.error();
  const auto keys_signed =
      sign_keys_by_hand(network, {state_->keys.network, state_->dir, wall_s}, rng, records);
  if (!keys_signed) return keys_signed.error();
  if (*numbered || *keys_signed) {
    if (auto stored = state_->commit(std::move(records)); !stored) return stored.error();
  }
  state_->see(network);
  Directory directory;
  for (const auto& client : network.clients) {
    const auto& record = state_->records.clients.at(client.id);
    auto& entry = directory.clients[client.id];
    entry.number = ClientNo{record.number};
    entry.binding = binding_in_force(client, record);
  }
  for (const auto& flow : network.flows) {
    directory.flows[flow.name] = FlowNo{state_->records.flows.at(flow.name)};
  }
  return directory;
}

namespace {

/// The key that signs a code, or why there is none.
Result<SigningKey> signing_key_for_code(const std::string& dir, const NetworkIdentity& network) {
  const auto key = signing_key_of(network, dir);
  if (!key) return key.error();
  if (*key) return **key;
  return Error{dir + kSigningFile +
               " is not here, so no code can be made; copy it back from where it is kept "
               "and remove it again after"};
}

/// Nothing when `id` may be invited.
std::optional<Error> invite_obstacle(const std::string& id, const Network& network) {
  const auto* client = network.find_client(id);
  if (client == nullptr) {
    std::vector<std::string_view> ids;
    for (const auto& entry : network.clients) ids.push_back(entry.id);
    return Error{"no client \"" + id + "\" in routes.yaml" + suggestion(id, ids) +
                 "; add it under clients first"};
  }
  if (!client->key) return std::nullopt;
  return Error{id + " has a key by hand in routes.yaml; remove clients." + id +
               ".key to let it enrol"};
}

/// Adds an open invite; an earlier one that is open is withdrawn.
void add_invite(StoredClient& client, const InviteRecord& invite) {
  client.withdraw_open_invite();
  client.invites.push_back(invite);
  if (client.invites.size() > kMaxInvites) client.invites.erase(client.invites.begin());
}

}  // namespace

Result<InviteCode> ServerState::invite(const std::string& id, const Network& network,
                                       std::uint64_t wall_s, std::uint64_t valid_s, Rng& rng) {
  if (auto obstacle = invite_obstacle(id, network)) return *obstacle;
  const auto signing = signing_key_for_code(state_->dir, state_->keys.network);
  if (!signing) return signing.error();
  auto records = state_->records;
  if (const auto numbered = number_all(network, records); !numbered) return numbered.error();
  const auto once = SigningKey::generate(rng);
  const auto serial = records.next_serial(wall_s);
  const auto expires_s = wall_s + valid_s;
  add_invite(records.clients[id], {once.public_key, serial, expires_s, InviteRecord::State::kOpen});
  if (auto stored = state_->commit(std::move(records)); !stored) return stored.error();
  state_->see(network);
  InviteCode code{network.server.name, {}, state_->keys.network, {}, once.seed};
  code.statement =
      make_statement(*signing, code.network.network, id, once.public_key, serial, expires_s);
  for (const auto& address : network.server.addresses) {
    code.addresses.push_back({address.public_address, network.server.port});
  }
  return code;
}

EnrolResult ServerState::enrol(const KeyBinding& binding, std::uint64_t wall_s) {
  const auto& identity = state_->keys.network;
  if (!verify_binding(binding, identity.signing_key, identity.network)) {
    return EnrolResult::kNotGenuine;
  }
  if (state_->configured.count(binding.id) == 0) return EnrolResult::kNotConfigured;
  auto records = state_->records;
  auto& client = records.clients[binding.id];
  const auto invite = std::find_if(
      client.invites.begin(), client.invites.end(), [&binding](const InviteRecord& record) {
        return record.invite_key == binding.chain->statement.invite_key;
      });
  if (invite == client.invites.end()) return EnrolResult::kUnknown;
  if (invite->state == InviteRecord::State::kUsed) {
    // The answer may have been lost on the way: the machine that used the code may ask again.
    const auto& bound = client.binding;
    const bool same = bound && bound->key == binding.key && bound->serial() == binding.serial();
    return same ? EnrolResult::kDone : EnrolResult::kUsed;
  }
  if (invite->state == InviteRecord::State::kWithdrawn) return EnrolResult::kUnknown;
  if (wall_s > invite->expires_s) return EnrolResult::kExpired;
  invite->state = InviteRecord::State::kUsed;
  client.binding = binding;
  client.by_hand = false;
  return state_->commit(std::move(records)) ? EnrolResult::kDone : EnrolResult::kStoreFailed;
}

}  // namespace wormhole
