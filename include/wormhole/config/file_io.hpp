// Small pieces of writing files so that they last.
#pragma once

#include <unistd.h>

#include <string>
#include <string_view>
#include <utility>

namespace wormhole {

/// A file descriptor that closes on every way out; -1 for none.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

/// False with errno.
bool write_all(int fd, std::string_view content);
/// Names in the directory of `path` are on the disk afterwards. False with errno.
bool sync_directory_of(const std::string& path);

}  // namespace wormhole
