#include "state/keys_by_hand.hpp"

#include <vector>

#include "state/signing_key_file.hpp"

namespace wormhole {
namespace {

bool is_bound_to(const StoredClient& record, const PublicKey& key) {
  return record.binding && record.binding->key == key;
}

}  // namespace

Result<bool> sign_keys_by_hand(const Network& network, const SigningPlace& place, Rng& rng,
                               ServerRecords& records) {
  std::vector<const ClientEntry*> unsigned_keys;
  for (const auto& client : network.clients) {
    if (client.key && !is_bound_to(records.clients.at(client.id), *client.key)) {
      unsigned_keys.push_back(&client);
    }
  }
  if (unsigned_keys.empty()) return false;
  const auto signing = signing_key_of(place.identity, place.dir);
  if (!signing) return signing.error();
  if (!*signing) return false;
  const auto& id = place.identity.network;
  for (const auto* client : unsigned_keys) {
    auto& record = records.clients.at(client->id);
    const auto once = SigningKey::generate(rng);
    // It expires at once: it is used here and now, and nobody else gets it.
    const auto statement = make_statement(**signing, id, client->id, once.public_key,
                                          records.next_serial(place.wall_s), place.wall_s);
    record.binding = make_binding(once.seed, id, statement, *client->key);
    record.by_hand = true;
    // An open code has a lower serial: peers would take what it makes for an old binding.
    record.withdraw_open_invite();
  }
  return true;
}

std::optional<KeyBinding> binding_in_force(const ClientEntry& client, const StoredClient& record) {
  if (!client.key) return record.by_hand ? std::nullopt : record.binding;
  if (is_bound_to(record, *client.key)) return record.binding;
  return KeyBinding{client.id, *client.key, std::nullopt};
}

}  // namespace wormhole
