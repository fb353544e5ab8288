#include "wormhole/shell/server_runner.hpp"

#include <spdlog/spdlog.h>

#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "shell/clock.hpp"
#include "shell/deadline_timer.hpp"
#include "shell/log_lines.hpp"
#include "shell/loop_watch.hpp"
#include "shell/routes_desk.hpp"
#include "shell/routes_keeper.hpp"
#include "shell/server_sockets.hpp"
#include "wormhole/shell/system_rng.hpp"
#include "wormhole/shell/worker.hpp"

namespace wormhole {
namespace {

/// Clients come back spread over this time after a restart, so that 10,000 handshakes of 250 µs
/// find their turn.
constexpr Duration kRestartSpread = 3s;

ServerConfig core_config(const ServerState& state, std::uint16_t probe_port, Rng& rng) {
  return {state.keys(), state.network(), rng.number<std::uint64_t>() | 1U, probe_port};
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
        keeper(options.routes_path, options.document, state),
        worker(io),
        desk(io, options.routes_path, keeper, worker,
             [this](const NewRoutes& routes) { apply(routes); }),
        loop(io) {}

  Result<void> start();
  void settle();
  void execute(const StoreEnrolment& command);
  void execute(const OpenRelayPort& command);
  void execute(const CloseRelayPort& command) { sockets.close(command); }
  void execute(const ChangeMembership& command);
  void apply(const NewRoutes& routes);

  boost::asio::io_context& io;
  ServerRunOptions options;
  ServerState state;  // after start() the worker's alone
  SystemRng rng;
  std::unique_ptr<Server> core;
  std::shared_ptr<const ServerPlan> plan;  // in force
  ServerOutbox out;
  BatchSender sender;
  ServerSockets sockets;
  DeadlineTimer timer;
  RoutesKeeper keeper;  // as state
  Worker worker;        // its jobs end before what they use goes
  RoutesDesk desk;
  LoopWatch loop;
};

Result<void> ServerRunner::Impl::start() {
  const auto first = keeper.first(wall_seconds());
  if (!first) return first.error();
  plan = first->plan;
  const auto opened = sockets.open(plan->network.server);
  if (!opened) return opened.error();
  core = std::make_unique<Server>(core_config(state, sockets.probe_port(), rng), plan, rng);
  desk.start(*first, core_now());
  loop.start();
  return {};
}

void ServerRunner::Impl::settle() {
  for (;;) {
    for (const auto& item : out.net_sends()) {
      sender.add(sockets.sender(item.socket), item.to, item.bytes, item.tail);
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

void ServerRunner::Impl::execute(const ChangeMembership& command) {
  const auto& change = command.change;
  spdlog::info("client {}: {} {} ({})", command.id, change.join ? "joins" : "leaves", change.flow,
               side_name(*change.side));
  desk.edit(EditMember{change.join, change.flow, command.id, change.side, std::nullopt}, nullptr,
            [this, ticket = command.ticket](const auto& made) {
              const auto why = made ? std::string() : made.error().message;
              core->on_membership_changed(ticket, why, core_now(), out);
              settle();
            });
}

void ServerRunner::Impl::apply(const NewRoutes& routes) {
  auto before = std::exchange(plan, routes.plan);
  core->set_plan(plan, core_now(), out);
  settle();
  // Freeing the plan of 5,000 flows takes 2 ms, which packets need not wait for.
  worker.run([old = std::move(before)]() mutable { return old = nullptr; }, [](const auto&) {});
}

ServerRunner::ServerRunner(boost::asio::io_context& io, ServerRunOptions options, ServerState state)
    : impl_(std::make_unique<Impl>(io, std::move(options), std::move(state))) {}
ServerRunner::~ServerRunner() = default;

Result<void> ServerRunner::start() { return impl_->start(); }

void ServerRunner::stop() {
  if (!impl_->sockets.is_open()) return;
  impl_->core->shutdown(kRestartSpread, core_now(), impl_->out);
  impl_->settle();
  impl_->desk.close();
  impl_->loop.close();
  impl_->timer.close();
  impl_->sockets.close();
}

void ServerRunner::reload(bool confirmed, OnReload done) {
  using Occasion = RoutesKeeper::Occasion;
  impl_->desk.reload(confirmed ? Occasion::kConfirmed : Occasion::kAsked, std::move(done));
}

void ServerRunner::edit(RoutesEdit edit, Condition condition, OnEdit done) {
  impl_->desk.edit(std::move(edit), std::move(condition), std::move(done));
}

std::shared_ptr<const RoutesDocument> ServerRunner::routes() const {
  return impl_->desk.document();
}

void ServerRunner::invite(const std::string& id, std::uint64_t valid_s, OnInvite done) {
  auto& impl = *impl_;
  impl.worker.run(
      [&impl, id, valid_s, plan = impl.plan]() -> Result<InviteCode> {
        SystemRng rng;  // the loop's own is not for other threads
        return impl.state.invite(id, plan->network, wall_seconds(), valid_s, rng);
      },
      std::move(done));
}

const Network& ServerRunner::network() const { return impl_->plan->network; }

std::vector<ClientLinks> ServerRunner::links(const std::string& id, bool history) const {
  return impl_->core->links(id, history, core_now());
}

ServerStatus ServerRunner::status() const {
  const auto now = core_now();
  auto status = impl_->core->status(now);
  status.config = impl_->desk.status(now);
  status.loop = impl_->loop.status();
  return status;
}

}  // namespace wormhole
