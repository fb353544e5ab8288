// One TCP connection with an application: bytes between its socket and the core.
#pragma once

#include <boost/asio/io_context.hpp>
#include <memory>
#include <optional>
#include <string>

#include "shell/file_descriptor.hpp"
#include "wormhole/base/bytes.hpp"
#include "wormhole/base/endpoint.hpp"
#include "wormhole/base/outbox.hpp"
#include "wormhole/base/time.hpp"

namespace wormhole {

/// What links ask of and tell the core (wormhole/client/client.hpp, TCP).
class TcpCore {
 public:
  virtual ~TcpCore() = default;
  virtual std::optional<TcpNo> on_accepted(AppPort port, const Endpoint& application) = 0;
  /// The port was closed, for people: why.
  virtual void on_port_lost(AppPort port, const std::string& why) = 0;
  virtual void on_connected(TcpNo link) = 0;
  virtual void on_failed(TcpNo link, const std::string& why) = 0;
  virtual MutBytes space(TcpNo link) = 0;
  virtual void commit(TcpNo link, std::size_t size) = 0;
  virtual Bytes readable(TcpNo link) = 0;
  virtual void consume(TcpNo link, std::size_t size) = 0;
  virtual void on_end(TcpNo link) = 0;
  virtual void on_reset(TcpNo link) = 0;
  /// After any number of the calls above: does what they have made necessary. Links may be closed
  /// by it.
  virtual void settle() = 0;
};

/// Once the socket is gone (on_reset, on_failed were called) the link does nothing more, and waits
/// to be destroyed.
class TcpLink {
 public:
  /// A target that is filtered answers nothing; the kernel would try for two minutes.
  static constexpr Duration kConnectLimit = 10s;

  /// An accepted connection.
  TcpLink(boost::asio::io_context& io, TcpCore& core, TcpNo number, FileDescriptor socket);
  /// Connects to `target`; on_connected() or on_failed() comes from the loop, never from here.
  TcpLink(boost::asio::io_context& io, TcpCore& core, TcpNo number, const Endpoint& target,
          Duration limit = kConnectLimit);
  /// A plain close: what the kernel holds is still delivered.
  ~TcpLink();
  TcpLink(const TcpLink&) = delete;
  TcpLink& operator=(const TcpLink&) = delete;

  /// Reads what there is, as far as the core has room; the rest when it can.
  void read();
  /// Writes what the core has, as far as the socket takes it.
  void write();
  /// Everything was written: sends the FIN.
  void finish();
  /// Closes with a RST.
  void reset();

 private:
  struct State;
  // Shared with the waits that are under way.
  std::shared_ptr<State> state_;
};

}  // namespace wormhole
