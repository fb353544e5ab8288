// Peers: whose key is accepted, and where they are kept.
#include <algorithm>
#include <utility>

#include "client/client_core.hpp"

namespace wormhole {

Peer* Client::Core::peer_numbered(ClientNo number) {
  const auto at = by_number.find(number);
  return at == by_number.end() ? nullptr : peers[at->second].peer.get();
}

std::optional<std::string> Client::Core::distrust(const KeyBinding& binding, ClientOutbox& out) {
  const auto pin = config.pins.find(binding.id);
  const auto known = pin == config.pins.end() ? std::optional<PeerPin>{} : pin->second;
  const bool same_key = known && known->key == binding.key;
  if (!binding.chain) {
    // Whoever holds the server can announce such a key for any ID: only the operator's word counts.
    if (same_key) return std::nullopt;
    return "its key is not signed; if its owner confirms " + to_text(binding.key) +
           ", stop this client and run: wormhole trust " + binding.id + " " + to_text(binding.key) +
           " --id " + config.id;
  }
  if (!verify_binding(binding, config.network.signing_key, config.network.network)) {
    return "its key is not signed by this network's signing key; nothing is sent to it. Is the "
           "server still yours?";
  }
  const bool older = known && binding.serial() <= known->serial;
  if (older && !(same_key && binding.serial() == known->serial)) {
    return "the server offers an older key than the one in use; nothing is sent to it";
  }
  if (!known && config.pins.size() >= kMaxPins) {
    ++drops.unreadable_peer;
    return "its key can't be remembered, for there are " + std::to_string(kMaxPins) +
           " peers in pins.json; stop this client and move that file away";
  }
  const PeerPin accepted{binding.key, binding.serial()};
  if (known == accepted) return std::nullopt;
  config.pins[binding.id] = accepted;
  out.commands.emplace_back(SavePin{binding.id, accepted});
  return std::nullopt;
}

std::optional<std::uint16_t> Client::Core::add_peer(const KeyBinding& binding) {
  const auto free = std::find_if(peers.begin(), peers.end(), [](const auto& e) { return !e.peer; });
  const auto slot = static_cast<std::size_t>(free - peers.begin());
  if (slot == Peer::kMaxPeers) return std::nullopt;
  if (free == peers.end()) peers.emplace_back();
  peers[slot] = PeerEntry{};
  peers[slot].peer =
      std::make_unique<Peer>(context, static_cast<std::uint16_t>(slot), binding, hop, waiting, rng);
  peers[slot].peer->set_path_settings(path_settings);
  return static_cast<std::uint16_t>(slot);
}

void Client::Core::remove_peer(ClientNo number, TimePoint now, ClientOutbox& out) {
  const auto at = by_number.find(number);
  if (at == by_number.end()) return;
  const auto& peer = *peers[at->second].peer;
  out.log(LogLevel::kInfo, "peer " + peer.id() + ": gone");
  context.attempts = std::max(context.attempts, peer.attempt());
  tcp.remove_peer(at->second, now, out);
  shaper.remove_streams(at->second);
  // Its sockets first, while somebody can say which of them its paths use.
  puncher.remove(at->second, now, out);
  peers[at->second] = PeerEntry{};
  by_number.erase(at);
}

void Client::Core::set_path_settings() {
  for (auto& entry : peers) {
    if (entry.peer) entry.peer->set_path_settings(path_settings);
  }
}

/// After any change of flows or peers.
void Client::Core::relink(TimePoint now, ClientOutbox& out) {
  flows.relink([&](ClientNo number) { return slot_of(number); });
  groups_changed = true;
  if (in_snapshot) return;  // SYNC ends it
  want_streams(now);
  tcp.enforce(now, out);
}

void Client::Core::say_peer_changes(std::uint16_t slot, ClientOutbox& out) {
  auto& entry = peers[slot];
  const auto& peer = *entry.peer;
  const auto* direct = peer.paths().in_use();
  auto kind = PathKind::kNone;
  if (peer.is_online() && peer.has_session()) {
    kind = direct != nullptr ? PathKind::kDirect : PathKind::kRelay;
  }
  const auto at = kind == PathKind::kDirect ? *direct : PathAddress{};
  if (kind == entry.said && at == entry.said_at) return;
  groups_changed = true;
  LinkChange change{LinkChange::What::kPath, peer.id(), {}, kind, entry.said, {}};
  out.commands.emplace_back(std::move(change));
  entry.said = kind;
  entry.said_at = at;
  std::string text = "path relay";
  if (kind == PathKind::kDirect) {
    text = "path direct to " + at.remote.to_string() + ", opened by " +
           std::string(words(puncher.status(slot).strategy));
  } else if (kind == PathKind::kNone) {
    text = peer.is_online() ? "no path (restarted)" : "no path (offline)";
  }
  out.log(LogLevel::kInfo, "peer " + peer.id() + ": " + text);
}

}  // namespace wormhole
