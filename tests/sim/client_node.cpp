#include "sim/client_node.hpp"

#include <algorithm>
#include <utility>

#include "sim/chance.hpp"

namespace wormhole::sim {
namespace {

/// The loop wakes up a little after the datagram; what came meanwhile is one batch.
constexpr Duration kWakeUp = 200us;
/// A local resolver that has the answer cached.
constexpr Duration kResolveTime = 20ms;
/// product.md: applications that have sent within the last 60 s get what arrives.
constexpr Duration kApplicationAge = 61s;
const auto kLoopback = IpAddress::v4(127, 0, 0, 1);

}  // namespace

ClientNode::ClientNode(World& world, std::string name, ClientSpec spec, Host& host)
    : Node(world, std::move(name)),
      spec_(std::move(spec)),
      host_(host),
      tcp_(world, this->name(), [this] { flush(); }) {}

void ClientNode::start() {
  end();
  ++process_;
  refused_.reset();
  enrol_finished_.reset();
  open_socket(0);  // one uplink, both families
  open_socket(1);
  ClientConfig config;
  config.id = spec_.id;
  config.keys = spec_.keys;
  config.network = spec_.network;
  config.boot_id = world_.rng().number<std::uint64_t>();
  config.pins = pins;
  config.enrol = spec_.enrol;
  out_ = std::make_unique<ClientOutbox>();
  core_ = std::make_unique<Client>(std::move(config), world_.rng());
  tcp_.attach(core_.get(), out_.get());
  host_.receive = [this](Packet packet) { receive(std::move(packet)); };
  world_.note(What::kStarted, {host_.addresses.front(), 0}, {}, 0, 0);
  core_->on_network_change({host_.addresses, socket_ports_[0]}, world_.now(), *out_);
  core_->set_servers(spec_.servers, world_.now(), *out_);
  flush();
}

void ClientNode::open_socket(std::uint16_t number) {
  for (;;) {  // from Linux's ephemeral ports
    const auto port = static_cast<std::uint16_t>(32768 + world_.rng().below(28232));
    if (!sockets_.emplace(port, number).second) continue;
    socket_ports_[number] = port;
    return;
  }
}

void ClientNode::end() {
  if (!core_) return;
  tcp_.attach(nullptr, nullptr);
  core_.reset();
  sockets_.clear();
  socket_ports_.clear();
  inbox_.clear();
  ports_.clear();
  suspended_ = waking_ = false;
  host_.receive = nullptr;
}

void ClientNode::kill() {
  world_.note(What::kKilled, {host_.addresses.front(), 0}, {}, 0, 0);
  end();
}

void ClientNode::stop() {
  core_->shutdown(world_.now(), *out_);
  flush();
  end();
}

void ClientNode::suspend() {
  suspended_ = true;
  inbox_.clear();
}

void ClientNode::resume() { suspended_ = false; }

TimePoint ClientNode::next_deadline() const {
  return core_ && !suspended_ ? core_->next_deadline() : kNever;
}

void ClientNode::on_timeout() {
  core_->on_timeout(world_.now(), *out_);
  flush();
}

void ClientNode::receive(Packet packet) {
  const auto socket = sockets_.find(packet.to.port);
  if (suspended_ || socket == sockets_.end()) return;
  inbox_[socket->second].push_back(std::move(packet));
  if (std::exchange(waking_, true)) return;
  world_.after(up_to(world_.rng(), kWakeUp), [this, process = process_] {
    if (process == process_ && core_) wake();
  });
}

void ClientNode::wake() {
  waking_ = false;
  for (auto& [socket, packets] : std::exchange(inbox_, {})) {
    std::vector<NetDatagram> batch;
    for (auto& packet : packets) batch.push_back({packet.from, packet.bytes});
    if (!core_) return;
    core_->on_net_datagrams(SocketNo{socket}, batch, world_.now(), *out_);
    flush();
  }
}

std::optional<std::size_t> ClientNode::send(const std::string& flow, std::size_t size,
                                            std::size_t count, Endpoint application) {
  const auto port = ports_.find(flow);
  if (!core_ || suspended_ || port == ports_.end()) return std::nullopt;
  if (!application.is_set()) application = {kLoopback, port->second.port};
  const auto first = world_.ledger().records().size();
  std::vector<std::vector<std::uint8_t>> memory;
  std::vector<AppDatagram> batch;
  for (std::size_t i = 0; i < count; ++i) {
    const auto payload = world_.ledger().make(spec_.id, flow, size, world_.now());
    auto& room = memory.emplace_back(kHeadroom + payload.size() + kTailroom);
    const auto bytes = MutBytes(room).subspan(kHeadroom, payload.size());
    copy_bytes(payload, bytes);
    batch.push_back({application, bytes});
  }
  world_.note(What::kAppSent, application, {host_.addresses.front(), port->second.port}, 0,
              count * size);
  port->second.applications[application] = world_.now();
  core_->on_app_datagrams({port->second.number, ClientNo{}}, batch, world_.now(), *out_);
  flush();
  return first;
}

void ClientNode::flush() {
  if (!core_) return;
  for (const auto& send : out_->net_sends()) send_to_network(send);
  for (const auto& send : out_->app_sends()) deliver(send);
  if (out_->dropped() != 0) world_.violate("the outbox of " + name() + " overflowed");
  const auto commands = std::exchange(out_->commands, {});
  out_->clear();
  for (const auto& command : commands) {
    if (!core_) return;
    std::visit([this](const auto& c) { execute(c); }, command);
  }
}

void ClientNode::send_to_network(const NetSend& send) {
  const bool extra = send.socket >= kFirstExtraSocket;
  const bool v4 = extra || send.socket.value % 2 == 0;
  const auto address = std::find_if(host_.addresses.begin(), host_.addresses.end(),
                                    [v4](const IpAddress& a) { return a.is_v4() == v4; });
  if ((send.socket.value > 1 && !extra) || send.to.address.is_v4() != v4) {
    return world_.violate(name() + " sends through a socket that it does not have");
  }
  if (address == host_.addresses.end()) return;  // "network unreachable"
  if (!socket_ports_.contains(send.socket.value)) open_socket(send.socket.value);
  world_.internet().send(host_, {{*address, socket_ports_[send.socket.value]},
                                 send.to,
                                 send.copy(),
                                 spec_.genuine,
                                 send.ttl});
}

void ClientNode::deliver(const AppSend& send) {
  for (const auto& [flow, port] : ports_) {
    if (port.number != send.port.flow) continue;
    world_.note(What::kAppGot, {host_.addresses.front(), port.port}, send.to, 0, send.bytes.size());
    if (!may_deliver_to(flow, port, send.to)) {
      return world_.violate(name() +
                            " delivers to an address that never asked: " + send.to.to_string());
    }
    const auto wrong = world_.ledger().deliver(spec_.id, flow, send.to, send.bytes, world_.now());
    if (wrong) world_.violate(*wrong);
    return;
  }
  ++undeliverable;
}

bool ClientNode::may_deliver_to(const std::string& flow, const Port& port,
                                const Endpoint& to) const {
  const auto sender = port.applications.find(to);
  if (sender != port.applications.end() && world_.now() - sender->second < kApplicationAge) {
    return true;
  }
  for (const auto& entry : world_.ledger().network().flows) {
    if (entry.name != flow) continue;
    const auto& rule = entry.deliver_of(spec_.id);
    if (rule.kind == Deliver::Kind::kEndpoint) return to == rule.endpoint;
    return rule.kind == Deliver::Kind::kDefault && to == Endpoint{kLoopback, port.port};
  }
  return false;
}

void ClientNode::execute(const OpenFlowPort& command) {
  const bool fails = failing_ports > 0;
  if (fails) {
    --failing_ports;
  } else {
    if (command.protocol == Protocol::kTcp) {
      tcp_.listen(command.port, command.flow);
    } else if (command.port.peer.value == 0) {
      ports_[command.flow] = {command.port.flow, command.at.port, {}};
    }
  }
  core_->on_flow_port(command.port, fails ? "port taken" : "", world_.now(), *out_);
  flush();
}

void ClientNode::execute(const CloseFlowPort& command) {
  tcp_.stop_listening(command.port);
  if (command.port.peer.value != 0) return;
  std::erase_if(ports_, [&](const auto& p) { return p.second.number == command.port.flow; });
}

void ClientNode::execute(const CloseNetSocket& command) {
  const auto port = socket_ports_.extract(command.socket.value);
  if (!port.empty()) sockets_.erase(port.mapped());
}

void ClientNode::execute(const SavePin& command) { pins[command.id] = command.pin; }

void ClientNode::execute(const ResolveServer&) {
  world_.after(kResolveTime, [this, process = process_] {
    if (process != process_ || !core_ || suspended_) return;
    core_->set_servers(spec_.servers, world_.now(), *out_);
    flush();
  });
}

void ClientNode::execute(const MembershipAnswered& command) { answered.push_back(command); }

void ClientNode::change_membership(const MembershipChange& change) {
  core_->change_membership(next_ticket_++, change, world_.now(), *out_);
  flush();
}

void ClientNode::execute(const Refused& command) {
  refused_ = command;
  end();
}

void ClientNode::execute(const EnrolFinished& command) {
  enrol_finished_ = command;
  end();
}

const ClientNode::Port* ClientNode::find_port(const std::string& flow) const {
  const auto port = ports_.find(flow);
  return port == ports_.end() ? nullptr : &port->second;
}

bool ClientNode::connected() const { return core_ && status().server.connected; }

ClientStatus ClientNode::status() const {
  return core_ ? core_->status(world_.now()) : ClientStatus{};
}

void ClientNode::check_bounds() {
  if (!core_) return;
  const auto now = status();
  const auto& network = world_.ledger().network();
  if (now.peers.size() > network.clients.size() || now.flows.size() > network.flows.size() + 1) {
    world_.violate(name() + " knows more peers or flows than there are");
  }
}

}  // namespace wormhole::sim
