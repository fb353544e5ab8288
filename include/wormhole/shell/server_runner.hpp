// The server's core on real sockets, with its file and its state directory.
#pragma once

#include <boost/asio/io_context.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "wormhole/config/state_files.hpp"
#include "wormhole/model/network.hpp"
#include "wormhole/server/server.hpp"

namespace wormhole {

struct ServerRunOptions {
  std::string routes_path;  ///< watched: saving it puts it in force
  Network network;          ///< as loaded from it
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
  /// Reads routes.yaml again (as after saving it); what is wrong with it is logged and nothing
  /// changes.
  void reload();

  using OnInvite = std::function<void(Result<InviteCode>)>;
  /// Makes a code on the worker, then calls back on the io_context.
  void invite(const std::string& id, std::uint64_t valid_s, OnInvite done);

  const Network& network() const;
  ServerStatus status() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace wormhole
