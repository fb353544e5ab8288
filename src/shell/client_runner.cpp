#include "wormhole/shell/client_runner.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "shell/clock.hpp"
#include "shell/deadline_timer.hpp"
#include "shell/endpoint_resolver.hpp"
#include "shell/flow_port.hpp"
#include "shell/log_lines.hpp"
#include "shell/udp_socket.hpp"
#include "shell/worker.hpp"
#include "wormhole/shell/system_rng.hpp"

namespace wormhole {
namespace {

/// Where a server listens unless told otherwise (docs/configuration.md).
constexpr std::uint16_t kDefaultPort = 7700;

struct HostPort {
  std::string host;
  std::uint16_t port;
};

/// HOST, HOST:PORT, IPv4[:PORT], [IPv6][:PORT] or bare IPv6.
HostPort split_host(const std::string& text, std::uint16_t port) {
  if (const auto whole = Endpoint::parse(text)) return {whole->address.to_string(), whole->port};
  if (IpAddress::parse(text)) return {text, port};
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return {text, port};
  const auto number = std::strtoul(text.c_str() + colon + 1, nullptr, 10);
  return {text.substr(0, colon), static_cast<std::uint16_t>(number)};
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
        resolver(io),
        worker(io) {}

  void start();
  void ask_for_servers();
  void use_servers(std::vector<Endpoint> servers);
  SendSocket* socket_towards(const Endpoint& to, SocketNo number);
  void settle();
  void send();
  void execute(const OpenFlowPort& command);
  void execute(const CloseFlowPort& command) { ports.erase(command.flow); }
  void execute(const SavePin& command);
  void execute(const ResolveServer&) { ask_for_servers(); }
  void execute(const Refused& command) { end(command); }
  void execute(const EnrolFinished& command) { end(command); }
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
  std::array<std::optional<UdpSocket>, 2> sockets;  // IPv4, IPv6
  std::map<FlowNo, FlowSocket> ports;
  DeadlineTimer timer;
  EndpointResolver resolver;
  Worker worker;
  std::string said_about_name;
  std::string said_about_socket;
  bool closed = false;
};

void ClientRunner::Impl::start() {
  // Known addresses at once; the name's, if it has one, come in front of them when they are known.
  if (!options.server) use_servers(options.identity.addresses);
  ask_for_servers();
}

void ClientRunner::Impl::ask_for_servers() {
  const auto& name = options.server ? *options.server : options.identity.server_name;
  if (name.empty()) return;
  const auto& known = options.identity.addresses;
  const auto at = split_host(name, known.empty() ? kDefaultPort : known.front().port);
  resolver.resolve(
      at.host, at.port, [this, at](std::vector<Endpoint> found, const std::string& error) {
        if (closed) return;
        if (!error.empty() && error != said_about_name) {
          spdlog::warn("server name {} can't be resolved ({}); {}", at.host, error,
                       options.server ? "trying again" : "using the addresses of the invite code");
        }
        said_about_name = error;
        if (!options.server) {
          for (const auto& endpoint : options.identity.addresses) {
            if (std::find(found.begin(), found.end(), endpoint) == found.end())
              found.push_back(endpoint);
          }
        }
        use_servers(std::move(found));
      });
}

void ClientRunner::Impl::use_servers(std::vector<Endpoint> servers) {
  core.set_servers(std::move(servers), core_now(), out);
  settle();
}

SendSocket* ClientRunner::Impl::socket_towards(const Endpoint& to, SocketNo number) {
  auto& socket = sockets.at(number.value);
  if (!socket) {
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
    socket = std::move(*opened);
  }
  return &socket->sender();
}

void ClientRunner::Impl::send() {
  for (const auto& item : out.net_sends()) {
    if (auto* socket = socket_towards(item.to, item.socket))
      sender.add(*socket, item.to, item.bytes);
  }
  for (const auto& item : out.app_sends()) {
    const auto port = ports.find(item.flow);
    if (port != ports.end()) sender.add(port->second.sender(), item.to, item.bytes);
  }
  sender.flush();
}

/// Empties the tray. Commands may fill it anew (a port that opens), so until it is empty.
void ClientRunner::Impl::settle() {
  for (;;) {
    send();
    write_log(out.log_lines());
    const auto commands = std::exchange(out.commands, {});
    out.clear();
    if (commands.empty() || closed) break;
    for (const auto& command : commands) {
      std::visit([this](const auto& c) { execute(c); }, command);
      if (closed) return;
    }
  }
  timer.set(closed ? kNever : core.next_deadline());
}

void ClientRunner::Impl::execute(const OpenFlowPort& command) {
  const Endpoint at{options.bind, command.port};
  const auto flow = command.flow;
  auto opened = FlowSocket::open(
      io, at, app_receiver,
      [this, flow](std::span<const AppDatagram> batch) {
        core.on_app_datagrams(flow, batch, core_now(), out);
        settle();
      },
      [this, flow](const Endpoint& application) {
        core.on_app_refused(flow, application, core_now());
      });
  std::string error;
  if (opened) {
    ports.insert_or_assign(flow, std::move(*opened));
  } else {
    error = "flow " + command.name + ": " + opened.error().message;
  }
  core.on_flow_port(flow, error, core_now(), out);
}

void ClientRunner::Impl::execute(const SavePin& command) {
  options.pins[command.id] = command.pin;
  worker.run([dir = options.state_dir, pins = options.pins] { return save_pins(dir, pins); },
             [](const Result<void>& saved) {
               if (!saved)
                 spdlog::warn("{}; the peer's key is remembered until this process ends",
                              saved.error().message);
             });
}

void ClientRunner::Impl::end(const ClientCommand& why) {
  close();
  // Not from inside: the owner may destroy us.
  boost::asio::post(io, [done = on_end, why] { done(why); });
}

void ClientRunner::Impl::close() {
  closed = true;
  timer.set(kNever);
  resolver.cancel();
  ports.clear();
  for (auto& socket : sockets) socket.reset();
}

ClientRunner::ClientRunner(boost::asio::io_context& io, ClientRunOptions options, OnEnd on_end)
    : impl_(std::make_unique<Impl>(io, std::move(options), std::move(on_end))) {}
ClientRunner::~ClientRunner() = default;

void ClientRunner::start() { impl_->start(); }

void ClientRunner::stop() {
  if (impl_->closed) return;
  impl_->core.shutdown(core_now(), impl_->out);
  impl_->send();
  impl_->out.clear();
  impl_->close();
}

ClientStatus ClientRunner::status() const { return impl_->core.status(core_now()); }

}  // namespace wormhole
