#include "state/state_io.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>

#include "wormhole/config/file_io.hpp"
#include "wormhole/state/state_files.hpp"

namespace wormhole {
namespace {

constexpr mode_t kOwnerOnly = 0600;

Error failed(const char* what, const std::string& path, int cause) {
  return {std::string("can't ") + what + " " + path + ": " + std::strerror(cause) +
          "; expected a directory that this user may write to, with space left"};
}

/// The temporary file with its content on the disk. fchmod, because one that a crash has left keeps
/// its mode.
bool write_new(const std::string& path, std::string_view content) {
  const Descriptor file(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, kOwnerOnly));
  return file.get() >= 0 && ::fchmod(file.get(), kOwnerOnly) == 0 &&
         write_all(file.get(), content) && ::fsync(file.get()) == 0;
}

/// The number that the holder has written into its lock file; "?" while it is about to.
std::string holder_of(int fd) {
  std::array<char, 32> text{};
  const auto size = ::pread(fd, text.data(), text.size(), 0);
  std::string pid(text.data(), size < 0 ? 0 : static_cast<std::size_t>(size));
  pid.erase(std::min(pid.find_first_not_of("0123456789"), pid.size()));
  return pid.empty() ? "?" : pid;
}

}  // namespace

Result<FileLock> FileLock::acquire(const std::string& path) {
  Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, kOwnerOnly));
  if (file.get() < 0) return failed("open", path, errno);
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK) return failed("lock", path, errno);
    return Error{path + kHeldBy + holder_of(file.get())};
  }
  // Only for the message of the next one: the lock holds without it, on a full disk too.
  if (::ftruncate(file.get(), 0) == 0) write_all(file.get(), std::to_string(::getpid()) + "\n");
  return FileLock(file.release());
}

FileLock::FileLock(FileLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

FileLock::~FileLock() {
  if (fd_ >= 0) ::close(fd_);
}

Result<void> write_file_durably(const std::string& path, std::string_view content) {
  const auto temporary = path + ".tmp";
  if (!write_new(temporary, content) || ::rename(temporary.c_str(), path.c_str()) != 0) {
    const int cause = errno;
    ::unlink(temporary.c_str());
    return failed("write", path, cause);
  }
  if (!sync_directory_of(path)) return failed("write", path, errno);
  return {};
}

Result<std::optional<std::string>> read_state_file(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0 && errno == ENOENT) return std::optional<std::string>();
  if (file.get() < 0) return Error{"can't read " + path + ": " + std::strerror(errno)};
  std::string text;
  std::array<char, 65536> piece{};
  for (;;) {
    const auto got = ::read(file.get(), piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return Error{"can't read " + path + ": " + std::strerror(errno)};
    if (got == 0) return std::optional(std::move(text));
    text.append(piece.data(), static_cast<std::size_t>(got));
    if (text.size() > kMaxStateBytes) return Error{path + " is larger than 128 MiB"};
  }
}

Result<void> make_state_directory(const std::string& dir) {
  for (auto slash = dir.find('/', 1); slash != std::string::npos;
       slash = dir.find('/', slash + 1)) {
    ::mkdir(dir.substr(0, slash).c_str(), 0755);  // what fails here fails below with its cause
  }
  if (::mkdir(dir.c_str(), 0700) != 0 && errno != EEXIST) return failed("make", dir, errno);
  struct stat info {};
  if (::stat(dir.c_str(), &info) != 0) return failed("open", dir, errno);
  if (!S_ISDIR(info.st_mode)) return failed("open", dir, ENOTDIR);
  return {};
}

}  // namespace wormhole
