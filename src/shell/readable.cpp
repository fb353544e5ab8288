#include "shell/readable.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <utility>

namespace wormhole {

struct Readable::State {
  State(boost::asio::io_context& io, int fd, OnReadable callback)
      : descriptor(io, fd), on_readable(std::move(callback)) {}

  static void wait(const std::shared_ptr<State>& self) {
    self->descriptor.async_wait(boost::asio::posix::descriptor_base::wait_read,
                                [self](const boost::system::error_code& error) {
                                  if (error || !self->descriptor.is_open()) return;
                                  self->on_readable();
                                  if (self->descriptor.is_open()) wait(self);
                                });
  }

  boost::asio::posix::stream_descriptor descriptor;
  OnReadable on_readable;
};

Readable::Readable(boost::asio::io_context& io, FileDescriptor fd, OnReadable on_readable)
    : state_(std::make_shared<State>(io, fd.get(), std::move(on_readable))) {
  fd.release();  // only now: the State's constructor may throw
  State::wait(state_);
}

Readable& Readable::operator=(Readable&& other) noexcept {
  if (this == &other) return *this;
  close();
  state_ = std::move(other.state_);
  return *this;
}

int Readable::fd() const { return state_ ? state_->descriptor.native_handle() : -1; }

void Readable::close() {
  if (!state_) return;
  boost::system::error_code ignored;
  state_->descriptor.close(ignored);
  state_.reset();
}

}  // namespace wormhole
