// A server and bare hop links, carried by hand: for tests of what arrives when, and from where.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "wormhole/hop/hop_link.hpp"
#include "wormhole/server/server.hpp"

namespace wormhole::testing {

using Datagrams = std::vector<std::vector<std::uint8_t>>;

/// One process of a client.
struct Link {
  Link(HopConfig config, Endpoint from, Rng& rng) : hop(std::move(config), rng), at(from) {}
  HopLink hop;
  Endpoint at;
  Outbox out;
  std::vector<HopEvent> events;

  /// What it has said since the last call.
  Datagrams take() {
    Datagrams said;
    for (const auto& send : out.net_sends()) said.push_back(send.copy());
    out.clear();
    return said;
  }
  bool was_closed() const {
    for (const auto& event : events) {
      if (std::holds_alternative<HopClosed>(event)) return true;
    }
    return false;
  }
};

class HopLine {
 public:
  inline static const Endpoint kServer = *Endpoint::parse("198.51.100.10:7700");

  /// Clients with these IDs, numbered from 1; `flows` are numbered from 1 in their order.
  HopLine(const std::vector<std::string>& ids, std::vector<Flow> flows) {
    crypto_init();
    identity.server_key = server_keys.public_key;
    identity.signing_key = signing.public_key;
    identity.knock.fill(9);
    Network network;
    Directory directory;
    for (const auto& id : ids) {
      auto& own = keys[id] = KeyPair::generate(rng);
      network.clients.push_back({id, own.public_key});
      const ClientNo number{static_cast<std::uint16_t>(network.clients.size())};
      // The server passes chains on without reading them; an empty one serves.
      directory.clients[id] = {number, KeyBinding{id, own.public_key, KeyBinding::Chain{}}};
    }
    network.flows = std::move(flows);
    std::uint16_t flow_number = 0;
    for (const auto& flow : network.flows) directory.flows[flow.name] = FlowNo{++flow_number};
    server = std::make_unique<Server>(ServerConfig{server_keys, identity, 77},
                                      plan_network(std::move(network), directory, nullptr), rng);
  }

  /// A process of client `id`; its first INIT waits in its tray. It enrols when `invite` is set.
  std::unique_ptr<Link> link(const std::string& id, std::uint64_t boot_id, const char* at,
                             const Mac& invite = {}) {
    HopConfig config{id,      keys.at(id), identity.server_key, identity.network, identity.knock,
                     boot_id, invite};
    auto made = std::make_unique<Link>(std::move(config), *Endpoint::parse(at), rng);
    made->hop.set_servers({kServer}, now, made->out);
    return made;
  }

  /// Hands `datagrams` to the server as coming from `from`, and its answers to whom they are for.
  void deliver(const Endpoint& from, Datagrams datagrams, const std::vector<Link*>& links) {
    for (auto& bytes : datagrams) {
      const NetDatagram datagram{from, bytes};
      server->on_net_datagrams(SocketNo{0}, {&datagram, 1}, now, server_out);
    }
    for (const auto& send : server_out.net_sends()) {
      for (auto* link : links) {
        if (link->at != send.to) continue;
        std::vector<std::uint8_t> bytes = send.copy();
        link->hop.on_datagram(SocketNo{0}, {kServer, bytes}, now, link->out, link->events);
      }
    }
    commands.insert(commands.end(), server_out.commands.begin(), server_out.commands.end());
    server_out.clear();
  }

  /// Carries everything between the server and `link` until both are silent.
  void talk(Link& link) {
    for (auto said = link.take(); !said.empty(); said = link.take()) {
      deliver(link.at, std::move(said), {&link});
    }
  }

  std::uint64_t counter(const std::string& name) const {
    for (const auto& [cause, count] : server->status(now).counters) {
      if (cause == name) return count;
    }
    return 0;
  }

  SeededRng rng{11};
  TimePoint now{1000s};
  KeyPair server_keys = KeyPair::generate(rng);
  SigningKey signing = SigningKey::generate(rng);
  NetworkIdentity identity;
  std::map<std::string, KeyPair> keys;
  std::unique_ptr<Server> server;
  ServerOutbox server_out;
  std::vector<ServerCommand> commands;
};

}  // namespace wormhole::testing
