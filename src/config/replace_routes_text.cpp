// The file's text is exchanged, not written: at every moment there is one whole file, and what was
// there before is looked at once more after nobody can change it unnoticed.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "config/json_edit.hpp"
#include "wormhole/config/file_io.hpp"
#include "wormhole/config/routes_document.hpp"

namespace wormhole {
namespace {

using Why = EditRefusal::Why;
using Replaced = boost::system::result<void, EditRefusal>;

constexpr mode_t kAnyWrite = S_IWUSR | S_IWGRP | S_IWOTH;

EditRefusal storage(const std::string& path, int cause) {
  const auto why = "can't write " + path + ": " + std::strerror(cause) + "; expected ";
  switch (cause) {
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
      return refuse(Why::kStorage, why + "more free space on its file system");
    case EACCES:
    case EPERM:
    case EROFS:
      return refuse(Why::kStorage, why + "a file and a directory that this user may write to");
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
      return refuse(Why::kStorage, why + "the file that the server was started with");
    default:
      return refuse(Why::kStorage, why + "its disk and this process's limits to allow it");
  }
}

EditRefusal changed_meanwhile(const std::string& path) {
  return refuse(Why::kConflict, path +
                                    " was changed meanwhile by somebody else; expected the edit "
                                    "again, on what the file says now");
}

/// The file that `path` leads to through symbolic links; empty with errno when there is none.
std::string real_path(const std::string& path) {
  const std::unique_ptr<char, decltype(&std::free)> real(::realpath(path.c_str(), nullptr),
                                                         &std::free);
  return real ? std::string(real.get()) : std::string();
}

bool holds(const std::string& path, const std::string& text) {
  const auto found = read_routes_text(path);
  const auto* content = std::get_if<std::string>(&found);
  return content != nullptr && *content == text;
}

/// Notices who opens the file for writing in place, from now on: an editor that has it open when we
/// exchange it would go on writing into what we remove. A lease (fcntl(2)) needs ownership or
/// CAP_LEASE and a local file system; without one only that narrow case goes unnoticed.
class WriteWatch {
 public:
  explicit WriteWatch(int fd) : fd_(fd) {
    // By default the kernel tells of it by SIGIO, which ends a process; SIGURG is ignored.
    if (::fcntl(fd_, F_SETSIG, SIGURG) != 0) return;
    state_ = ::fcntl(fd_, F_SETLEASE, F_RDLCK) == 0 ? 0 : errno;
  }
  ~WriteWatch() {
    if (state_ == 0) ::fcntl(fd_, F_SETLEASE, F_UNLCK);
  }
  WriteWatch(const WriteWatch&) = delete;
  WriteWatch& operator=(const WriteWatch&) = delete;

  bool somebody_writes() const {
    return state_ == EAGAIN || (state_ == 0 && ::fcntl(fd_, F_GETLEASE) != F_RDLCK);
  }

 private:
  int fd_;
  int state_ = ENOTSUP;  // 0: there is a lease
};

/// A file of ours beside the other one; gone at the end, unless it was kept.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& beside)
      : path_(name_beside(beside)), file_(::mkostemp(path_.data(), O_CLOEXEC)) {
    if (file_.get() < 0) path_.clear();
  }
  ~TemporaryFile() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  const std::string& path() const { return path_; }
  int get() const { return file_.get(); }
  bool good() const { return file_.get() >= 0; }
  void keep() { path_.clear(); }

 private:
  /// Hidden, and nothing that a program takes for a YAML file.
  static std::string name_beside(const std::string& path) {
    const auto name = path.rfind('/') + 1;
    return path.substr(0, name) + "." + path.substr(name) + ".XXXXXX";
  }

  std::string path_;
  Descriptor file_;
};

class Replacement {
 public:
  Replacement(std::string path, const std::string& before, const std::string& after)
      : path_(std::move(path)), before_(before), after_(after) {}

