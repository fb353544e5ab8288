// All TCP ports and connections of a client: takes the core's commands about them.
#pragma once

#include <boost/asio/io_context.hpp>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include "shell/tcp_link.hpp"
#include "shell/tcp_listener.hpp"
#include "wormhole/client/client.hpp"

namespace wormhole {

/// Their numbers are bounded by the core, which names each connection.
class TcpDesk {
 public:
  /// `core` outlives it. `connect_limit`: a target that has not answered by then is given up.
  TcpDesk(boost::asio::io_context& io, TcpCore& core,
          Duration connect_limit = TcpLink::kConnectLimit)
      : io_(io), core_(core), connect_limit_(connect_limit) {}

  /// Listens; 0, or an errno.
  int open(AppPort port, const std::string& flow, const Endpoint& at);
  /// Connections that were accepted there go on.
  void close(AppPort port) { listeners_.erase(port); }
  /// Everything, connections too.
  void close();
  /// The link's socket is gone. May be called from inside the link.
  void forget(TcpNo number);

  void execute(const ConnectTarget& command);
  void execute(const TcpReadable& command);
  void execute(const TcpWritable& command);
  void execute(const FinishTcp& command);
  void execute(const CloseTcp& command);
  void execute(const ResetTcp& command);

  std::size_t links() const { return links_.size(); }

 private:
  void accept(AppPort port, FileDescriptor socket, const Endpoint& application);
  void fail(AppPort port, const std::string& why);
  TcpLink* find(TcpNo number);

  boost::asio::io_context& io_;
  TcpCore& core_;
  const Duration connect_limit_;
  std::map<AppPort, TcpListener> listeners_;
  std::unordered_map<TcpNo, std::unique_ptr<TcpLink>> links_;
};

/// One sentence: which flow, where, who has the port, the way out. Walks through /proc, which takes
/// milliseconds: not on the loop.
std::string explain_tcp_port(int error, const std::string& flow, const Endpoint& at);

}  // namespace wormhole
