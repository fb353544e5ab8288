#include "wormhole/shell/client_runner.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "shell/client_tcp.hpp"
#include "shell/clock.hpp"
#include "shell/deadline_timer.hpp"
#include "shell/descriptor_limit.hpp"
#include "shell/flow_port.hpp"
#include "shell/log_lines.hpp"
#include "shell/nat_desk.hpp"
#include "shell/network_watch.hpp"
#include "shell/pin_store.hpp"
#include "shell/server_resolver.hpp"
#include "shell/udp_socket.hpp"
#include "wormhole/shell/system_rng.hpp"
#include "wormhole/shell/worker.hpp"

namespace wormhole {
namespace {

/// Where a server listens unless told otherwise (docs/configuration.md).
constexpr std::uint16_t kDefaultPort = 7700;

/// The name to resolve: --server, else the identity's (its port is that of the addresses).
HostPort server_name(const ClientRunOptions& options) {
  const auto& addresses = options.identity.addresses;
  const auto port = addresses.empty() ? kDefaultPort : addresses.front().port;
  return parse_host_port(options.server.value_or(options.identity.server_name), port);
}

std::vector<Endpoint> known_servers(const ClientRunOptions& options) {
  return options.server ? std::vector<Endpoint>{} : options.identity.addresses;
}

ClientConfig core_config(const ClientRunOptions& options, Rng& rng) {
  ClientConfig config;
  config.id = options.identity.id;
  config.keys = options.identity.keys;
  config.network = options.identity.network;
  config.boot_id = rng.number<std::uint64_t>() | 1U;  // 0 means offline on the wire
  config.bind = options.bind;
  config.pins = options.pins;
  config.deliver_anywhere = options.deliver_anywhere;
  config.enrol = options.enrol;
  return config;
}

}  // namespace

struct ClientRunner::Impl {
  Impl(boost::asio::io_context& context, ClientRunOptions run, OnEnd end)
      : io(context),
        options(std::move(run)),
        on_end(std::move(end)),
        core(core_config(options, rng), rng),
        timer(io,
              [this] {
                core.on_timeout(core_now(), out);
                settle();
              }),
        watch(io,
              [this] {
                ++network_changes;
                spdlog::info("this host's network has changed");
                say_network();
                settle();
              }),
        resolver(io, server_name(options), known_servers(options),
                 [this](std::vector<Endpoint> servers) { use_servers(std::move(servers)); }),
        tcp(io, core, out, [this] { settle(); }),
        worker(io),
        pins(io, worker, options.pins,
             [dir = options.state_dir](const PinStore::Pins& all) { return save_pins(dir, all); }),
        nat_desk(
            io,
            {[this] { return core.check_nat(core_now(), out); },
             [this] { return core.is_checking_nat(); }, [this] { return core.status(core_now()); }},
            NatDesk::kPatience) {}

  void use_servers(std::vector<Endpoint> servers);
  SendSocket* socket_towards(const Endpoint& to, SocketNo number);
  void settle();
  void send();
  void say_network();
  void execute(const OpenFlowPort& command);
  void execute_udp(const OpenFlowPort& command);
  void execute_tcp(const OpenFlowPort& command);
  void explain_later(AppPort port, std::function<std::string()> explain);
  void execute(const CloseFlowPort& command) {
    ports.erase(command.port);
    tcp.desk().close(command.port);
  }
  void execute(const ConnectTarget& command) { tcp.desk().execute(command); }
  void execute(const TcpReadable& command) { tcp.desk().execute(command); }
  void execute(const TcpWritable& command) { tcp.desk().execute(command); }
  void execute(const FinishTcp& command) { tcp.desk().execute(command); }
  void execute(const CloseTcp& command) { tcp.desk().execute(command); }
  void execute(const ResetTcp& command) { tcp.desk().execute(command); }
  void execute(const CloseNetSocket& command) { sockets.erase(command.socket); }
  void execute(const SavePin& command) { pins.remember(command.id, command.pin); }
  void execute(const ResolveServer&) { resolver.resolve(); }
  void execute(const Refused& command) { end(command); }
  void execute(const EnrolFinished& command) { end(command); }
  void execute(const MembershipAnswered& command);
  void execute(const LinkChange& change) {
    if (options.on_link_change) options.on_link_change(change);
  }
  void end(const ClientCommand& why);
  void close();

