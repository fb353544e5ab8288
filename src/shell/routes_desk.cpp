#include "shell/routes_desk.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "shell/clock.hpp"

namespace wormhole {
namespace {

std::string confirm_command(const std::string& path) {
  return "wormhole reload --confirm -c " + path;
}

}  // namespace

std::uint64_t wall_seconds() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(now).count();
  return static_cast<std::uint64_t>(std::max<std::int64_t>(seconds, 0));
}

RoutesDesk::RoutesDesk(boost::asio::io_context& io, std::string path, RoutesKeeper& keeper,
                       Worker& worker, Apply apply)
    : path_(std::move(path)),
      keeper_(keeper),
      worker_(worker),
      apply_(std::move(apply)),
      watch_(io, path_, [this] { on_saved(); }) {
  status_.file = path_;
}

void RoutesDesk::start(const NewRoutes& first, TimePoint now) {
  for (const auto& warning : first.warnings) spdlog::warn("{}", warning);
  document_ = first.document;
  status_.revision = 1;
  since_ = now;
  if (const auto watching = watch_.start(); !watching) {
    spdlog::warn("{}", watching.error().message);
  }
}

void RoutesDesk::close() {
  closed_ = true;
  watch_.close();
}

void RoutesDesk::on_saved() {
  // One at a time, however often it is saved; the last one must see the last state of the file.
  saved_again_ = loading_;
  if (std::exchange(loading_, true)) return;
  reload(RoutesKeeper::Occasion::kSaved, [this](const ReloadReport&) {
    loading_ = false;
    if (std::exchange(saved_again_, false)) on_saved();
  });
}

void RoutesDesk::reload(RoutesKeeper::Occasion occasion, ServerRunner::OnReload done) {
  worker_.run([this, occasion] { return keeper_.reload(occasion, wall_seconds()); },
              [this, done = std::move(done)](RoutesKeeper::Reloaded found) {
                if (!closed_) done(take(std::move(found)));
              });
}

ReloadReport RoutesDesk::take(RoutesKeeper::Reloaded found) {
  using What = ReloadReport::What;
  status_.errors.clear();
  status_.held.clear();
  if (const auto* routes = std::get_if<NewRoutes>(&found)) {
    put_in_force(*routes);
    return {What::kInForce, routes->warnings};
  }
  if (const auto* refused = std::get_if<RoutesKeeper::Refused>(&found)) {
    for (const auto& error : refused->errors) spdlog::error("{}", error);
    spdlog::error("{} was not put in force; the configuration before it stays", path_);
    status_.errors = refused->errors;
    return {What::kRefused, refused->errors};
  }
  if (const auto* held = std::get_if<RoutesKeeper::Held>(&found)) {
    status_.held = "it would remove " + std::to_string(held->removed) + " of " +
                   std::to_string(held->clients) +
                   " clients, and a file cut short looks like that; to put it in force run: " +
                   confirm_command(path_);
    spdlog::warn("{} is held back: {}", path_, status_.held);
    return {What::kHeld, {status_.held}};
  }
  return {What::kUnchanged, {}};
}

void RoutesDesk::put_in_force(const NewRoutes& routes) {
  for (const auto& warning : routes.warnings) spdlog::warn("{}", warning);
  document_ = routes.document;
  ++status_.revision;
  since_ = core_now();
  apply_(routes);
  spdlog::info("{} is in force: {} clients, {} flows", path_, routes.plan->network.clients.size(),
               routes.plan->network.flows.size());
}

void RoutesDesk::edit(RoutesEdit edit, ServerRunner::Condition condition,
                      ServerRunner::OnEdit done) {
  worker_.run(
      [this, edit = std::move(edit), condition = std::move(condition)] {
        return keeper_.edit(edit, condition, wall_seconds());
      },
      [this,
       done = std::move(done)](boost::system::result<std::optional<NewRoutes>, EditRefusal> made) {
        if (closed_) return;
        if (!made) return done(made.error());
        if (*made) {
          status_.errors.clear();
          status_.held.clear();
          put_in_force(**made);
        }
        done(document_);
      });
}

ConfigStatus RoutesDesk::status(TimePoint now) const {
  auto status = status_;
  status.since = now - since_;
  return status;
}

}  // namespace wormhole
