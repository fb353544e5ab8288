#include "wormhole/shell/server_runner.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "shell/clock.hpp"
#include "shell/deadline_timer.hpp"
#include "shell/file_watch.hpp"
#include "shell/log_lines.hpp"
#include "shell/server_sockets.hpp"
#include "wormhole/config/routes_file.hpp"
#include "wormhole/shell/system_rng.hpp"
#include "wormhole/shell/worker.hpp"

namespace wormhole {
namespace {

/// Clients come back spread over this time after a restart, so that 10,000 handshakes of 250 µs
/// find their turn.
constexpr Duration kRestartSpread = 3s;

/// Unix seconds; only dates and serials of codes look at it.
std::uint64_t wall_seconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now).count();
  return static_cast<std::uint64_t>(std::max<std::int64_t>(seconds, 0));
}

ServerConfig core_config(const ServerState& state, Rng& rng) {
  return {state.keys(), state.network(), rng.number<std::uint64_t>() | 1U};
}

void warn_of_unsigned_keys(const Directory& directory) {
  std::size_t count = 0;
  std::string first;
  for (const auto& [id, entry] : directory.clients) {
    if (!entry.binding || entry.binding->chain) continue;
    if (count++ == 0) first = id;
  }
  if (count == 0) return;
  spdlog::warn(
      "{} keys in routes.yaml are not signed (the first: {}), so clients refuse them until told to "
      "trust them; put signing.key back into server.state_dir and reload (SIGHUP)",
      count, first);
}

/// What a reload found, carried from the worker to the loop.
struct Reloaded {
  std::optional<Network> network;
  Directory directory;
  std::vector<std::string> errors;
};

Reloaded read_again(const std::string& path, ServerState& state) {
  auto loaded = load_routes(path);
  Reloaded result;
  if (const auto* errors = std::get_if<std::vector<ConfigError>>(&loaded)) {
    for (const auto& error : *errors) result.errors.push_back(error.to_string());
    return result;
  }
  auto& network = std::get<Network>(loaded);
  SystemRng rng;  // the loop's own is not for other threads
  auto directory = state.directory_for(network, wall_seconds(), rng);
  if (!directory) {
    result.errors.push_back(directory.error().message);
    return result;
  }
  result.directory = std::move(*directory);
  result.network = std::move(network);
  return result;
}

}  // namespace

struct ServerRunner::Impl {
  Impl(boost::asio::io_context& context, ServerRunOptions run, ServerState server_state)
      : io(context),
        options(std::move(run)),
        state(std::move(server_state)),
        sockets(io,
                [this](SocketNo socket, std::span<const NetDatagram> batch) {
                  core->on_net_datagrams(socket, batch, core_now(), out);
                  settle();
                }),
        timer(io,
              [this] {
                core->on_timeout(core_now(), out);
                settle();
              }),
        watch(io, options.routes_path, [this] { reload(); }),
        worker(io) {}

  Result<void> start();
  void settle();
  void execute(const StoreEnrolment& command);
  void execute(const OpenRelayPort& command);
  void execute(const CloseRelayPort& command) { sockets.close(command); }
  void execute(const ChangeMembership& command);
  void reload();
  void apply(Reloaded reloaded);

  boost::asio::io_context& io;
  ServerRunOptions options;
  ServerState state;  // after start() the worker's alone
  SystemRng rng;
  std::unique_ptr<Server> core;
  ServerOutbox out;
  BatchSender sender;
  ServerSockets sockets;
  DeadlineTimer timer;
  FileWatch watch;
  bool loading = false;
  bool load_again = false;
  Worker worker;  // last: its jobs end before what they use goes
};

Result<void> ServerRunner::Impl::start() {
  auto directory = state.directory_for(options.network, wall_seconds(), rng);
  if (!directory) return directory.error();
  warn_of_unsigned_keys(*directory);
  core = std::make_unique<Server>(core_config(state, rng), options.network, std::move(*directory),
                                  rng);
  if (const auto opened = sockets.open(options.network.server); !opened) return opened.error();
  if (const auto watching = watch.start(); !watching) {
    spdlog::warn("{}", watching.error().message);
  }
  return {};
}

