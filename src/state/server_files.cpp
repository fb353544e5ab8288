#include "state/server_files.hpp"

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>
#include <limits>
#include <set>

#include "state/json_reader.hpp"
#include "wormhole/base/ids.hpp"

namespace wormhole {
namespace {

namespace json = boost::json;

constexpr auto kMaxNumber = std::numeric_limits<std::uint16_t>::max();
constexpr auto kMaxSerial = std::numeric_limits<std::uint64_t>::max();
/// Of both files; another one is a newer program's.
constexpr std::uint64_t kVersion = 1;
constexpr std::array<std::string_view, 3> kStates{"open", "used", "withdrawn"};

constexpr auto kWayOut =
    "restore it from a backup, or move the whole directory away to begin a new network, in which "
    "every client must enrol again";

void check_version(const JsonObject& file, JsonProblem& problem) {
  if (file.number("version", kMaxSerial) != kVersion) problem.add("version", "is not 1");
}

json::object to_value(const KeyBinding& binding) {
  const auto& chain = *binding.chain;
  return {{"key", to_text(binding.key)},
          {"invite_key", to_text(chain.statement.invite_key)},
          {"serial", chain.statement.serial},
          {"expires", chain.statement.expires_s},
          {"statement", base64url_encode(chain.statement.signature)},
          {"proof", base64url_encode(chain.proof)}};
}

KeyBinding binding_from(const JsonObject& object, const std::string& id) {
  object.only({"key", "invite_key", "serial", "expires", "statement", "proof"});
  KeyBinding binding{id, object.public_key("key"), KeyBinding::Chain{}};
  auto& statement = binding.chain->statement;
  statement.id = id;
  statement.invite_key = object.public_key("invite_key");
  statement.serial = object.number("serial", kMaxSerial);
  statement.expires_s = object.number("expires", kMaxSerial);
  statement.signature = object.bytes<64>("statement");
  binding.chain->proof = object.bytes<64>("proof");
  return binding;
}

json::object to_value(const InviteRecord& invite) {
  return {{"invite_key", to_text(invite.invite_key)},
          {"serial", invite.serial},
          {"expires", invite.expires_s},
          {"state", kStates[static_cast<std::size_t>(invite.state)]}};
}

InviteRecord invite_from(const JsonObject& object, JsonProblem& problem) {
  object.only({"invite_key", "serial", "expires", "state"});
  InviteRecord invite{object.public_key("invite_key"), object.number("serial", kMaxSerial),
                      object.number("expires", kMaxSerial), InviteRecord::State::kOpen};
  const auto state = object.text("state");
  const auto found = std::find(kStates.begin(), kStates.end(), state);
  if (found == kStates.end()) {
    problem.add(object.path("state"), "is not open, used or withdrawn");
  } else {
    invite.state = static_cast<InviteRecord::State>(found - kStates.begin());
  }
  return invite;
}

json::object to_value(const StoredClient& client) {
  json::object object{{"number", client.number}};
  if (client.binding) object["binding"] = to_value(*client.binding);
  if (client.by_hand) object["by_hand"] = 1;
  auto& invites = object["invites"].emplace_array();
  for (const auto& invite : client.invites) invites.push_back(to_value(invite));
  return object;
}

StoredClient client_from(const JsonObject& object, const std::string& id, JsonProblem& problem) {
  object.only({"number", "binding", "by_hand", "invites"});
  StoredClient client;
  client.number = static_cast<std::uint16_t>(object.number("number", kMaxNumber));
  if (object.has("binding")) client.binding = binding_from(object.object("binding"), id);
  if (object.has("by_hand")) client.by_hand = object.number("by_hand", 1) == 1;
  for (const auto& item : object.array("invites")) {
    client.invites.push_back(invite_from({item, object.path("invites"), problem}, problem));
  }
  return client;
}

/// Refuses 0, numbers that two have, and names that are none.
class NumberCheck {
 public:
  explicit NumberCheck(JsonProblem& problem) : problem_(problem) {}
  void check(const std::string& where, std::string_view name, std::uint16_t number) {
    if (!is_valid_name(name)) problem_.add(where, "is not a name");
    if (number == 0 || !seen_.insert(number).second) {
      problem_.add(where, "has the number of another, or 0");
    }
  }