  Replaced run() {
    const Descriptor old(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    struct stat info {};
    if (old.get() < 0 || ::fstat(old.get(), &info) != 0) return storage(path_, errno);
    if (auto refusal = check_writable(info)) return std::move(*refusal);
    if (!holds(path_, before_)) return changed_meanwhile(path_);
    TemporaryFile fresh(path_);
    if (!fresh.good()) return storage(path_, errno);
    if (auto refusal = write(fresh, info)) return std::move(*refusal);
    const WriteWatch watch(old.get());
    if (watch.somebody_writes()) return changed_meanwhile(path_);
    return exchange(fresh, watch);
  }

 private:
  /// For root too: a file that nobody may write to is one that its operator has locked.
  std::optional<EditRefusal> check_writable(const struct stat& info) const {
    if (!S_ISREG(info.st_mode)) {
      return refuse(Why::kStorage, path_ + " is no regular file; expected one");
    }
    if ((info.st_mode & kAnyWrite) != 0) {
      if (::faccessat(AT_FDCWD, path_.c_str(), W_OK, AT_EACCESS) == 0) return std::nullopt;
      if (errno != EACCES) return storage(path_, errno);
    }
    std::array<char, 8> mode{};
    ::snprintf(mode.data(), mode.size(), "0%03o", static_cast<unsigned>(info.st_mode & 0777));
    return refuse(Why::kStorage, path_ + " is read-only (mode " + mode.data() +
                                     "), so that programs don't edit it; expected write "
                                     "permission for the server's user where they should");
  }

  std::optional<EditRefusal> write(const TemporaryFile& fresh, const struct stat& info) const {
    struct stat own {};
    if (::fstat(fresh.get(), &own) != 0) return storage(path_, errno);
    const bool same_owner = own.st_uid == info.st_uid && own.st_gid == info.st_gid;
    if (!same_owner && ::fchown(fresh.get(), info.st_uid, info.st_gid) != 0) {
      return refuse(Why::kStorage, path_ +
                                       " belongs to another user or group, which this user can't "
                                       "give to the edited file; expected the server's own file");
    }
    const bool written = ::fchmod(fresh.get(), info.st_mode & 07777) == 0 &&
                         write_all(fresh.get(), after_) && ::fsync(fresh.get()) == 0;
    return written ? std::nullopt : std::optional(storage(path_, errno));
  }

  bool swap(const TemporaryFile& fresh) const {
    return ::renameat2(AT_FDCWD, fresh.path().c_str(), AT_FDCWD, path_.c_str(), RENAME_EXCHANGE) ==
           0;
  }

  Replaced exchange(TemporaryFile& fresh, const WriteWatch& watch) const {
    if (!swap(fresh)) {
      const bool unknown = errno == EINVAL || errno == ENOSYS;
      return unknown ? rename_over(fresh) : Replaced(storage(path_, errno));
    }
    if (!holds(fresh.path(), before_)) return take_back(fresh);
    if (!sync_directory_of(path_)) {
      const int cause = errno;
      auto refusal = take_back(fresh);
      return fresh.path().empty() ? refusal : storage(path_, cause);
    }
    // Last: whoever found the old file by its name just before the exchange has opened it by now.
    if (watch.somebody_writes()) return take_back(fresh);
    return {};
  }

  /// What came out of the exchange is somebody's edit: it goes back to its place.
  EditRefusal take_back(TemporaryFile& fresh) const {
    if (swap(fresh) && holds(fresh.path(), after_)) return changed_meanwhile(path_);
    // Another edit came between the two exchanges: it is the newest and stays; the one before it is
    // kept where it is.
    swap(fresh);
    auto kept = fresh.path();
    fresh.keep();
    return refuse(Why::kConflict, path_ +
                                      " was changed twice meanwhile by somebody else; expected a "
                                      "look at " +
                                      kept + ", which has the first of the two versions");
  }

  /// For file systems without exchange: the last look comes before the rename, so that an edit
  /// within the microseconds between is not seen.
  Replaced rename_over(TemporaryFile& fresh) const {
    if (!holds(path_, before_)) return changed_meanwhile(path_);
    if (::rename(fresh.path().c_str(), path_.c_str()) != 0) return storage(path_, errno);
    fresh.keep();  // it has the file's name now
    sync_directory_of(path_);
    return {};
  }

  std::string path_;
  const std::string& before_;
  const std::string& after_;
};

}  // namespace

Replaced replace_routes_text(const std::string& path, const std::string& before,
                             const std::string& after) {
  auto real = real_path(path);
  if (real.empty()) return storage(path, errno);
  return Replacement(std::move(real), before, after).run();
}

}  // namespace wormhole
