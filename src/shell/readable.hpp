// "Tell me when this descriptor can be read": the one place where sockets, timers and watches wait.
#pragma once

#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>

#include "shell/file_descriptor.hpp"

namespace wormhole {

/// Owns a non-blocking file descriptor and calls back each time it can be read (or has an error to
/// tell). Level-triggered: Asio arms the descriptor anew for each wait, so a callback may leave
/// data behind and is called again on the next turn of the loop, after the others had theirs.
class Readable {
 public:
  using OnReadable = std::function<void()>;

  Readable() = default;
  Readable(boost::asio::io_context& io, FileDescriptor fd, OnReadable on_readable);
  Readable(Readable&&) noexcept = default;
  Readable& operator=(Readable&& other) noexcept;
  ~Readable() { close(); }

  bool is_open() const { return state_ != nullptr; }
  /// -1 when closed.
  int fd() const;
  /// No callback comes after it. May be called from inside the callback.
  void close();

 private:
  // Shared with the one wait that is under way: a handler that is already queued when the owner
  // closes must find something to look at.
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace wormhole
