// A UDP socket towards the network: what it is set to, and why.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>

#include "shell/batch_sender.hpp"
#include "shell/datagram_receiver.hpp"
#include "shell/readable.hpp"
#include "wormhole/base/result.hpp"

namespace wormhole {

/// Non-blocking, with 4 MiB buffers, UDP_GRO, and datagrams that nobody may fragment (DF).
class UdpSocket {
 public:
  /// Binds `at` (port 0: any). The error names the address, why, and the way out.
  static Result<UdpSocket> open(boost::asio::io_context& io, const Endpoint& at,
                                NetReceiver& receiver, NetReceiver::OnBatch on_batch);

  /// The same without words, for who tries many: `error` gets errno when there is none.
  static std::optional<UdpSocket> try_open(boost::asio::io_context& io, const Endpoint& at,
                                           NetReceiver& receiver, NetReceiver::OnBatch on_batch,
                                           int& error);

  UdpSocket(UdpSocket&&) noexcept = default;
  UdpSocket& operator=(UdpSocket&& other) noexcept;
  /// May happen inside on_batch.
  ~UdpSocket() { close(); }

  SendSocket& sender() { return *sender_; }
  Endpoint local() const { return local_endpoint(sender_->fd); }

 private:
  UdpSocket() = default;
  void close();
  Readable readable_;
  // Its address is what BatchSender remembers. Shared with the receiving that may be under way.
  std::shared_ptr<SendSocket> sender_;
};

/// 4 MiB of socket buffer is five times the loss-free rate of the system's default (measured;
/// docs/operations.md).
inline constexpr int kSocketBuffer = 4 << 20;
/// Asks for kSocketBuffer both ways; the first time that the system gives less, a warning names the
/// sysctl.
void enlarge_buffers(int fd);

}  // namespace wormhole
