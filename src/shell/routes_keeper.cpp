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

}  // namespace

RoutesKeeper::RoutesKeeper(std::string path, std::shared_ptr<const RoutesDocument> document,
                           ServerState& state)
    : path_(std::move(path)), current_(std::move(document)), state_(state) {}

RoutesKeeper::Reloaded RoutesKeeper::reload(Why why, std::uint64_t wall_s) {
  auto text = read_routes_text(path_);
  if (const auto* error = std::get_if<ConfigError>(&text)) return Refused{{error->to_string()}};
  auto document = current_;
  if (std::get<std::string>(text) == current_->text) {
    if (why == Why::kSaved) return Unchanged{};
  } else {
    auto parsed = parse_document(std::move(std::get<std::string>(text)), path_);
    if (const auto* errors = std::get_if<std::vector<ConfigError>>(&parsed)) {
      return Refused{lines_of(*errors)};
    }
    document = std::make_shared<const RoutesDocument>(std::move(std::get<RoutesDocument>(parsed)));
    const auto change = removals(document->network);
    if (is_suspicious(change) && why != Why::kConfirmed) return change;
  }
  auto accepted = accept(std::move(document), wall_s);
  if (!accepted) return Refused{{accepted.error().message}};
  return std::move(*accepted);
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

Result<NewRoutes> RoutesKeeper::accept(std::shared_ptr<const RoutesDocument> document,
                                       std::uint64_t wall_s) {
  SystemRng rng;  // the loop's own is not for other threads
  auto directory = state_.directory_for(document->network, wall_s, rng);
  if (!directory) return directory.error();
  current_ = document;
  return NewRoutes{std::move(document), std::move(*directory)};
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
  auto document = std::make_shared<const RoutesDocument>(std::move(*after));
  // Numbers and keys first: should that fail, the file is as it was.
  SystemRng rng;
  auto directory = state_.directory_for(document->network, wall_s, rng);
  if (!directory) return refusal(Why::kStorage, directory.error().message);
  if (changes) {
    const auto written = replace_routes_text(path_, (*before)->text, document->text);
    if (!written) return written.error();
  }
  current_ = document;
  return std::optional(NewRoutes{std::move(document), std::move(*directory)});
}

}  // namespace wormhole