void ServerRunner::Impl::settle() {
  for (;;) {
    for (const auto& item : out.net_sends()) {
      sender.add(sockets.sender(item.socket), item.to, item.bytes);
    }
    sender.flush();
    write_log(out.log_lines());
    const auto commands = std::exchange(out.commands, {});
    out.clear();
    if (commands.empty()) break;
    for (const auto& command : commands) {
      std::visit([this](const auto& c) { execute(c); }, command);
    }
  }
  if (sockets.is_open()) timer.set(core->next_deadline());
}

/// What the core answers is sent by settle(), which has given the command.
void ServerRunner::Impl::execute(const OpenRelayPort& command) {
  const auto answer = sockets.open(command);
  core->on_relay_port(command.socket, answer.what, answer.error, core_now(), out);
}

void ServerRunner::Impl::execute(const StoreEnrolment& command) {
  worker.run([this, binding = command.binding] { return state.enrol(binding, wall_seconds()); },
             [this, ticket = command.ticket](EnrolResult result) {
               if (!sockets.is_open()) return;
               core->on_enrolled(ticket, result, core_now(), out);
               settle();
             });
}

void ServerRunner::Impl::reload() {
  // One at a time, however often it is saved; the last one must see the last state of the file.
  load_again = loading;
  if (std::exchange(loading, true)) return;
  worker.run([this] { return read_again(options.routes_path, state); },
             [this](Reloaded reloaded) {
               loading = false;
               apply(std::move(reloaded));
               if (std::exchange(load_again, false)) reload();
             });
}

void ServerRunner::Impl::apply(Reloaded reloaded) {
  if (!sockets.is_open()) return;  // stopped meanwhile
  if (!reloaded.network) {
    for (const auto& error : reloaded.errors) spdlog::error("{}", error);
    spdlog::error("{} was not put in force; the configuration before it stays",
                  options.routes_path);
    return;
  }
  if (reloaded.network->server != options.network.server) {
    spdlog::warn("{}: changes under `server` come into force at the next start",
                 options.routes_path);
    // Codes and the API go on naming what is bound.
    reloaded.network->server = options.network.server;
  }
  warn_of_unsigned_keys(reloaded.directory);
  options.network = *reloaded.network;
  core->set_network(std::move(*reloaded.network), std::move(reloaded.directory), core_now(), out);
  settle();
  spdlog::info("{} is in force: {} clients, {} flows", options.routes_path,
               options.network.clients.size(), options.network.flows.size());
}

ServerRunner::ServerRunner(boost::asio::io_context& io, ServerRunOptions options, ServerState state)
    : impl_(std::make_unique<Impl>(io, std::move(options), std::move(state))) {}
ServerRunner::~ServerRunner() = default;

Result<void> ServerRunner::start() { return impl_->start(); }

void ServerRunner::stop() {
  if (!impl_->sockets.is_open()) return;
  impl_->core->shutdown(kRestartSpread, core_now(), impl_->out);
  impl_->settle();
  impl_->watch.close();
  impl_->timer.close();
  impl_->sockets.close();
}

void ServerRunner::reload() { impl_->reload(); }

void ServerRunner::invite(const std::string& id, std::uint64_t valid_s, OnInvite done) {
  auto& impl = *impl_;
  impl.worker.run(
      [&impl, id, valid_s, network = impl.options.network]() -> Result<InviteCode> {
        SystemRng rng;  // the loop's own is not for other threads
        return impl.state.invite(id, network, wall_seconds(), valid_s, rng);
      },
      std::move(done));
}

const Network& ServerRunner::network() const { return impl_->options.network; }

ServerStatus ServerRunner::status() const { return impl_->core->status(core_now()); }

}  // namespace wormhole
