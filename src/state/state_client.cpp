#include <boost/json/array.hpp>
#include <boost/json/serialize.hpp>
#include <limits>

#include "state/json_reader.hpp"
#include "state/state_io.hpp"
#include "wormhole/base/ids.hpp"
#include "wormhole/state/state_files.hpp"

namespace wormhole {
namespace {

namespace json = boost::json;

constexpr std::uint64_t kVersion = 1;
constexpr auto kIdentityFile = "/identity.json";
constexpr auto kPinsFile = "/pins.json";
constexpr auto kIdentityWayOut =
    "restore it from a backup, or enrol again with a new code from `wormhole invite`";
constexpr auto kPinsWayOut =
    "restore it from a backup, or move it away to trust the peers' keys anew";

void check_version(const JsonObject& file, JsonProblem& problem) {
  if (file.number("version", kVersion) != kVersion) problem.add("version", "is not 1");
}

std::vector<Endpoint> addresses_from(const JsonObject& file, JsonProblem& problem) {
  std::vector<Endpoint> addresses;
  for (const auto& item : file.array("addresses")) {
    const auto* text = item.if_string();
    const auto endpoint =
        text == nullptr ? std::nullopt : Endpoint::parse({text->data(), text->size()});
    if (!endpoint || !endpoint->is_set()) {
      problem.add(file.path("addresses"), "has something that is not IP:PORT");
      break;
    }
    addresses.push_back(*endpoint);
  }
  return addresses;
}

Result<ClientIdentity> identity_from(const json::value& value, const std::string& path) {
  JsonProblem problem;
  const JsonObject file(value, "identity.json", problem);
  check_version(file, problem);
  file.only({"version", "id", "secret_key", "server_name", "addresses", "server_key", "network_id",
             "knock_key", "signing_key"});
  ClientIdentity identity;
  identity.id = file.text("id");
  if (!is_valid_name(identity.id)) problem.add(file.path("id"), "is not an ID");
  identity.keys = KeyPair::from_secret(file.secret_key("secret_key"));
  identity.server_name = file.text("server_name");
  identity.addresses = addresses_from(file, problem);
  identity.network = {file.bytes<16>("network_id"), file.public_key("server_key"),
                      file.bytes<32>("knock_key"), file.public_key("signing_key")};
  if (identity.server_name.empty() && identity.addresses.empty()) {
    problem.add(file.path("addresses"), "is empty, and there is no server_name");
  }
  if (!problem.text().empty()) return damaged(path, problem.text(), kIdentityWayOut);
  return identity;
}

Result<std::map<std::string, PeerPin>> pins_from(const json::value& value,
                                                 const std::string& path) {
  JsonProblem problem;
  const JsonObject file(value, "pins.json", problem);
  check_version(file, problem);
  file.only({"version", "pins"});
  std::map<std::string, PeerPin> pins;
  const auto list = file.object("pins");
  for (const auto& entry : list.entries()) {
    const std::string id(entry.key().data(), entry.key().size());
    const auto pin = list.object(id);
    pin.only({"key", "serial"});
    if (!is_valid_name(id)) problem.add(list.path(id), "is not an ID");
    pins[id] = {pin.public_key("key"),
                pin.number("serial", std::numeric_limits<std::uint64_t>::max())};
  }
  if (!problem.text().empty()) return damaged(path, problem.text(), kPinsWayOut);
  return pins;
}

}  // namespace

Result<ClientIdentity> load_client_identity(const std::string& dir) {
  const auto path = dir + kIdentityFile;
  const auto text = read_state_file(path);
  if (!text) return text.error();
  if (!*text) {
    return Error{"this client is not enrolled: there is no " + path +
                 "; run `wormhole enroll` with a code from `wormhole invite`, or name another "
                 "--state-dir"};
  }
  const auto value = parse_json(**text);
  if (!value) return damaged(path, value.error().message, kIdentityWayOut);
  return identity_from(*value, path);
}

Result<void> save_client_identity(const std::string& dir, const ClientIdentity& identity) {
  if (auto made = make_state_directory(dir); !made) return made;
  json::array addresses;
  for (const auto& address : identity.addresses) addresses.emplace_back(address.to_string());
  const json::object file{{"version", kVersion},
                          {"id", identity.id},
                          {"secret_key", to_text(identity.keys.secret)},
                          {"server_name", identity.server_name},
                          {"addresses", std::move(addresses)},
                          {"server_key", to_text(identity.network.server_key)},
                          {"network_id", base64url_encode(identity.network.network)},
                          {"knock_key", base64url_encode(identity.network.knock)},
                          {"signing_key", to_text(identity.network.signing_key)}};
  return write_file_durably(dir + kIdentityFile, json::serialize(file) + "\n");
}

Result<std::map<std::string, PeerPin>> load_pins(const std::string& dir) {
  const auto path = dir + kPinsFile;
  const auto text = read_state_file(path);
  if (!text) return text.error();
  if (!*text) return std::map<std::string, PeerPin>();
  const auto value = parse_json(**text);
  if (!value) return damaged(path, value.error().message, kPinsWayOut);
  return pins_from(*value, path);
}

Result<void> save_pins(const std::string& dir, const std::map<std::string, PeerPin>& pins) {
  if (auto made = make_state_directory(dir); !made) return made;
  json::object list;
  for (const auto& [id, pin] : pins) {
    list[id] = json::object{{"key", to_text(pin.key)}, {"serial", pin.serial}};
  }
  const json::object file{{"version", kVersion}, {"pins", std::move(list)}};
  return write_file_durably(dir + kPinsFile, json::serialize(file) + "\n");
}

}  // namespace wormhole
