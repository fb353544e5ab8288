#include "unit/client/trio.hpp"

#include <utility>

namespace wormhole::testing {
namespace {

Network two_clients() {
  Network network;
  network.server.addresses = {{kServerAt.address, kServerAt.address}};
  network.clients = {{"drone3", std::nullopt}, {"gcs4", std::nullopt}};
  Flow mavlink;
  mavlink.name = "mavlink";
  mavlink.port = 14550;
  mavlink.routes = {{Route::Kind::kBetween, {"drone3"}, {"gcs4"}}};
  Flow video;
  video.name = "video";
  video.port = 5600;
  video.routes = {{Route::Kind::kFromTo, {"drone3"}, {"gcs4"}}};
  network.flows = {mavlink, video};
  return network;
}

}  // namespace

Trio::Trio() {
  crypto_init();
  const auto server_keys = KeyPair::generate(rng);
  for (auto& pair : keys) pair = KeyPair::generate(rng);
  signing = SigningKey::generate(rng);
  identity.signing_key = signing.public_key;
  identity.server_key = server_keys.public_key;
  identity.knock.fill(9);
  directory.clients["drone3"] = {ClientNo{1}, bind("drone3", keys[0].public_key, 1)};
  directory.clients["gcs4"] = {ClientNo{2}, bind("gcs4", keys[1].public_key, 1)};
  directory.flows = {{"mavlink", kMavlink}, {"video", kVideo}};
  network = two_clients();
  server = std::make_unique<Server>(ServerConfig{server_keys, identity, 77},
                                    plan_network(network, directory, nullptr), rng);
  for (std::size_t i = 0; i < 2; ++i) start_client(i, {});
}

KeyBinding Trio::bind(const std::string& id, const PublicKey& key, std::uint64_t serial) {
  const auto once = SigningKey::generate(rng);
  const auto statement =
      make_statement(signing, identity.network, id, once.public_key, serial, ~std::uint64_t{0});
  return make_binding(once.seed, identity.network, statement, key);
}

void Trio::start_client(std::size_t who, const std::map<std::string, PeerPin>& pins) {
  ClientConfig config;
  config.id = who == 0 ? "drone3" : "gcs4";
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
    under_way_.push_back({kClientAt[who], send.to, {send.bytes.begin(), send.bytes.end()}});
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
      under_way_.push_back(
          {{kServerAt.address, port}, send.to, {send.bytes.begin(), send.bytes.end()}});
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
  for (std::size_t i = 0; i < 2; ++i) {
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
  const std::size_t who = item.to == kClientAt[0] ? 0 : 1;
  clients[who]->on_net_datagrams(SocketNo{0}, {&datagram, 1}, now, client_out[who]);
  collect_client(who);
  return true;
}

void Trio::run(Duration duration) {
  const auto until = now + duration;
  for (;;) {
    while (deliver_one()) {
    }
    const auto due = std::min(
        {server->next_deadline(), clients[0]->next_deadline(), clients[1]->next_deadline()});
    if (due > until) break;
    now = std::max(now, due);
    server->on_timeout(now, server_out);
    collect_server();
    for (std::size_t i = 0; i < 2; ++i) {
      clients[i]->on_timeout(now, client_out[i]);
      collect_client(i);
    }
  }
  now = until;
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
