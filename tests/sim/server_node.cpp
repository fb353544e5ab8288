#include "sim/server_node.hpp"

#include <algorithm>
#include <utility>

#include "sim/chance.hpp"

namespace wormhole::sim {
namespace {

constexpr Duration kWakeUp = 200us;  // as for clients
/// Two fsyncs: 1 ms on an SSD, 30 ms on a slow disk.
constexpr Duration kFastestStore = 1ms;
constexpr Duration kSlowestStore = 30ms;

void apply(const ChangeMembership& command, Flow& flow) {
  const auto side = *command.change.side;
  for (auto& route : flow.routes) {
    if (!has_side(route.kind, side)) continue;
    auto& members = side == Side::kTo || side == Side::kSecond ? route.second : route.first;
    std::erase(members, command.id);
    if (command.change.join) members.push_back(command.id);
    std::sort(members.begin(), members.end());
    return;
  }
}

}  // namespace

ServerNode::ServerNode(World& world, std::string name, ServerSpec spec, Host& host,
                       wormhole::Network network, Directory first_directory)
    : Node(world, std::move(name)),
      directory(std::move(first_directory)),
      spec_(std::move(spec)),
      host_(host),
      addresses_(host.addresses),
      network_(std::move(network)) {}

void ServerNode::start() {
  end();
  ++process_;
  out_ = std::make_unique<ServerOutbox>();
  core_ =
      std::make_unique<Server>(ServerConfig{spec_.keys, spec_.network,
                                            world_.rng().number<std::uint64_t>(), spec_.probe_port},
                               plan_network(network_, directory, nullptr), world_.rng());
  host_.receive = [this](Packet packet) { receive(std::move(packet)); };
  world_.note(What::kStarted, {addresses_.front(), spec_.port}, {}, 0, 0);
}

void ServerNode::end() {
  core_.reset();
  inbox_.clear();
  relay_sockets_.clear();
  exchanges_.clear();
  waking_ = false;
  host_.receive = nullptr;
}

void ServerNode::kill() {
  world_.note(What::kKilled, {addresses_.front(), spec_.port}, {}, 0, 0);
  end();
}

void ServerNode::stop(Duration spread) {
  core_->shutdown(spread, world_.now(), *out_);
  flush();
  kill();
}

void ServerNode::set_network(wormhole::Network network) {
  network_ = std::move(network);
  if (!core_) return;
  core_->set_plan(plan_network(network_, directory, &core_->plan()), world_.now(), *out_);
  flush();
}

std::vector<Endpoint> ServerNode::endpoints() const {
  std::vector<Endpoint> all;
  for (const auto& address : addresses_) all.push_back({address, spec_.port});
  return all;
}

TimePoint ServerNode::next_deadline() const { return core_ ? core_->next_deadline() : kNever; }

void ServerNode::on_timeout() {
  core_->on_timeout(world_.now(), *out_);
  flush();
}

void ServerNode::receive(Packet packet) {
  const auto socket = socket_at(packet.to);
  if (!socket) return;
  auto& exchange = exchanges_[packet.from];
  ++exchange.datagrams_in;
  exchange.bytes_in += packet.bytes.size();
  exchange.genuine = exchange.genuine || packet.genuine;
  inbox_[socket->value].push_back(std::move(packet));
  if (std::exchange(waking_, true)) return;
  world_.after(up_to(world_.rng(), kWakeUp), [this, process = process_] {
    if (process == process_ && core_) wake();
  });
}

std::optional<SocketNo> ServerNode::socket_at(const Endpoint& at) const {
  const auto address = std::find(addresses_.begin(), addresses_.end(), at.address);
  const auto position = static_cast<std::uint16_t>(address - addresses_.begin());
  if (address != addresses_.end() && at.port == spec_.port) return SocketNo{position};
  if (address != addresses_.end() && at.port == spec_.probe_port) {
    return SocketNo{static_cast<std::uint16_t>(addresses_.size() + position)};
  }
  for (const auto& [number, endpoint] : relay_sockets_) {
    if (endpoint == at) return SocketNo{number};
  }
  return std::nullopt;
}

std::set<std::uint16_t> ServerNode::relay_ports() const {
  std::set<std::uint16_t> ports;
  for (const auto& [number, endpoint] : relay_sockets_) ports.insert(endpoint.port);
  return ports;
}

void ServerNode::wake() {
  waking_ = false;
  for (auto& [socket, packets] : std::exchange(inbox_, {})) {
    std::vector<NetDatagram> batch;
    for (auto& packet : packets) batch.push_back({packet.from, packet.bytes});
    core_->on_net_datagrams(SocketNo{socket}, batch, world_.now(), *out_);
    flush();
  }
}

void ServerNode::flush() {
  for (const auto& send : out_->net_sends()) send_to_network(send);
  if (!out_->app_sends().empty()) world_.violate(name() + " has no applications to send to");
  if (out_->dropped() != 0) world_.violate("the outbox of " + name() + " overflowed");
  const auto commands = std::exchange(out_->commands, {});
  out_->clear();
  for (const auto& command : commands) {
    std::visit([this](const auto& c) { execute(c); }, command);
  }
}

bool ServerNode::may_send(const NetSend& send) {
  const auto found = exchanges_.find(send.to);
  if (found == exchanges_.end()) return false;
  auto& exchange = found->second;
  ++exchange.datagrams_out;
  exchange.bytes_out += send.size();
  return exchange.genuine || (exchange.datagrams_out <= exchange.datagrams_in &&
                              exchange.bytes_out <= exchange.bytes_in);
}

std::optional<Endpoint> ServerNode::endpoint_of(SocketNo socket) const {
  const auto count = addresses_.size();
  if (socket.value < count) return Endpoint{addresses_[socket.value], spec_.port};
  if (socket.value < 2 * count && spec_.probe_port != 0) {
    return Endpoint{addresses_[socket.value - count], spec_.probe_port};
  }
  const auto relay = relay_sockets_.find(socket.value);
  return relay == relay_sockets_.end() ? std::nullopt : std::optional(relay->second);
}

void ServerNode::send_to_network(const NetSend& send) {
  const auto from = endpoint_of(send.socket);
  if (!from) return world_.violate(name() + " sends through a socket that it does not have");
  if (!may_send(send)) {
    return world_.violate(name() + " says more to " + send.to.to_string() +
                          " than that unproven address has said");
  }
  world_.internet().send(host_, {*from, send.to, send.copy(), true});
}

EnrolResult ServerNode::store(const KeyBinding& binding) {
  const auto entry = directory.clients.find(binding.id);
  if (entry == directory.clients.end()) return EnrolResult::kNotConfigured;
  const auto code = binding.chain ? codes.find(binding.chain->statement.invite_key) : codes.end();
  if (code == codes.end()) return EnrolResult::kUnknown;
  if (std::exchange(code->second, true)) return EnrolResult::kUsed;
  entry->second.binding = binding;
  return EnrolResult::kDone;
}

void ServerNode::execute(const StoreEnrolment& command) {
  const auto takes = between(world_.rng(), kFastestStore, kSlowestStore);
  world_.after(takes, [this, process = process_, command] {
    if (process != process_ || !core_) return;
    core_->on_enrolled(command.ticket, store(command.binding), world_.now(), *out_);
    flush();
  });
}

void ServerNode::execute(const OpenRelayPort& command) {
  const Endpoint at{addresses_.at(command.address), command.port};
  auto answer = RelayPortAnswer::kOpen;
  if (addresses_.size() + relay_sockets_.size() >= descriptors) answer = RelayPortAnswer::kRefused;
  if (socket_at(at) || taken_ports.contains(command.port)) answer = RelayPortAnswer::kTaken;
  if (answer == RelayPortAnswer::kOpen &&
      !relay_sockets_.emplace(command.socket.value, at).second) {
    world_.violate(name() + " opens a socket number twice");
  }
  core_->on_relay_port(command.socket, answer, "no port", world_.now(), *out_);
  flush();
}

void ServerNode::execute(const CloseRelayPort& command) {
  if (relay_sockets_.erase(command.socket.value) == 0) {
    world_.violate(name() + " closes a socket that it does not have");
  }
  inbox_.erase(command.socket.value);
}

void ServerNode::execute(const ChangeMembership& command) {
  const auto takes = between(world_.rng(), kFastestStore, kSlowestStore);
  world_.after(takes, [this, process = process_, command] {
    if (process != process_ || !core_) return;
    auto changed = network_;
    for (auto& flow : changed.flows) {
      if (flow.name == command.change.flow) apply(command, flow);
    }
    world_.ledger().set_network(changed, world_.now());
    set_network(std::move(changed));
    core_->on_membership_changed(command.ticket, "", world_.now(), *out_);
    flush();
  });
}

ServerStatus ServerNode::status() const {
  return core_ ? core_->status(world_.now()) : ServerStatus{};
}

std::vector<ClientLinks> ServerNode::links() const {
  return core_ ? core_->links("", true, world_.now()) : std::vector<ClientLinks>{};
}

void ServerNode::check_bounds() {
  if (core_ && status().clients.size() > network_.clients.size()) {
    world_.violate(name() + " knows more clients than there are");
  }
}

}  // namespace wormhole::sim
