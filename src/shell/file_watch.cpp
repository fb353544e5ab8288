#include "shell/file_watch.hpp"

#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <utility>

namespace wormhole {
namespace {

namespace fs = std::filesystem;

/// Links followed on the way to the file, as many as the kernel follows (path_resolution(7)).
constexpr int kMaxLinks = 40;

}  // namespace

FileWatch::FileWatch(boost::asio::io_context& io, std::string path, std::function<void()> on_saved)
    : path_(std::move(path)), on_saved_(std::move(on_saved)), settle_(io) {
  FileDescriptor fd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!fd.is_open()) return;
  readable_ = Readable(io, std::move(fd), [this] { on_events(); });
  watch_directories();
  seen_ = signature();
}

void FileWatch::watch_directories() {
  std::error_code error;
  auto at = fs::absolute(path_, error);
  for (int i = 0; i < kMaxLinks && !error; ++i) {
    // Every directory name on the way may be a link that is swapped (Kubernetes: ..data), so its
    // parent counts too.
    for (auto dir = at.parent_path(); dir.has_relative_path(); dir = dir.parent_path()) {
      const bool own = dir == at.parent_path();
      if ((own || fs::is_symlink(dir, error)) &&
          watched_.insert(own ? dir : dir.parent_path()).second) {
        ::inotify_add_watch(readable_.fd(), (own ? dir : dir.parent_path()).c_str(),
                            IN_CLOSE_WRITE | IN_MOVED_TO | IN_CREATE | IN_DELETE);
      }
    }
    if (!fs::is_symlink(at, error)) return;
    const auto target = fs::read_symlink(at, error);
    at = target.is_absolute() ? target : (at.parent_path() / target).lexically_normal();
  }
}

std::string FileWatch::signature() const {
  struct stat info {};
  if (::stat(path_.c_str(), &info) != 0) return "missing";
  return std::to_string(info.st_dev) + ":" + std::to_string(info.st_ino) + ":" +
         std::to_string(info.st_size) + ":" + std::to_string(info.st_mtim.tv_sec) + "." +
         std::to_string(info.st_mtim.tv_nsec);
}

void FileWatch::on_events() {
  alignas(inotify_event) std::array<char, 4096> events{};
  while (::read(readable_.fd(), events.data(), events.size()) > 0) {
  }
  settle_.expires_after(kSettle);  // replaces the wait before it
  settle_.async_wait([this](const boost::system::error_code& error) {
    if (error) return;
    watch_directories();
    auto now = signature();
    if (now == seen_ || now == "missing") return;
    seen_ = std::move(now);
    on_saved_();
  });
}

}  // namespace wormhole
