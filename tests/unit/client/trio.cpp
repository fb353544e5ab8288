#include "unit/client/trio.hpp"

#include <algorithm>
#include <utility>

namespace wormhole::testing {
namespace {

constexpr const char* kIds[Trio::kMostClients] = {"drone3", "gcs4", "gcs5", "gcs6"};

Network network_of(std::size_t count, bool p2p) {
  Network network;
  network.server.addresses = {{kServerAt.address, kServerAt.address}};
  for (std::size_t i = 0; i < count; ++i) network.clients.push_back({kIds[i], std::nullopt, p2p});
  Flow mavlink;
  mavlink.name = "mavlink";
  mavlink.port = 14550;
  mavlink.routes.push_back({Route::Kind::kBetween, {"drone3"}, {"gcs4"}, {}});
  Flow video;
  video.name = "video";
  video.port = 5600;
  video.routes.push_back({Route::Kind::kFromTo, {"drone3"}, Members(kIds + 1, kIds + count), {}});
  network.flows = {mavlink, video};
  return network;
}

}  // namespace

Trio::Trio(bool p2p, std::size_t receivers) : count(1 + receivers) {
  crypto_init();
  const auto server_keys = KeyPair::generate(rng);
  for (auto& pair : keys) pair = KeyPair::generate(rng);
  signing = SigningKey::generate(rng);
  identity.signing_key = signing.public_key;
  identity.server_key = server_keys.public_key;
  identity.knock.fill(9);
  for (std::size_t i = 0; i < count; ++i) {
    const ClientNo number{static_cast<std::uint16_t>(i + 1)};
    directory.clients[kIds[i]] = {number, bind(kIds[i], keys[i].public_key, 1)};
  }
  directory.flows = {{"mavlink", kMavlink}, {"video", kVideo}};
  network = network_of(count, p2p);
  server = std::make_unique<Server>(ServerConfig{server_keys, identity, 77},
                                    plan_network(network, directory, nullptr), rng);
  for (std::size_t i = 0; i < count; ++i) start_client(i, {});
}

KeyBinding Trio::bind(const std::string& id, const PublicKey& key, std::uint64_t serial) {
  const auto once = SigningKey::generate(rng);
  const auto statement =
      make_statement(signing, identity.network, id, once.public_key, serial, ~std::uint64_t{0});
  return make_binding(once.seed, identity.network, statement, key);
}

void Trio::start_client(std::size_t who, const std::map<std::string, PeerPin>& pins) {
  ClientConfig config;
  config.id = kIds[who];
  config.keys = keys[who];
  config.network = identity;
  config.boot_id = rng.number<std::uint64_t>() | 1U;
  config.pins = pins;
  clients[who] = std::make_unique<Client>(config, rng);
  clients[who]->set_servers({kServerAt}, now, client_out[who]);
  collect_client(who);
}

void Trio::announce_gcs(const KeyBinding& binding) {
  directory.clients["gcs4"].binding = binding;
  server->set_plan(plan_network(network, directory, &server->plan()), now, server_out);
  collect_server();
}

void Trio::collect_client(std::size_t who) {
  auto& out = client_out[who];
  for (const auto& send : out.net_sends()) {
    under_way_.push_back({kClientAt[who], send.to, send.copy()});
  }
  for (const auto& send : out.app_sends()) {
    delivered.push_back({who, send.port, send.to, std::string(as_text(send.bytes))});
  }
  const auto said = std::exchange(out.commands, {});
  out.clear();
  for (const auto& command : said) {
    commands[who].push_back(command);
    const auto* open = std::get_if<OpenFlowPort>(&command);
    if (open != nullptr) clients[who]->on_flow_port(open->port, "", now, out);
  }
}

void Trio::collect_server() {
  for (;;) {
    for (const auto& send : server_out.net_sends()) {
      const auto port = send.socket.value == 0 ? kServerAt.port : relay_ports.at(send.socket);
      under_way_.push_back({{kServerAt.address, port}, send.to, send.copy()});
    }
    const auto said = std::exchange(server_out.commands, {});
    server_out.clear();
    if (said.empty()) return;
    for (const auto& command : said) {
      if (const auto* close = std::get_if<CloseRelayPort>(&command))
        relay_ports.erase(close->socket);
      const auto* open = std::get_if<OpenRelayPort>(&command);
      if (open == nullptr) continue;
      relay_ports[open->socket] = open->port;
      server->on_relay_port(open->socket, RelayPortAnswer::kOpen, "", now, server_out);
    }
  }
}

std::optional<SocketNo> Trio::server_socket(const Endpoint& at) const {
  if (at == kServerAt) return SocketNo{0};
  for (const auto& [socket, port] : relay_ports) {
    if (port == at.port && !only_shared_port) return socket;
  }
  return std::nullopt;
}

bool Trio::deliver_one() {
  if (under_way_.empty()) return false;
  auto item = std::move(under_way_.front());
  under_way_.pop_front();
  for (std::size_t i = 0; i < count; ++i) {
    if (cut[i] && (item.from == kClientAt[i] || item.to == kClientAt[i])) return true;
  }
  const NetDatagram datagram{item.from, item.bytes};
  if (item.to.address == kServerAt.address) {
    const auto socket = server_socket(item.to);
    if (!socket) return true;
    server->on_net_datagrams(*socket, {&datagram, 1}, now, server_out);
    collect_server();
    return true;
  }
  const auto* const at = std::find(kClientAt, kClientAt + count, item.to);
  if (at == kClientAt + count) return true;
  const auto who = static_cast<std::size_t>(at - kClientAt);
  clients[who]->on_net_datagrams(SocketNo{0}, {&datagram, 1}, now, client_out[who]);
  collect_client(who);
  return true;
}

void Trio::run(Duration duration) {
  const auto until = now + duration;
  for (;;) {
    while (deliver_one()) {
    }
    auto due = server->next_deadline();
    for (std::size_t i = 0; i < count; ++i) due = std::min(due, clients[i]->next_deadline());
    if (due > until) break;
    now = std::max(now, due);
    server->on_timeout(now, server_out);
    collect_server();
    for (std::size_t i = 0; i < count; ++i) {
      clients[i]->on_timeout(now, client_out[i]);
      collect_client(i);
    }
  }
  now = until;
}

void Trio::warm_up_group() {
  run(2s);
  const std::string text(1200, 'v');
  const auto is_ready = [this] {
    const auto status = clients[0]->status(now);
    const auto& spread = status.flows.at(1).spread;
    return spread && spread->uploads == 1 && spread->grouped == count - 1 &&
           std::none_of(status.peers.begin(), status.peers.end(),
                        [](const auto& peer) { return peer.mtu && peer.mtu->searching; });
  };
  for (int i = 0; i < 100 && !is_ready(); ++i) {
    app_send(0, kVideo, text);
    run(100ms);
  }
  delivered.clear();
}

void Trio::reload(const Network& changed) {
  server->set_plan(plan_network(changed, directory, &server->plan()), now, server_out);
  collect_server();
  run(10ms);
}

void Trio::app_send(std::size_t who, AppPort port, std::string_view text) {
  std::vector<std::uint8_t> memory(kHeadroom + text.size() + kTailroom);
  const MutBytes bytes = MutBytes(memory).subspan(kHeadroom, text.size());
  copy_bytes(as_bytes(text), bytes);
  const AppDatagram datagram{kAppAt, bytes};
  clients[who]->on_app_datagrams(port, {&datagram, 1}, now, client_out[who]);
  collect_client(who);
}

}  // namespace wormhole::testing
