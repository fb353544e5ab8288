#include "shell/file_watch.hpp"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>
#include <system_error>
#include <utility>

namespace wormhole {
namespace {

namespace fs = std::filesystem;

/// Editors save in several steps within a few milliseconds; people don't notice 50.
constexpr std::chrono::milliseconds kQuiet{50};

constexpr std::uint32_t kMask = IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE;

bool add(int fd, const fs::path& path, std::uint32_t mask) {
  return ::inotify_add_watch(fd, path.c_str(), mask) >= 0;
}

}  // namespace

FileWatch::FileWatch(boost::asio::io_context& io, fs::path path, OnSaved on_saved)
    : io_(io),
      path_(fs::absolute(path)),
      directory_(path_.parent_path()),
      on_saved_(std::move(on_saved)),
      quiet_(io) {}

Result<void> FileWatch::start() {
  FileDescriptor fd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (fd.is_open()) inotify_ = Readable(io_, std::move(fd), [this] { on_events(); });
  if (inotify_.is_open() && add_watches()) {
    seen_ = version();
    return {};
  }
  const auto why = std::generic_category().message(errno);
  close();
  return Error{"cannot watch " + directory_.string() + " for changes: " + why + "; after saving " +
               path_.filename().string() + " send the server SIGHUP (see also sysctl fs.inotify)"};
}

void FileWatch::close() {
  inotify_.close();
  quiet_.cancel();
}

/// Harmless when repeated, which follows links that now lead elsewhere.
bool FileWatch::add_watches() {
  if (!add(inotify_.fd(), directory_, kMask)) return false;
  std::error_code missing;
  const auto target = fs::canonical(path_, missing);
  if (missing) return true;
  (void)add(inotify_.fd(), target.parent_path(), kMask);
  // The file itself: mounted alone into a container, its directory here sees no writes.
  (void)add(inotify_.fd(), target, IN_CLOSE_WRITE);
  return true;
}

std::optional<FileWatch::Version> FileWatch::version() const {
  struct stat info {};
  if (::stat(path_.c_str(), &info) != 0) return std::nullopt;
  return Version{info.st_dev, info.st_ino, info.st_size, info.st_mtim.tv_sec, info.st_mtim.tv_nsec};
}

void FileWatch::on_events() {
  alignas(inotify_event) std::array<char, 4096> buffer;
  bool saved = false;
  const auto size = ::read(inotify_.fd(), buffer.data(), buffer.size());
  for (std::size_t at = 0; size > 0 && at < static_cast<std::size_t>(size);) {
    const auto* event = reinterpret_cast<const inotify_event*>(buffer.data() + at);
    saved = saved || matters(event->mask, event->len > 0 ? event->name : "");
    at += sizeof(inotify_event) + event->len;
  }
  if (!saved) return;
  (void)add_watches();
  const auto now = version();
  // Something else in the same directory.
  if (!now || now == seen_) return;
  seen_ = now;
  wait_until_quiet();
}

bool FileWatch::matters(std::uint32_t mask, const char* name) const {
  // Lost events (queue overflow) may have been ours.
  if ((mask & (IN_CLOSE_WRITE | IN_MOVED_TO | IN_Q_OVERFLOW)) != 0) return true;
  // A new file is empty still and will be closed; a new link is complete.
  std::error_code ignored;
  return (mask & IN_CREATE) != 0 && fs::is_symlink(directory_ / name, ignored);
}

void FileWatch::wait_until_quiet() {
  quiet_.expires_after(kQuiet);
  quiet_.async_wait([this](const boost::system::error_code& error) {
    if (!error && inotify_.is_open()) on_saved_();
  });
}

}  // namespace wormhole
