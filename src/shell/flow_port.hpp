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
  static Result<FlowSocket> open(boost::asio::io_context& io, const Endpoint& at,
                                 AppReceiver& receiver, AppReceiver::OnBatch on_batch,
                                 OnRefused on_refused);

  SendSocket& sender() { return *sender_; }

 private:
  FlowSocket() = default;
  FileDescriptor lock_;
  Readable readable_;
  std::unique_ptr<SendSocket> sender_;
};

/// Reads the error queue of an IP_RECVERR socket (ip(7)): each destination that an ICMP message
/// called unreachable.
void drain_error_queue(int fd, const FlowSocket::OnRefused& on_refused);

}  // namespace wormhole
