// The server's core on real sockets, with its file and its state directory.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "wormhole/config/routes_document.hpp"
#include "wormhole/model/network.hpp"
#include "wormhole/server/server.hpp"
#include "wormhole/state/state_files.hpp"

namespace wormhole {

struct ServerRunOptions {
  std::string routes_path;                         ///< watched: saving it puts it in force
  std::shared_ptr<const RoutesDocument> document;  ///< as loaded from it
};

/// What became of a reload.
struct ReloadReport {
  enum class What : std::uint8_t {
    kInForce,
    kUnchanged,  ///< the file says what is in force
    kRefused,    ///< it is not valid: lines say why
    kHeld        ///< it removes many clients and waits for confirmation: the line says so
  };
  What what = What::kInForce;
  std::vector<std::string> lines;
};

/// Owns the server core, its sockets (one per address, UDP), its one timer, the watch on
/// routes.yaml and a worker thread for blocking files. Core and callbacks live on the io_context's
/// thread.
class ServerRunner {
 public:
  ServerRunner(boost::asio::io_context& io, ServerRunOptions options, ServerState state);
  ~ServerRunner();

  /// Binds every address. The error names the address and why (taken: by which process, if that can
  /// be seen; not on this host; no permission) and the way out.
  Result<void> start();
  /// Announces the restart to the clients and closes the sockets.
  void stop();
  using OnReload = std::function<void(const ReloadReport&)>;
  /// Reads routes.yaml again; what is wrong with it is logged and nothing changes. One that removes
  /// more than a quarter of the clients is held back unless `confirmed`.
  void reload(bool confirmed, OnReload done);

  /// Asked on the worker's thread, on the document that the edit would change.
  using Condition = std::function<bool(const RoutesDocument&)>;
  using OnEdit = std::function<void(
      boost::system::result<std::shared_ptr<const RoutesDocument>, EditRefusal>)>;
  /// Edits routes.yaml, puts it in force, then calls back with what is in force.
  void edit(RoutesEdit edit, Condition condition, OnEdit done);
  /// In force.
  std::shared_ptr<const RoutesDocument> routes() const;

  using OnInvite = std::function<void(Result<InviteCode>)>;
  /// Makes a code on the worker, then calls back on the io_context.
  void invite(const std::string& id, std::uint64_t valid_s, OnInvite done);

  const Network& network() const;
  ServerStatus status() const;
  /// See Server::links.
  std::vector<ClientLinks> links(const std::string& id, bool history) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace wormhole
