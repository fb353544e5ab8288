// Where people and programs reach a running server: the control socket and REST.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>

#include "wormhole/api/http_server.hpp"
#include "wormhole/api/token_keeper.hpp"
#include "wormhole/shell/server_runner.hpp"

namespace wormhole {

class ServerDoors {
 public:
  /// `runner` has started, and outlives the doors.
  ServerDoors(boost::asio::io_context& io, ServerRunner& runner, const NetworkIdentity& identity,
              TokenList tokens);

  /// A port that is taken is a warning: the flows go on without. An error only where REST would be
  /// open to strangers.
  Result<void> open();

 private:
  void open_control();

  ServerRunner& runner_;
  TokenKeeper tokens_;
  HttpServer control_;
  HttpServer rest_;
};

}  // namespace wormhole