 private:
  JsonProblem& problem_;
  std::set<std::uint16_t> seen_;
};

void read_clients(const JsonObject& list, ServerRecords& records, JsonProblem& problem) {
  NumberCheck numbers(problem);
  for (const auto& entry : list.entries()) {
    const std::string id(entry.key().data(), entry.key().size());
    auto client = client_from(list.object(id), id, problem);
    numbers.check(list.path(id), id, client.number);
    records.clients.emplace(id, std::move(client));
  }
}

void read_flows(const JsonObject& list, ServerRecords& records, JsonProblem& problem) {
  NumberCheck numbers(problem);
  for (const auto& entry : list.entries()) {
    const std::string name(entry.key().data(), entry.key().size());
    const auto number = static_cast<std::uint16_t>(list.number(name, kMaxNumber));
    numbers.check(list.path(name), name, number);
    records.flows.emplace(name, number);
  }
}

}  // namespace

void StoredClient::withdraw_open_invite() {
  for (auto& invite : invites) {
    if (invite.state == InviteRecord::State::kOpen) invite.state = InviteRecord::State::kWithdrawn;
  }
}

std::uint64_t ServerRecords::next_serial(std::uint64_t wall_s) {
  last_serial = std::max(last_serial + 1, wall_s);
  return last_serial;
}

std::string to_json(const ServerKeys& keys) {
  return json::serialize(json::object{{"version", kVersion},
                                      {"secret_key", to_text(keys.keys.secret)},
                                      {"network_id", base64url_encode(keys.network.network)},
                                      {"knock_key", base64url_encode(keys.network.knock)},
                                      {"signing_key", to_text(keys.network.signing_key)}}) +
         "\n";
}

Result<ServerKeys> server_keys_from(const std::string& text, const std::string& path) {
  const auto value = parse_json(text);
  if (!value) return damaged(path, value.error().message, kWayOut);
  JsonProblem problem;
  const JsonObject file(*value, "server.json", problem);
  check_version(file, problem);
  file.only({"version", "secret_key", "network_id", "knock_key", "signing_key"});
  ServerKeys keys;
  keys.keys = KeyPair::from_secret(file.secret_key("secret_key"));
  keys.network = {file.bytes<16>("network_id"), keys.keys.public_key, file.bytes<32>("knock_key"),
                  file.public_key("signing_key")};
  if (!problem.text().empty()) return damaged(path, problem.text(), kWayOut);
  return keys;
}

std::string to_json(const ServerRecords& records) {
  json::object file{{"version", kVersion}, {"last_serial", records.last_serial}};
  auto& clients = file["clients"].emplace_object();
  for (const auto& [id, client] : records.clients) clients[id] = to_value(client);
  auto& flows = file["flows"].emplace_object();
  for (const auto& [name, number] : records.flows) flows[name] = number;
  return json::serialize(file) + "\n";
}

Result<ServerRecords> server_records_from(const std::string& text, const std::string& path) {
  const auto value = parse_json(text);
  if (!value) return damaged(path, value.error().message, kWayOut);
  JsonProblem problem;
  const JsonObject file(*value, "clients.json", problem);
  check_version(file, problem);
  file.only({"version", "last_serial", "clients", "flows"});
  ServerRecords records;
  records.last_serial = file.number("last_serial", kMaxSerial);
  read_clients(file.object("clients"), records, problem);
  read_flows(file.object("flows"), records, problem);
  if (!problem.text().empty()) return damaged(path, problem.text(), kWayOut);
  return records;
}

}  // namespace wormhole