  boost::asio::io_context& io;
  ClientRunOptions options;
  OnEnd on_end;
  SystemRng rng;
  Client core;
  ClientOutbox out;
  NetReceiver net_receiver;
  AppReceiver app_receiver;
  BatchSender sender;
  std::map<SocketNo, UdpSocket> sockets;
  std::map<AppPort, FlowSocket> ports;
  DeadlineTimer timer;
  NetworkWatch watch;
  std::uint32_t network_changes = 0;
  ServerResolver resolver;
  ClientTcp tcp;
  Worker worker;
  PinStore pins;
  NatDesk nat_desk;
  std::map<std::uint32_t, OnAnswer> asked;  // changes of membership, by ticket
  std::uint32_t next_ticket = 1;
  std::string said_about_socket;
  bool tell_network = false;  // the main socket is open: its port is known
  bool closed = false;
};

void ClientRunner::Impl::use_servers(std::vector<Endpoint> servers) {
  if (closed) return;
  core.set_servers(std::move(servers), core_now(), out);
  settle();
}

SendSocket* ClientRunner::Impl::socket_towards(const Endpoint& to, SocketNo number) {
  const auto known = sockets.find(number);
  if (known != sockets.end()) return &known->second.sender();
  const IpAddress any = to.address.is_v4() ? IpAddress::v4(0, 0, 0, 0) : IpAddress{};
  auto opened = UdpSocket::open(io, {any, 0}, net_receiver,
                                [this, number](std::span<const NetDatagram> batch) {
                                  core.on_net_datagrams(number, batch, core_now(), out);
                                  settle();
                                });
  if (!opened) {
    if (said_about_socket != opened.error().message) spdlog::warn("{}", opened.error().message);
    said_about_socket = opened.error().message;
    return nullptr;  // the next packet tries again
  }
  tell_network = tell_network || number.value == 0;
  return &sockets.emplace(number, std::move(*opened)).first->second.sender();
}

void ClientRunner::Impl::say_network() {
  const auto main = sockets.find(SocketNo{0});
  LocalNetwork network{watch.attachment().addresses, 0, network_changes};
  if (main != sockets.end()) network.port = main->second.local().port;
  core.on_network_change(std::move(network), core_now(), out);
}

void ClientRunner::Impl::send() {
  for (const auto& item : out.net_sends()) {
    if (auto* socket = socket_towards(item.to, item.socket))
      sender.add(*socket, item.to, item.bytes, {}, item.ttl);
  }
  for (const auto& item : out.app_sends()) {
    const auto port = ports.find(item.port);
    if (port != ports.end()) sender.add(port->second.sender(), item.to, item.bytes);
  }
  sender.flush();
}

/// Empties the tray. Commands may fill it anew (a port that opens), so until it is empty.
void ClientRunner::Impl::settle() {
  nat_desk.look();
  tcp.flush();
  for (;;) {
    send();
    write_log(out.log_lines());
    const auto commands = std::exchange(out.commands, {});
    out.clear();
    const bool told = std::exchange(tell_network, false) && !closed;
    if (told) say_network();
    if ((commands.empty() && !told) || closed) break;
    for (const auto& command : commands) {
      std::visit([this](const auto& c) { execute(c); }, command);
      if (closed) return;
    }
    tcp.flush();
  }
  if (!closed) timer.set(core.next_deadline());
}

void ClientRunner::Impl::execute(const OpenFlowPort& command) {
  if (command.protocol == Protocol::kUdp) return execute_udp(command);
  execute_tcp(command);
}

void ClientRunner::Impl::execute_udp(const OpenFlowPort& command) {
  const auto port = command.port;
  auto opened = FlowSocket::open(
      io, command.at, app_receiver,
      [this, port](std::span<const AppDatagram> batch) {
        core.on_app_datagrams(port, batch, core_now(), out);
        settle();
      },
      [this, port](const Endpoint& application) {
        core.on_app_refused(port, application, core_now());
      });
  if (opened) {
    ports.insert_or_assign(port, std::move(*opened));
    return core.on_flow_port(port, "", core_now(), out);
  }
  explain_later(port,
                [error = opened.error(), flow = command.flow] { return explain(error, flow); });
}

void ClientRunner::Impl::execute_tcp(const OpenFlowPort& command) {
  const int error = tcp.desk().open(command.port, command.flow, command.at);
  if (error == 0) return core.on_flow_port(command.port, "", core_now(), out);
  explain_later(command.port, [error, flow = command.flow, at = command.at] {
    return explain_tcp_port(error, flow, at);
  });
}

/// Looking for the culprit takes milliseconds: beside the loop.
void ClientRunner::Impl::explain_later(AppPort port, std::function<std::string()> explain) {
  worker.run(std::move(explain), [this, port](const std::string& text) {
    if (closed) return;
    core.on_flow_port(port, text, core_now(), out);
    settle();
  });
}

void ClientRunner::Impl::execute(const MembershipAnswered& command) {
  const auto call = asked.extract(command.ticket);
  if (!call.empty()) call.mapped()(command.error);
}

void ClientRunner::Impl::end(const ClientCommand& why) {
  close();
  // Not from inside: the owner may destroy us.
  boost::asio::post(io, [done = on_end, why] { done(why); });
}

void ClientRunner::Impl::close() {
  closed = true;
  timer.close();
  watch.close();
  resolver.close();
  pins.close();
  nat_desk.close();
  tcp.desk().close();
  ports.clear();
  sockets.clear();
}

ClientRunner::ClientRunner(boost::asio::io_context& io, ClientRunOptions options, OnEnd on_end)
    : impl_(std::make_unique<Impl>(io, std::move(options), std::move(on_end))) {}
ClientRunner::~ClientRunner() = default;

void ClientRunner::start() {
  (void)raise_descriptor_limit();  // punching opens up to 256 sockets; beyond the limit, fewer
  if (const auto started = impl_->watch.start(); !started)
    spdlog::warn("{}", started.error().message);
  impl_->resolver.resolve();
}

void ClientRunner::stop() {
  if (impl_->closed) return;
  impl_->core.shutdown(core_now(), impl_->out);
  impl_->send();
  impl_->out.clear();
  impl_->close();
}

bool ClientRunner::check_nat(OnNatCheck done) {
  auto& impl = *impl_;
  if (impl.closed || !impl.nat_desk.ask(std::move(done))) return false;
  impl.settle();
  return true;
}

void ClientRunner::change_membership(const MembershipChange& change, OnAnswer done) {
  auto& impl = *impl_;
  if (impl.closed) return done("the client is ending");
  const auto ticket = impl.next_ticket++;
  impl.asked[ticket] = std::move(done);
  impl.core.change_membership(ticket, change, core_now(), impl.out);
  impl.settle();
}

ClientStatus ClientRunner::status() const { return impl_->core.status(core_now()); }

}  // namespace wormhole
