// A flow's port on the loopback: the application's side of a client.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <string>

#include "shell/batch_sender.hpp"
#include "shell/datagram_receiver.hpp"
#include "shell/readable.hpp"
#include "wormhole/base/result.hpp"

namespace wormhole {

/// Binds with address reuse, so that an application on 0.0.0.0:port with address reuse starts
/// beside it. Linux would then let a second client bind the same address silently; a lock of ours
/// refuses that.
class FlowSocket {
 public:
  using OnRefused = std::function<void(const Endpoint&)>;

  /// Why a port could not be opened, before anybody looks for the culprit.
  struct OpenError {
    Endpoint at;
    int error = 0;                ///< errno
    bool held_by_client = false;  ///< another wormhole client has this address and port
  };
  static boost::system::result<FlowSocket, OpenError> open(boost::asio::io_context& io,
                                                           const Endpoint& at,
                                                           AppReceiver& receiver,
                                                           AppReceiver::OnBatch on_batch,
                                                           OnRefused on_refused);

  FlowSocket(FlowSocket&&) noexcept = default;
  FlowSocket& operator=(FlowSocket&& other) noexcept;
  /// May happen inside on_batch.
  ~FlowSocket() { close(); }

  SendSocket& sender() { return *sender_; }

 private:
  FlowSocket() = default;
  void close();
  FileDescriptor lock_;
  Readable readable_;
  // Its address is what BatchSender remembers. Shared with the receiving that may be under way.
  std::shared_ptr<SendSocket> sender_;
};

/// One sentence: which flow, where, who has the port, the way out. Walks through /proc, which takes
/// milliseconds: not on the loop.
std::string explain(const FlowSocket::OpenError& error, const std::string& flow);

/// Reads the error queue of an IP_RECVERR socket (ip(7)): each destination that an ICMP message
/// called unreachable. `on_refused` must not close the port.
void drain_error_queue(int fd, const FlowSocket::OnRefused& on_refused);

}  // namespace wormhole
