#include <array>
#include <limits>

#include "config/key_path.hpp"
#include "config/sections.hpp"

namespace wormhole {
namespace {

constexpr std::array<std::string_view, 2> kClientKeys{"key", "p2p"};

/// Client numbers are 16 bits, and 0 is the server (docs/protocol.md 1).
constexpr std::size_t kMaxClients = std::numeric_limits<std::uint16_t>::max();

std::optional<PublicKey> read_key(const Value& value, ErrorList& errors) {
  constexpr auto kExpected =
      "the public key that `wormhole keygen` printed: wh1 and 43 characters more";
  const auto text = read_text(value, kExpected, errors);
  if (!text) return std::nullopt;
  const auto key = parse_public_key(*text);
  // Never shown: it may be a secret that was pasted by mistake.
  if (!key || key->is_zero()) {
    add_error(errors, value, std::string("is not a key; expected ") + kExpected);
    return std::nullopt;
  }
  return key;
}

/// Keys by hand must differ: the server tells clients apart by them.
using KeyOwners = std::map<PublicKey, std::string>;

ClientEntry read_client(const NamedValue& entry, KeyOwners& owners, ErrorList& errors) {
  ClientEntry client{entry.name, std::nullopt, true};
  if (entry.value.is(YamlNode::Kind::kNull)) return client;  // "drone3:" says no more than {}
  if (!entry.value.is(YamlNode::Kind::kMap)) {
    add_error(errors, entry.value,
              what_it_is(*entry.value.node) + "; expected {} or a map with key or p2p");
    return client;
  }
  const MapReader map(entry.value, kClientKeys, errors);
  if (const auto p2p = map.find("p2p")) client.p2p = read_switch(*p2p, errors);
  const auto key = map.find("key");
  if (!key) return client;
  client.key = read_key(*key, errors);
  if (!client.key) return client;
  const auto [owner, is_new] = owners.try_emplace(*client.key, entry.name);
  if (!is_new) {
    add_error(errors, *key, "is also the key of " + owner->second + "; expected another for each");
  }
  return client;
}

}  // namespace

std::vector<ClientEntry> read_clients(const Value& section, ErrorList& errors) {
  std::vector<ClientEntry> clients;
  KeyOwners owners;
  for (const auto& entry : named_values(section, "client", errors)) {
    clients.push_back(read_client(entry, owners, errors));
  }
  if (clients.size() > kMaxClients) {
    add_error(errors, section,
              "has " + std::to_string(clients.size()) + " clients; expected at most 65535");
  }
  return clients;
}

std::map<std::string, Members> read_groups(const Value& section, Population& population,
                                           ErrorList& errors) {
  std::map<std::string, Members> groups;
  const auto entries = named_values(section, "group", errors);
  for (const auto& entry : entries) {
    population.set_group(entry.name, {});
    if (!population.has_id(entry.name)) continue;
    errors.add(entry.key_place, entry.value.path,
               "a client has this name too; expected another for the group");
  }
  for (const auto& entry : entries) {
    groups[entry.name] = population.select_for_group(entry.value, errors);
  }
  for (const auto& [name, members] : groups) population.set_group(name, members);
  for (const auto& entry : entries) {
    population.set_group_order(entry.name, population.in_order(entry.value));
  }
  return groups;
}

}  // namespace wormhole
