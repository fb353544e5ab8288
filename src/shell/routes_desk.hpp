// The loop's side of routes.yaml: who wants what with it, and how it stands.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "shell/file_watch.hpp"
#include "shell/routes_keeper.hpp"
#include "wormhole/server/server.hpp"
#include "wormhole/shell/server_runner.hpp"
#include "wormhole/shell/worker.hpp"

namespace wormhole {

/// Watches the file, hands the work to the worker, and calls back with what is to be put in force.
/// Belongs to the io_context's thread.
class RoutesDesk {
 public:
  using Apply = std::function<void(const NewRoutes&)>;

  /// `keeper` and `worker` must outlive the desk's jobs.
  RoutesDesk(boost::asio::io_context& io, std::string path, RoutesKeeper& keeper, Worker& worker,
             Apply apply);

  /// Begins to watch the file; `first` is in force already.
  void start(const NewRoutes& first, TimePoint now);
  void close();

  void reload(RoutesKeeper::Occasion occasion, ServerRunner::OnReload done);
  void edit(RoutesEdit edit, ServerRunner::Condition condition, ServerRunner::OnEdit done);

  const std::shared_ptr<const RoutesDocument>& document() const { return document_; }
  ConfigStatus status(TimePoint now) const;

 private:
  void on_saved();
  ReloadReport take(RoutesKeeper::Reloaded found);
  void put_in_force(const NewRoutes& routes);

  std::string path_;
  RoutesKeeper& keeper_;
  Worker& worker_;
  Apply apply_;
  FileWatch watch_;
  std::shared_ptr<const RoutesDocument> document_;
  ConfigStatus status_;
  TimePoint since_{};
  bool loading_ = false;
  bool saved_again_ = false;
  bool closed_ = false;
};

/// Unix seconds; only dates and serials of codes look at it.
std::uint64_t wall_seconds();

}  // namespace wormhole
