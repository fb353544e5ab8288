// A TCP flow's port on the loopback: where applications dial.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/system/result.hpp>
#include <functional>
#include <memory>

#include "shell/readable.hpp"
#include "wormhole/base/endpoint.hpp"

namespace wormhole {

class TcpListener {
 public:
  /// Each may close the listener.
  struct Handlers {
    /// A connection and who has made it.
    std::function<void(FileDescriptor socket, const Endpoint& application)> on_accepted;
    /// Nothing can be accepted: descriptors or memory are used up (an errno). The socket stays
    /// readable, so whoever keeps the listener open is called again at once.
    std::function<void(int error)> on_failed;
    /// After any number of the calls above.
    std::function<void()> on_done;
  };

  /// The error is an errno.
  static boost::system::result<TcpListener, int> open(boost::asio::io_context& io,
                                                      const Endpoint& at, Handlers handlers);

 private:
  Readable readable_;
  std::shared_ptr<bool> alive_;  // gone with it: the accepting that may be under way looks
};

/// Closes it so that the other end sees a reset (RFC 9293, 3.10.5: ABORT).
void reset_socket(FileDescriptor socket);

}  // namespace wormhole
