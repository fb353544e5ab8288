// routes.yaml while the server runs: read again when it is saved, edited by programs, held back
// when it looks cut short. Everything here runs on the worker's thread, one job after another.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "wormhole/config/routes_document.hpp"
#include "wormhole/server/plan.hpp"
#include "wormhole/state/state_files.hpp"

namespace wormhole {

/// A configuration that is to be put in force.
struct NewRoutes {
  std::shared_ptr<const RoutesDocument> document;
  std::shared_ptr<const ServerPlan> plan;
  /// Something is not as its writer may think: one sentence each, for the log.
  std::vector<std::string> warnings;
};

class RoutesKeeper {
 public:
  /// `document` is what was read at the start. `state` must outlive the keeper.
  RoutesKeeper(std::string path, std::shared_ptr<const RoutesDocument> document,
               ServerState& state);
  /// What the server starts with. An error when the state directory can't be written.
  Result<NewRoutes> first(std::uint64_t wall_s);

  /// The file is what is in force.
  struct Unchanged {};
  /// The file is not used, and why.
  struct Refused {
    std::vector<std::string> errors;
  };
  /// The file is valid, but would remove so many clients that it may be cut short.
  struct Held {
    std::size_t removed = 0;
    std::size_t clients = 0;  ///< of what is in force
  };
  using Reloaded = std::variant<NewRoutes, Unchanged, Refused, Held>;
  enum class Occasion : std::uint8_t {
    kSaved,     ///< nothing to do when it says what is in force
    kAsked,     ///< the state directory may say something new: signing.key was put back
    kConfirmed  ///< however many clients it removes
  };
  Reloaded reload(Occasion occasion, std::uint64_t wall_s);

  /// Asked on the document that the edit would change.
  using Condition = std::function<bool(const RoutesDocument&)>;
  /// Edits the file. An edit that was made in an editor and is not in force yet comes into force
  /// with it; is it not valid, the edit is refused. Nothing when the edit changes nothing.
  boost::system::result<std::optional<NewRoutes>, EditRefusal> edit(const RoutesEdit& edit,
                                                                    const Condition& condition,
                                                                    std::uint64_t wall_s);

 private:
  boost::system::result<std::shared_ptr<const RoutesDocument>, EditRefusal> document_on_disk();
  Held removals(const Network& network) const;
  Result<NewRoutes> make(std::shared_ptr<const RoutesDocument> document, std::uint64_t wall_s);
  NewRoutes accept(NewRoutes routes);

  std::string path_;
  ServerSettings bound_;                           // changes of `server` need a start
  std::shared_ptr<const RoutesDocument> current_;  // in force, or about to be
  std::shared_ptr<const ServerPlan> plan_;         // of current_
  ServerState& state_;
};

/// A file cut short parses as YAML. Losing more than a quarter of the clients at once is more often
/// an accident than a plan.
constexpr bool is_suspicious(const RoutesKeeper::Held& change) {
  return change.removed * 4 > change.clients;
}

}  // namespace wormhole
