// The tokens in force on a running server.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <string>

#include "wormhole/shell/worker.hpp"
#include "wormhole/state/tokens.hpp"

namespace wormhole {

/// Has the tokens at hand for each request, and stores changes on a worker thread: they are in
/// force when they are stored. Belongs to the io_context's thread. The server holds the directory's
/// lock.
class TokenKeeper {
 public:
  /// `tokens`: as load_tokens has read them from `state_dir`.
  TokenKeeper(boost::asio::io_context& io, std::string state_dir, TokenList tokens);

  const TokenList& tokens() const { return in_force_; }

  using OnToken = std::function<void(Result<std::string>)>;
  using OnRemoved = std::function<void(Result<void>)>;
  /// Calls back with the token's text, or with why there is none.
  void add(const std::string& name, TokenScope scope, OnToken done);
  void remove(const std::string& name, OnRemoved done);

 private:
  std::string state_dir_;
  TokenList in_force_;
  TokenList stored_;  ///< the worker's alone
  Worker worker_;     ///< last: its jobs end before what they use goes
};

}  // namespace wormhole
