#include "shell/routes_keeper.hpp"

#include <set>
#include <utility>

#include "wormhole/shell/system_rng.hpp"

namespace wormhole {
namespace {

EditRefusal refusal(EditRefusal::Why why, std::string message) {
  return {why, std::move(message), {}};
}

std::vector<std::string> lines_of(const std::vector<ConfigError>& errors) {
  std::vector<std::string> lines;
  for (const auto& error : errors) lines.push_back(error.to_string());
  return lines;
}

std::optional<std::string> unsigned_keys(const Directory& directory) {
  std::size_t count = 0;
  std::string first;
  for (const auto& [id, entry] : directory.clients) {
    if (!entry.binding || entry.binding->chain) continue;
    if (count++ == 0) first = id;
  }
  if (count == 0) return std::nullopt;
  return std::to_string(count) + " keys in routes.yaml are not signed (the first: " + first +
         "), so clients refuse them until told to trust them; put signing.key back into "
         "server.state_dir and reload (SIGHUP)";
}

}  // namespace

RoutesKeeper::RoutesKeeper(std::string path, std::shared_ptr<const RoutesDocument> document,
                           ServerState& state)
    : path_(std::move(path)),
      bound_(document->network.server),
      current_(std::move(document)),
      state_(state) {}

Result<NewRoutes> RoutesKeeper::first(std::uint64_t wall_s) {
  auto routes = make(current_, wall_s);
  if (!routes) return routes.error();
  return accept(std::move(*routes));
}

RoutesKeeper::Reloaded RoutesKeeper::reload(Occasion occasion, std::uint64_t wall_s) {
  auto text = read_routes_text(path_);
  if (const auto* error = std::get_if<ConfigError>(&text)) return Refused{{error->to_string()}};
  const bool same = std::get<std::string>(text) == current_->text;
  if (same && occasion == Occasion::kSaved) return Unchanged{};
  // Read anew even so: files that it names (tables of impairments) may have changed.
  auto parsed = parse_document(std::move(std::get<std::string>(text)), path_);
  if (const auto* errors = std::get_if<std::vector<ConfigError>>(&parsed)) {
    return Refused{lines_of(*errors)};
  }
  auto document =
      std::make_shared<const RoutesDocument>(std::move(std::get<RoutesDocument>(parsed)));
  const auto change = removals(document->network);
  if (is_suspicious(change) && occasion != Occasion::kConfirmed) return change;
  auto routes = make(std::move(document), wall_s);
  if (!routes) return Refused{{routes.error().message}};
  return accept(std::move(*routes));
}

RoutesKeeper::Held RoutesKeeper::removals(const Network& network) const {
  std::set<std::string_view> stay;
  for (const auto& client : network.clients) stay.insert(client.id);
  Held change{0, current_->network.clients.size()};
  for (const auto& client : current_->network.clients) {
    if (!stay.contains(client.id)) ++change.removed;
  }
  return change;
}

Result<NewRoutes> RoutesKeeper::make(std::shared_ptr<const RoutesDocument> document,
                                     std::uint64_t wall_s) {
  SystemRng rng;  // the loop's own is not for other threads
  auto directory = state_.directory_for(document->network, wall_s, rng);
  if (!directory) return directory.error();
  NewRoutes routes{document, nullptr, {}};
  auto network = document->network;
  if (network.server != bound_) {
    routes.warnings.push_back(path_ + ": changes under `server` come into force at the next start");
    network.server = bound_;  // codes and the API go on naming what is bound
  }
  if (auto warning = unsigned_keys(*directory)) routes.warnings.push_back(std::move(*warning));
  routes.plan = plan_network(std::move(network), *directory, plan_.get());
  return routes;
}

NewRoutes RoutesKeeper::accept(NewRoutes routes) {
  current_ = routes.document;
  plan_ = routes.plan;
  return routes;
}

boost::system::result<std::shared_ptr<const RoutesDocument>, EditRefusal>
RoutesKeeper::document_on_disk() {
  using Why = EditRefusal::Why;
  auto text = read_routes_text(path_);
  if (const auto* error = std::get_if<ConfigError>(&text)) {
    return refusal(Why::kStorage, error->to_string());
  }
  if (std::get<std::string>(text) == current_->text) return current_;
  auto parsed = parse_document(std::move(std::get<std::string>(text)), path_);
  if (const auto* errors = std::get_if<std::vector<ConfigError>>(&parsed)) {
    return refusal(Why::kConflict, path_ +
                                       " was changed in an editor and is not valid; mend it "
                                       "first: " +
                                       errors->front().to_string());
  }
  auto document =
      std::make_shared<const RoutesDocument>(std::move(std::get<RoutesDocument>(parsed)));
  if (is_suspicious(removals(document->network))) {
    return refusal(Why::kConflict,
                   path_ +
                       " was changed in an editor, and that change is held back because it "
                       "removes many clients; confirm it (wormhole reload --confirm -c " +
                       path_ + ") or undo it first");
  }
  return document;
}

boost::system::result<std::optional<NewRoutes>, EditRefusal> RoutesKeeper::edit(
    const RoutesEdit& edit, const Condition& condition, std::uint64_t wall_s) {
  using Why = EditRefusal::Why;
  const auto before = document_on_disk();
  if (!before) return before.error();
  if (condition && !condition(**before)) {
    return refusal(Why::kStale, "it has been changed meanwhile; read it again");
  }
  auto after = edit_routes(**before, edit, path_);
  if (!after) return after.error();
  const bool changes = after->text != (*before)->text;
  if (!changes && *before == current_) return std::optional<NewRoutes>{};
  // Numbers and keys first: should that fail, the file is as it was.
  auto routes = make(std::make_shared<const RoutesDocument>(std::move(*after)), wall_s);
  if (!routes) return refusal(Why::kStorage, routes.error().message);
  if (changes) {
    const auto written = replace_routes_text(path_, (*before)->text, routes->document->text);
    if (!written) return written.error();
  }
  return std::optional(accept(std::move(*routes)));
}

}  // namespace wormhole
