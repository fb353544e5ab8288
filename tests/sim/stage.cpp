#include "sim/stage.hpp"

#include <algorithm>
#include <utility>

namespace wormhole::sim {
namespace {

/// Far beyond what starting takes on any link of the scenarios.
constexpr Duration kStartLimit = 20s;

std::vector<IpAddress> addresses_of(const std::vector<std::string>& texts) {
  std::vector<IpAddress> all;
  for (const auto& text : texts) all.push_back(*IpAddress::parse(text));
  return all;
}

Flow make_flow(std::string name, std::uint16_t port, Route route) {
  Flow flow;
  flow.name = std::move(name);
  flow.port = port;
  flow.routes = {std::move(route)};
  return flow;
}

/// True when a datagram of `from` on `flow` from record `first` on has arrived.
bool arrived(const Ledger& ledger, const std::string& from, const std::string& flow,
             std::size_t first) {
  return std::any_of(ledger.records().begin() + static_cast<std::ptrdiff_t>(first),
                     ledger.records().end(), [&](const Ledger::Record& r) {
                       return r.from == from && r.flow == flow && !r.deliveries.empty();
                     });
}

}  // namespace

Stage::Stage(World& in, StageOptions with) : world(in), options(std::move(with)) {
  crypto_init();
  signing = SigningKey::generate(world.rng());
  server_spec.keys = KeyPair::generate(world.rng());
  server_spec.network.server_key = server_spec.keys.public_key;
  server_spec.network.signing_key = signing.public_key;
  world.rng().fill(server_spec.network.network);
  world.rng().fill(server_spec.network.knock);
  for (const auto& id : options.clients) keys[id] = KeyPair::generate(world.rng());
  network = make_network();
  world.ledger().set_network(network, world.now());
  server_ = make_server("server", network, make_directory());
  for (const auto& id : options.clients) add_client(id, spec_of(id));
}

wormhole::Network Stage::make_network() const {
  wormhole::Network made;
  for (const auto& address : addresses_of(options.servers)) {
    made.server.addresses.push_back({address, address});
  }
  made.server.relay_ports = options.relay_ports;
  made.p2p = options.p2p_settings;
  Members drones;
  Members ground;
  for (const auto& id : options.clients) {
    made.clients.push_back({id, std::nullopt, options.p2p});
    (id.starts_with("drone") ? drones : ground).push_back(id);
  }
  made.flows.push_back(make_flow("mavlink", 14550, {Route::Kind::kBetween, drones, ground}));
  made.flows.push_back(make_flow("video", 5600, {Route::Kind::kFromTo, drones, ground}));
  made.flows.insert(made.flows.end(), options.more_flows.begin(), options.more_flows.end());
  return made;
}

Directory Stage::make_directory() {
  Directory made;
  std::uint16_t number = 0;
  for (const auto& id : options.clients) {
    made.clients[id].number = ClientNo{++number};
    if (options.enrolled) made.clients[id].binding = bind(id, keys[id].public_key);
  }
  made.flows = {{"mavlink", FlowNo{1}}, {"video", FlowNo{2}}};
  for (const auto& flow : options.more_flows) {
    made.flows[flow.name] = FlowNo{static_cast<std::uint16_t>(made.flows.size() + 1)};
  }
  return made;
}

std::uint64_t Stage::drops(const std::string& id, const std::string& cause) {
  for (const auto& drop : client(id).status().drops) {
    if (drop.cause == cause) return drop.count;
  }
  return 0;
}

std::pair<SecretKey, InviteStatement> Stage::invite(const std::string& id) {
  const auto once = SigningKey::generate(world.rng());
  const auto statement = make_statement(signing, server_spec.network.network, id, once.public_key,
                                        ++serial_, ~std::uint64_t{0});
  if (server_) server_->codes[once.public_key] = false;
  return {once.seed, statement};
}

KeyBinding Stage::bind(const std::string& id, const PublicKey& key) {
  const auto [seed, statement] = invite(id);
  return make_binding(seed, server_spec.network.network, statement, key);
}

ClientSpec Stage::spec_of(const std::string& id) const {
  ClientSpec spec;
  spec.id = id;
  if (const auto own = keys.find(id); own != keys.end()) spec.keys = own->second;
  spec.network = server_spec.network;
  for (const auto& address : addresses_of(options.servers)) {
    spec.servers.push_back({address, server_spec.port});
  }
  return spec;
}

Host& Stage::add_host(const std::string& name) {
  ++hosts_;
  Nat* nat = nullptr;
  auto address = IpAddress::v4(192, 0, 2, hosts_);
  auto profile = options.nat ? std::optional(options.nat_profile) : std::nullopt;
  if (const auto own = options.nats.find(name); own != options.nats.end()) profile = own->second;
  if (profile) {
    nat = &world.internet().add_nat(*profile, address);
    address = IpAddress::v4(10, 0, hosts_, 2);
  }
  std::vector<IpAddress> addresses = {address};
  auto v6 = *IpAddress::parse("2001:db8:1::2");
  v6.bytes[7] = hosts_;
  addresses.push_back(v6);
  auto& host = world.internet().add_host(name, addresses, nat);
  host.up.profile = host.down.profile = options.link;
  return host;
}

ClientNode& Stage::add_client(const std::string& name, ClientSpec spec) {
  auto& host = add_host(name);
  return *(clients_[name] = std::make_unique<ClientNode>(world, name, std::move(spec), host));
}

std::unique_ptr<ServerNode> Stage::make_server(const std::string& name,
                                               wormhole::Network with_network,
                                               Directory directory) {
  auto& host = server_ ? server_->host()
                       : world.internet().add_host("server", addresses_of(options.servers));
  return std::make_unique<ServerNode>(world, name, server_spec, host, std::move(with_network),
                                      std::move(directory));
}

bool Stage::ready(const std::string& id) {
  for (const auto& flow : network.flows) {
    if (flow.protocol == Protocol::kUdp && !client(id).port_open(flow.name)) return false;
  }
  const auto status = client(id).status();
  return status.server.connected && !status.peers.empty() &&
         std::all_of(status.peers.begin(), status.peers.end(),
                     [](const PeerStatus& peer) { return peer.online; });
}

bool Stage::start() {
  server_->start();
  for (const auto& id : options.clients) client(id).start();
  const auto all_ready = [this] {
    for (const auto& id : options.clients) {
      if (!ready(id)) return false;
    }
    return true;
  };
  return world.run_until(all_ready, kStartLimit);
}

std::optional<Duration> Stage::until_delivery(const std::string& from, const std::string& flow,
                                              Duration limit) {
  const auto begin = world.now();
  const auto first = world.ledger().records().size();
  const auto came = [&] { return arrived(world.ledger(), from, flow, first); };
  if (!world.run_until(came, limit)) return std::nullopt;
  return world.now() - begin;
}

void Stage::traffic(const std::string& from, const std::string& flow, Duration interval,
                    std::size_t size) {
  world.every(interval, [this, from, flow, size, round = traffic_] {
    if (round == traffic_) client(from).send(flow, size);
    return round == traffic_;
  });
}

void Stage::both_ways(Duration interval, std::size_t size) {
  traffic("drone3", "mavlink", interval, size);
  traffic("gcs4", "mavlink", interval, size);
}

std::optional<Duration> Stage::until_both_ways(Duration limit) {
  const auto begin = world.now();
  const auto first = world.ledger().records().size();
  const auto came = [&] {
    return arrived(world.ledger(), "drone3", "mavlink", first) &&
           arrived(world.ledger(), "gcs4", "mavlink", first);
  };
  if (!world.run_until(came, limit)) return std::nullopt;
  return world.now() - begin;
}

}  // namespace wormhole::sim
